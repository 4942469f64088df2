"""A new revision of a manual mostly repeats the one before it: vectors of equal passages are taken over."""

from assistant.records.catalogue import Catalogue, Revision
from assistant.store.base import ChunkStore, Vectors
from ingest.chunk import embedding_text

BATCH = 512


def known_vectors(catalogue: Catalogue, store: ChunkStore, revision: Revision) -> dict[str, Vectors]:
    """Embedded text -> vector, from the family's visible revisions; empty for a new manual.

    A store holds one embedder's vectors only, so equal text means an equal vector.
    """
    known: dict[str, Vectors] = {}
    for earlier in catalogue.family(revision.family):
        if earlier.state == "visible":
            for start in range(0, earlier.chunks, BATCH):
                chunks = store.section(earlier.id, start, start + BATCH - 1)
                vectors = store.vectors([chunk.id for chunk in chunks])
                known |= {embedding_text(chunk): vectors[chunk.id] for chunk in chunks if chunk.id in vectors}
    return known
