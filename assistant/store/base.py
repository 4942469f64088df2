"""What Lineside asks of a vector engine; `edge.py` and `server.py` are the two that answer."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from assistant.schema import Chunk, Hit, Source

Vectors = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class SparseVector:
    """Term weights of a text: token ids (sorted, unique) and their BM25 weights without IDF."""

    indices: tuple[int, ...]
    values: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Scope:
    """Which chunks a search may see.

    Attributes:
        applies_to: casefolded asset tag and model; chunks that name neither are seen only when they name
            nothing at all, that is when they hold for the whole plant. Empty means no restriction.
        source: only manuals or only work orders; None means both.
        hidden: revisions that must not be seen (superseded, or still being built).
    """

    applies_to: tuple[str, ...] = ()
    source: Source | None = None
    hidden: tuple[str, ...] = field(default=())


class ChunkSearch(Protocol):
    """What finding passages needs of a store."""

    def search(self, dense: Vectors, sparse: SparseVector, scope: Scope, limit: int, depth: int) -> list[Hit]:
        """Fuses both channels in the engine by reciprocal rank.

        Args:
            dense: one query vector of length dimension.
            sparse: the query's terms, weight 1 each.
            scope: which chunks may be seen.
            limit: hits returned, best first.
            depth: candidates taken from each channel before fusion.
        """

    def lookup(self, identifiers: Sequence[str], scope: Scope, limit: int) -> list[Hit]:
        """Chunks that carry any of the normalised identifiers, in document order, marked exact."""


class ChunkStore(ChunkSearch, Protocol):
    """Chunks with a dense and a sparse vector each, searched with both at once."""

    def upsert(self, chunks: Sequence[Chunk], dense: Vectors, sparse: Sequence[SparseVector]) -> None:
        """Writes chunks; the same id is replaced.

        Args:
            chunks: n chunks.
            dense: n x dimension, unit length.
            sparse: n sparse vectors.

        Raises:
            StorageError: the engine or the disk refuses.
        """

    def section(self, revision: str, first: int, last: int) -> list[Chunk]:
        """Chunks of one revision with first <= ordinal <= last, in order."""

    def fetch(self, ids: Sequence[str]) -> list[Chunk]:
        """Chunks by id, in the order asked; unknown ids are left out."""

    def vectors(self, ids: Sequence[str]) -> dict[str, Vectors]:
        """Dense vectors by chunk id; unknown ids are left out."""

    def delete(self, revision: str) -> None:
        """Removes every chunk of a revision."""

    def count(self, revision: str | None = None) -> int:
        """Number of chunks, of one revision or of all."""

    def flush(self) -> None:
        """Makes what was written outlast a power cut."""

    def purge(self) -> None:
        """Leaves nothing of deleted chunks readable on the disk; takes as long as writing all others anew."""

    def optimize(self) -> None:
        """Builds indexes after large writes; may take seconds."""

    def close(self) -> None:
        """Flushes and releases the engine."""
