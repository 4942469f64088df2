"""Which document is for training, which for validation, and which is kept out."""

import hashlib
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from assistant.schema import Chunk
from finetune.example import Split

# Share of a source's chunks that validation gets at least and at most; a larger manual stays in training.
ENOUGH, MOST = 0.1, 0.2


@dataclass(frozen=True, slots=True)
class Splits:
    """Sides of documents; the same documents give the same sides.

    Attributes:
        documents: side by document.
        kept_out: documents that evaluation asks about, or whose model is held out.
    """

    documents: dict[str, Split]
    kept_out: frozenset[str] = frozenset()

    def of(self, chunk: Chunk) -> Split | None:
        """The side of a chunk; None when it is kept out."""
        return None if chunk.document in self.kept_out else self.documents.get(chunk.document)

    def together(self, one: Chunk, other: Chunk) -> bool:
        """Whether two chunks may stand in one prompt: both on one side, none kept out."""
        return self.of(one) is not None and self.of(one) == self.of(other)


def split_documents(chunks: Sequence[Chunk], evaluated: Collection[str], held_out: Collection[str]) -> Splits:
    """Sides of all documents of one source.

    Args:
        chunks: visible chunks of the source.
        evaluated: names of documents that evaluation suites ask about.
        held_out: casefolded models or tags whose documents are kept out.
    """
    applies = {chunk.document: chunk.applies_to for chunk in chunks}
    out = frozenset(
        d for d, names in applies.items() if d in evaluated or not set(held_out).isdisjoint(names)
    )
    sizes = Counter(chunk.document for chunk in chunks if chunk.document not in out)
    sides: dict[str, Split] = {}
    spared = 0
    for document in sorted(sizes, key=_drawn):
        fits = spared < ENOUGH * sizes.total() and spared + sizes[document] <= MOST * sizes.total()
        sides[document] = "validation" if fits else "train"
        spared += sizes[document] if fits else 0
    return Splits(sides, out)


def _drawn(document: str) -> str:
    """An order that looks like chance and never changes."""
    return hashlib.sha256(document.encode()).hexdigest()
