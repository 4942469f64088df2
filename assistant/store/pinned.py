"""A store as one question sees it: what is published while it is being answered stays out of the answer."""

from collections.abc import Sequence

from assistant.records.catalogue import View
from assistant.schema import Hit
from assistant.store.base import ChunkSearch, Scope, SparseVector, Vectors


class PinnedStore:
    """A ChunkSearch that gives passages of one view only.

    The scope already hides the revisions that were on record when the view was taken; here those fall out
    that were begun since.
    """

    def __init__(self, store: ChunkSearch, view: View) -> None:
        """Looks into a store through a view."""
        self._store = store
        self._view = view

    def search(self, dense: Vectors, sparse: SparseVector, scope: Scope, limit: int, depth: int) -> list[Hit]:
        """Fuses both channels; see ChunkSearch."""
        return self._seen(self._store.search(dense, sparse, scope, limit, depth))

    def lookup(self, identifiers: Sequence[str], scope: Scope, limit: int) -> list[Hit]:
        """Chunks with any of the identifiers; see ChunkSearch."""
        return self._seen(self._store.lookup(identifiers, scope, limit))

    def _seen(self, hits: Sequence[Hit]) -> list[Hit]:
        return [hit for hit in hits if self._view.shows(hit.chunk)]
