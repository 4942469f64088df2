"""What Lineside asks of an embedding model; `e5.py` and `transformer.py` are the two that answer."""

from collections.abc import Callable, Sequence
from typing import Protocol

from assistant.store.base import Vectors

Progress = Callable[[int, int], None]


class Embedder(Protocol):
    """Turns text into unit vectors whose dot product is similarity.

    One object serves many threads at once.

    Attributes:
        name: the catalogue name, stored beside the vectors so that two embedders never mix.
        dimension: length of a vector.
        max_tokens: the longest passage, in the model's own tokens, that it reads in one piece.
    """

    name: str
    dimension: int
    max_tokens: int

    def queries(self, texts: Sequence[str]) -> Vectors:
        """Questions as n x dimension, unit length."""

    def passages(self, texts: Sequence[str], progress: Progress | None = None) -> Vectors:
        """Passages as n x dimension, unit length; progress is called with (done, total)."""

    def count_tokens(self, text: str) -> int:
        """How many of the model's own tokens a text takes, without the markers that the model adds."""
