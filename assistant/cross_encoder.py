"""Reranking by a cross-encoder (Nogueira and Cho 2019, arXiv:1901.04085), which reads both texts at once.

For a GPU: on two processor cores a small one takes seconds. It re-scores only the first candidates, since
cross-encoders get worse when they read further down.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Protocol

from assistant.errors import MissingExtraError, SettingsError
from assistant.schema import Hit
from assistant.understand import Understood


class _Ranks(Protocol):
    def rank(self, understood: Understood, hits: Sequence[Hit]) -> tuple[Hit, ...]: ...


class CrossEncoderRanker:
    """Any CrossEncoder of sentence-transformers behind the learned ranking."""

    def __init__(self, model: str, first: _Ranks, depth: int) -> None:
        """Loads the model, on the GPU when there is one.

        Args:
            model: folder, or name on the model hub.
            first: the ranking that decides what it reads.
            depth: how many passages it reads; those behind them stay behind.

        Raises:
            MissingExtraError: sentence-transformers is not installed.
            SettingsError: the model cannot be loaded.
        """
        try:
            from sentence_transformers import CrossEncoder
        except ImportError as problem:
            raise MissingExtraError(
                "Package sentence-transformers is missing", "Install it: pip install sentence-transformers"
            ) from problem
        try:
            self._model: Any = CrossEncoder(model)
        except (OSError, ValueError) as problem:
            raise SettingsError(
                f"The reranker '{model}' cannot be loaded: {str(problem).splitlines()[0]}",
                "Set LINESIDE_RETRIEVAL_RERANKER to 'learned', 'none' or the folder of a CrossEncoder.",
            ) from problem
        self._first = first
        self._depth = depth

    def rank(self, understood: Understood, hits: Sequence[Hit]) -> tuple[Hit, ...]:
        """All hits: those it reads by its own scores, then the others as they were."""
        ranked = self._first.rank(understood, hits)
        read, rest = ranked[: self._depth], ranked[self._depth :]
        if not read:
            return ranked
        pairs = [(understood.standalone, f"{hit.chunk.heading}\n{hit.chunk.text}") for hit in read]
        scores = [float(score) for score in self._model.predict(pairs, show_progress_bar=False)]
        lift = max((hit.score for hit in rest), default=0.0) - min(scores) + 1
        scored = [
            replace(hit, score=score + lift, signals={**hit.signals, "cross_encoder": score})
            for hit, score in zip(read, scores, strict=True)
        ]
        return (*sorted(scored, key=lambda hit: (-hit.score, hit.chunk.id)), *rest)
