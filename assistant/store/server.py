"""A Qdrant server or cluster through qdrant-client, for plants where several processes share one store."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np
from qdrant_client import QdrantClient
from qdrant_client import models as qm
from qdrant_client.http.exceptions import ApiException

from assistant.errors import SettingsError, StorageError
from assistant.schema import Chunk, Hit
from assistant.store.base import Scope, SparseVector, Vectors
from assistant.store.fusion import fuse, fused_hits
from assistant.store.payload import (
    DENSE,
    INTEGER_FIELDS,
    KEYWORD_FIELDS,
    SPARSE,
    allowed_applications,
    from_payload,
    to_payload,
)

BATCH = 256
SCROLL = 1000


class ServerStore:
    """A ChunkStore on a Qdrant collection; the collection's name carries the embedder's."""

    def __init__(self, client: QdrantClient, collection: str, embedder: str, dimension: int) -> None:
        """Uses the collection `<collection>-<embedder>`, or creates it.

        Raises:
            SettingsError: it holds vectors of another length.
            StorageError: the server cannot be reached.
        """
        self._client = client
        self._name = f"{collection}-{embedder}"
        with _translated("open the collection"):
            if not client.collection_exists(self._name):
                self._create(dimension)
            held = client.get_collection(self._name).config.params.vectors
        size = held[DENSE].size if isinstance(held, dict) else dimension
        if size != dimension:
            raise SettingsError(
                f"Collection {self._name} holds vectors of length {size}, not {dimension}",
                "Name another LINESIDE_QDRANT_COLLECTION.",
            )

    def upsert(self, chunks: Sequence[Chunk], dense: Vectors, sparse: Sequence[SparseVector]) -> None:
        """Writes chunks in batches; see ChunkStore."""
        for start in range(0, len(chunks), BATCH):
            part = slice(start, start + BATCH)
            points = [
                qm.PointStruct(
                    id=chunk.id,
                    vector={DENSE: vector.tolist(), SPARSE: _words(words)},
                    payload=to_payload(chunk),
                )
                for chunk, vector, words in zip(chunks[part], dense[part], sparse[part], strict=True)
            ]
            with _translated("write"):
                self._client.upsert(self._name, points, wait=True)

    def search(self, dense: Vectors, sparse: SparseVector, scope: Scope, limit: int, depth: int) -> list[Hit]:
        """Fuses both channels by reciprocal rank; see ChunkStore."""
        queries: list[tuple[str, list[float] | qm.SparseVector]] = [(DENSE, dense.tolist())]
        if sparse.indices:
            queries.append((SPARSE, _words(sparse)))
        visible = _filter(scope)
        requests = [
            qm.QueryRequest(query=query, using=name, filter=visible, limit=depth) for name, query in queries
        ]
        with _translated("search"):
            found = self._client.query_batch_points(self._name, requests)
            channels = [[(str(p.id), p.score) for p in answer.points] for answer in found]
            fused = fuse(channels, depth, limit)
            records = self._client.retrieve(
                self._name, ids=[found for found, _ in fused], with_payload=True, with_vectors=[DENSE]
            )
        chunks = {str(record.id): from_payload(record.payload or {}) for record in records}
        return fused_hits(fused, channels[1] if sparse.indices else (), dense, _dense(records), chunks)

    def lookup(self, identifiers: Sequence[str], scope: Scope, limit: int) -> list[Hit]:
        """Chunks with any of the identifiers; see ChunkStore."""
        if not identifiers:
            return []
        wanted = _filter(
            scope, [qm.FieldCondition(key="identifiers", match=qm.MatchAny(any=list(identifiers)))]
        )
        found = sorted(self._scroll(wanted, limit), key=lambda chunk: (chunk.document, chunk.ordinal))
        return [Hit(chunk, 1.0, exact=True) for chunk in found]

    def section(self, revision: str, first: int, last: int) -> list[Chunk]:
        """A run of chunks of one revision; see ChunkStore."""
        between = qm.FieldCondition(key="ordinal", range=qm.Range(gte=first, lte=last))
        wanted = qm.Filter(must=[_matches("revision", revision), between])
        return sorted(self._scroll(wanted, last - first + 1), key=lambda chunk: chunk.ordinal)

    def fetch(self, ids: Sequence[str]) -> list[Chunk]:
        """Chunks by id; see ChunkStore."""
        if not ids:
            return []
        with _translated("read"):
            records = self._client.retrieve(self._name, ids=list(ids), with_payload=True)
        found = {str(record.id): from_payload(record.payload or {}) for record in records}
        return [found[chunk_id] for chunk_id in ids if chunk_id in found]

    def vectors(self, ids: Sequence[str]) -> dict[str, Vectors]:
        """Dense vectors by id; see ChunkStore."""
        if not ids:
            return {}
        with _translated("read"):
            records = self._client.retrieve(
                self._name, ids=list(ids), with_payload=False, with_vectors=[DENSE]
            )
        return _dense(records)

    def delete(self, revision: str) -> None:
        """Removes a revision's chunks; see ChunkStore."""
        wanted = qm.FilterSelector(filter=qm.Filter(must=[_matches("revision", revision)]))
        with _translated("delete"):
            self._client.delete(self._name, points_selector=wanted, wait=True)

    def count(self, revision: str | None = None) -> int:
        """Number of chunks; see ChunkStore."""
        wanted = qm.Filter(must=[_matches("revision", revision)]) if revision else None
        with _translated("count"):
            return self._client.count(self._name, count_filter=wanted, exact=True).count

    def flush(self) -> None:
        """Every write waits until the server has it in its log."""

    def purge(self) -> None:
        """The server rewrites its segments and cuts its log by itself, after a while."""

    def optimize(self) -> None:
        """The server optimizes by itself."""

    def close(self) -> None:
        """Closes the connection."""
        self._client.close()

    def _create(self, dimension: int) -> None:
        self._client.create_collection(
            self._name,
            vectors_config={DENSE: qm.VectorParams(size=dimension, distance=qm.Distance.DOT)},
            sparse_vectors_config={SPARSE: qm.SparseVectorParams(modifier=qm.Modifier.IDF)},
        )
        for name in KEYWORD_FIELDS:
            self._client.create_payload_index(self._name, name, qm.PayloadSchemaType.KEYWORD)
        for name in INTEGER_FIELDS:
            self._client.create_payload_index(self._name, name, qm.PayloadSchemaType.INTEGER)

    def _scroll(self, wanted: qm.Filter, limit: int) -> Iterator[Chunk]:
        offset, left = None, limit
        while left > 0:
            with _translated("read"):
                records, offset = self._client.scroll(
                    self._name, scroll_filter=wanted, limit=min(left, SCROLL), offset=offset
                )
            yield from (from_payload(record.payload or {}) for record in records)
            left -= len(records)
            if offset is None:
                return


def _words(sparse: SparseVector) -> qm.SparseVector:
    return qm.SparseVector(indices=list(sparse.indices), values=list(sparse.values))


def _filter(scope: Scope, must: Sequence[qm.Condition] = ()) -> qm.Filter:
    conditions = list(must)
    if scope.source:
        conditions.append(_matches("source", scope.source))
    allowed = allowed_applications(scope)
    if allowed:
        conditions.append(qm.FieldCondition(key="applies_to", match=qm.MatchAny(any=allowed)))
    hidden: list[qm.Condition] = []
    if scope.hidden:
        hidden.append(qm.FieldCondition(key="revision", match=qm.MatchAny(any=list(scope.hidden))))
    return qm.Filter(must=conditions, must_not=hidden)


def _dense(records: Sequence[qm.Record]) -> dict[str, Vectors]:
    named = {str(record.id): record.vector for record in records}
    return {
        chunk_id: np.asarray(vector[DENSE], dtype=np.float32)
        for chunk_id, vector in named.items()
        if isinstance(vector, dict)
    }


def _matches(key: str, value: str) -> qm.FieldCondition:
    return qm.FieldCondition(key=key, match=qm.MatchValue(value=value))


@contextmanager
def _translated(doing: str) -> Iterator[None]:
    try:
        yield
    except (ApiException, OSError) as problem:
        raise StorageError(
            f"The Qdrant server cannot {doing}: {problem}", "See whether LINESIDE_QDRANT_URL is reachable."
        ) from problem
