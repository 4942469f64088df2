"""Refusing what the documents do not hold, and only that; and how risk grows with coverage."""

from collections.abc import Sequence
from dataclasses import dataclass

from eval.cases import Case
from eval.results import Result


@dataclass(frozen=True, slots=True)
class RiskPoint:
    """Answering the surest cases up to this coverage, the share of risk is wrong; both 0 to 1."""

    coverage: float
    risk: float


def refused(result: Result) -> bool:
    """Whether the system said that the documents do not hold it; a failure is no refusal."""
    return result.answer is not None and result.answer.refused


def refusal_precision(case: Case, result: Result) -> float | None:
    """Of what was refused, 1 where that was right; None when it was not refused."""
    return float(case.refuse) if refused(result) else None


def refusal_recall(case: Case, result: Result) -> float | None:
    """Of what is to be refused, 1 where it was; None when it is not to be refused."""
    return float(refused(result)) if case.refuse else None


def false_refusal(case: Case, result: Result) -> float | None:
    """Of what can be answered, 1 where it was refused; None when it is to be refused."""
    return None if case.refuse else float(refused(result))


def f1(precision: float | None, recall: float | None) -> float | None:
    """The harmonic mean; 0 when nothing was refused rightly, None when nothing was to be refused."""
    if recall is None:
        return None
    if not precision or not recall:
        return 0.0
    return 2 * precision * recall / (precision + recall)


def risk_coverage(answered: Sequence[tuple[float, bool]], cases: int) -> list[RiskPoint]:
    """Risk over coverage (Geifman and El-Yaniv, NeurIPS 2017), most confident answers first.

    Answers of equal confidence count as if in random order, so that the order of the cases does not matter.

    Args:
        answered: confidence and correctness of each answer given; refusals cover nothing.
        cases: all cases that were asked.
    """
    points: list[RiskPoint] = []
    taken, wrong = 0, 0.0
    for confidence in sorted({confidence for confidence, _ in answered}, reverse=True):
        tied = [right for sure, right in answered if sure == confidence]
        share = tied.count(False) / len(tied)
        for _ in tied:
            taken += 1
            wrong += share
            points.append(RiskPoint(taken / cases, wrong / taken))
    return points


def risk_coverage_area(points: Sequence[RiskPoint]) -> float | None:
    """The mean risk over the coverages reached, 0 to 1, lower is better; None without answers."""
    return sum(point.risk for point in points) / len(points) if points else None
