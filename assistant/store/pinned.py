"""A store as one question sees it.

What is published while it is being answered stays out of the answer, and so do passages of manuals that speak
to the assistant instead of a technician (assistant.suspicion): nothing is written or quoted from them.
"""

from collections.abc import Sequence

from assistant.records.catalogue import View
from assistant.schema import Chunk, Hit
from assistant.store.base import ChunkSearch, Scope, SparseVector, Vectors
from assistant.suspicion import addressed


class PinnedStore:
    """A ChunkSearch that gives passages of one view only.

    The scope already hides the revisions that were on record when the view was taken; here those fall out
    that were begun since.
    """

    def __init__(self, store: ChunkSearch, view: View) -> None:
        """Looks into a store through a view."""
        self._store = store
        self._view = view
        self._left_out: dict[str, Chunk] = {}

    @property
    def left_out(self) -> tuple[Chunk, ...]:
        """Passages that were found and speak to the assistant, in the order in which they were met."""
        return tuple(self._left_out.values())

    def search(self, dense: Vectors, sparse: SparseVector, scope: Scope, limit: int, depth: int) -> list[Hit]:
        """Fuses both channels; see ChunkSearch."""
        return self._seen(self._store.search(dense, sparse, scope, limit, depth))

    def lookup(self, identifiers: Sequence[str], scope: Scope, limit: int) -> list[Hit]:
        """Chunks with any of the identifiers; see ChunkSearch."""
        return self._seen(self._store.lookup(identifiers, scope, limit))

    def _seen(self, hits: Sequence[Hit]) -> list[Hit]:
        return [hit for hit in hits if self._view.shows(hit.chunk) and not self._is_planted(hit.chunk)]

    def _is_planted(self, chunk: Chunk) -> bool:
        """Whether a passage has to stay out; work orders are only ever shown as what somebody typed."""
        if chunk.source != "manual" or not addressed(chunk):
            return False
        self._left_out.setdefault(chunk.id, chunk)
        return True
