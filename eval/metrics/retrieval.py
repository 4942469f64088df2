"""How well the pages that hold the answer are found, from a ranking of passages.

A group of gold pages is met by the first hit whose pages take in any page of it; hits are ranked as they
were, so that k passages are what the model is shown. Definitions: Manning, Raghavan and Schütze,
Introduction to Information Retrieval, 2008, chapter 8; nDCG: Järvelin and Kekäläinen, 2002.
"""

import math
from collections.abc import Sequence

from eval.cases import Gold, Place
from eval.results import RetrievedPages


def recall_at(gold: Gold, hits: Sequence[RetrievedPages], k: int) -> float | None:
    """Share of the groups that the first k hits meet, 0 to 1; None without gold."""
    ranks = _ranks(gold, hits)
    return sum(rank is not None and rank <= k for rank in ranks) / len(ranks) if ranks else None


def reciprocal_rank(gold: Gold, hits: Sequence[RetrievedPages]) -> float | None:
    """One over the rank of the first hit that meets any group, 0 when none does; None without gold."""
    if not gold:
        return None
    return max((1 / rank for rank in _ranks(gold, hits) if rank), default=0.0)


def ndcg_at(gold: Gold, hits: Sequence[RetrievedPages], k: int = 10) -> float | None:
    """Gain of the first k hits over that of a ranking with one group a hit, 0 to 1; None without gold.

    Each group gains once, where it is first met. One hit may meet two groups at once, which no ideal of one
    group a hit can match: the figure is capped at 1.
    """
    if not gold:
        return None
    gain = sum(1 / math.log2(rank + 1) for rank in _ranks(gold, hits) if rank and rank <= k)
    ideal = sum(1 / math.log2(rank + 1) for rank in range(1, min(len(gold), k) + 1))
    return min(gain / ideal, 1.0)


def _ranks(gold: Gold, hits: Sequence[RetrievedPages]) -> list[int | None]:
    """For each group the rank, from 1, of the first hit that meets it."""
    return [
        next((rank for rank, hit in enumerate(hits, start=1) if _meets(hit, group)), None) for group in gold
    ]


def _meets(hit: RetrievedPages, group: Sequence[Place]) -> bool:
    return any(hit.document == place.document and hit.page <= place.page <= hit.page_last for place in group)
