"""The order of passages: learned weights over what speaks for and against each.

A conditional logit model (McFadden 1974; in retrieval the listwise softmax of Cao et al. 2007, ICML): a
passage's score is a weighted sum of its features, and `python -m eval.ranking` learns the weights from
questions whose pages are known. They are few, and judged on manuals that took no part in learning.
"""

import json
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from importlib.resources import files
from typing import Protocol

from assistant.ranking_features import features
from assistant.schema import Hit
from assistant.settings import RetrievalSettings
from assistant.understand import Understood
from assistant.wording import Wording

WEIGHTS = "data/ranking.json"
# Scores are compared in these decimals, so that the same passages tie on any machine.
DECIMALS = 6


class Reranker(Protocol):
    """Puts candidates into order."""

    def rank(self, understood: Understood, hits: Sequence[Hit]) -> tuple[Hit, ...]:
        """All hits, best first, with their scores and what was counted; ties by id."""


class Ranker:
    """The learned ranking; safe to share between threads."""

    def __init__(self, wording: Wording, weights: dict[str, float] | None = None) -> None:
        """Ranks by the weights that come with Lineside, or by those given (feature -> weight)."""
        self._wording = wording
        self._weights = learned_weights() if weights is None else weights

    def rank(self, understood: Understood, hits: Sequence[Hit]) -> tuple[Hit, ...]:
        """All hits, best first; see Reranker.

        Args:
            understood: a single question.
            hits: candidates of one search, with their fused score and the signals 'dense' and 'bm25'.
        """
        wanted = self._wording.wanted(understood.standalone)
        counted = features(understood, wanted, hits)
        ranked = [self._scored(hit, found) for hit, found in zip(hits, counted, strict=True)]
        return tuple(sorted(ranked, key=best_first))

    def _scored(self, hit: Hit, found: dict[str, float]) -> Hit:
        score = sum(self._weights.get(name, 0.0) * value for name, value in found.items())
        signals = {**hit.signals, **{name: round(value, 4) for name, value in found.items() if value}}
        return replace(hit, score=round(score, DECIMALS), signals=signals)


def best_first(hit: Hit) -> tuple[float, str]:
    """The key that sorts hits by score, and equals by id."""
    return (-hit.score, hit.chunk.id)


def build_reranker(settings: RetrievalSettings, wording: Wording) -> Reranker | None:
    """What the setting 'reranker' names; None for the fused ranking as it is.

    Raises:
        SettingsError: it names a model that cannot be loaded.
    """
    if settings.reranker == "none":
        return None
    learned = Ranker(wording)
    if settings.reranker == "learned":
        return learned
    from assistant.cross_encoder import CrossEncoderRanker

    return CrossEncoderRanker(settings.reranker, learned, settings.rerank_depth)


@cache
def learned_weights() -> dict[str, float]:
    """Feature -> weight, as learned last."""
    found: dict[str, float] = json.loads(files("assistant").joinpath(WEIGHTS).read_text(encoding="utf-8"))[
        "weights"
    ]
    return found
