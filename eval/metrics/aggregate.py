"""Values of cases -> figures of slices, each with its number of cases and its interval."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from eval.cases import InjectionCase
from eval.metrics.refusal import f1, risk_coverage, risk_coverage_area
from eval.metrics.score import METRICS, TRIAGE_METRICS, Metric, Scored, ScoredRun, ScoredTriage
from eval.results import Result, System
from eval.statistics import ClusterBootstrap, Interval, exact_interval

ALL = ("all", "")
# Enough for the two ends of an interval; comparisons, which decide, take more.
RESAMPLES = 2_000
DIMENSIONS = ("suite", "kind", "language", "document", "identifier", "form", "carrier")


@dataclass(frozen=True, slots=True)
class Summary:
    """A figure of a set of cases that is no mean of theirs; None where it does not arise."""

    metric: Metric
    of: Callable[[Sequence[Scored]], tuple[float | None, int]]


@dataclass(frozen=True, slots=True)
class Figure:
    """A metric of one system on one slice.

    Attributes:
        slice: dimension and value, ('kind', 'lookup'); ('all', '') for everything.
        n: cases that the metric applies to.
        interval: 95 %: exact for rates, by bootstrap for shares; None for other figures.
    """

    system: System
    metric: Metric
    slice: tuple[str, str]
    value: float
    n: int
    interval: Interval | None


def _f1(items: Sequence[Scored]) -> tuple[float | None, int]:
    precision, recall = mean_of(items, "refusal_precision"), mean_of(items, "refusal_recall")
    return f1(precision, recall), sum(item.case.refuse for item in items)


def _risk_coverage_area(items: Sequence[Scored]) -> tuple[float | None, int]:
    answered = confident_answers(items)
    return risk_coverage_area(risk_coverage(answered, len(items))), len(answered)


def _percentile(name: str, share: float) -> Callable[[Sequence[Scored]], tuple[float | None, int]]:
    def of(items: Sequence[Scored]) -> tuple[float | None, int]:
        known = [value for item in items if (value := item.values[name]) is not None]
        return (float(np.percentile(known, share)) if known else None), len(known)

    return of


SUMMARIES: tuple[Summary, ...] = (
    Summary(
        Metric("refusal_f1", "Refusal F1", "higher", "share", "harmonic mean of precision and recall"), _f1
    ),
    Summary(
        Metric("aurc", "Risk–coverage area", "lower", "share", "mean risk over the coverages reached"),
        _risk_coverage_area,
    ),
    *(
        Summary(
            Metric(
                f"{name}_p{share}_ms", f"{label} p{share}", "lower", "ms", f"{label.casefold()}, percentile"
            ),
            _percentile(f"{name}_ms", share),
        )
        for name, label in (("first_token", "First token"), ("total", "Total time"))
        for share in (50, 95)
    ),
)
# What reports and gates may name.
BY_NAME: dict[str, Metric] = {
    metric.name: metric for metric in (*METRICS, *TRIAGE_METRICS, *(summary.metric for summary in SUMMARIES))
}


def slices_of(item: Scored) -> list[tuple[str, str]]:
    """Every slice that a case belongs to."""
    return [
        ALL,
        ("suite", item.result.suite),
        ("kind", item.case.kind),
        ("language", item.case.lang),
        *(("document", document) for document in item.case.documents),
        ("identifier", "in the question" if item.case.asks_identifier else "none in the question"),
        *([("carrier", item.case.carrier)] if isinstance(item.case, InjectionCase) else []),
        ("form", form_of(item.result)),
    ]


def form_of(result: Result) -> str:
    """How a question was answered: written, quoted, refused, or failed."""
    if result.answer is None:
        return "failed"
    if result.answer.refused:
        return "refused"
    return "written" if result.answer.mode == "llm" else "quoted"


def mean_of(items: Sequence[Scored], name: str) -> float | None:
    """The mean of a metric over the cases it applies to; None when there is none."""
    known = [value for item in items if (value := item.values[name]) is not None]
    return sum(known) / len(known) if known else None


def confident_answers(items: Sequence[Scored]) -> list[tuple[float, bool]]:
    """Confidence and correctness of each answer that was given with a confidence."""
    return [
        (item.result.confidence, item.values["correct"] == 1)
        for item in items
        if item.result.confidence is not None and item.result.answer and not item.result.answer.refused
    ]


class Aggregator:
    """Turns scores into figures; resamples each set of cases once, for all systems and metrics."""

    def __init__(self) -> None:
        """Begins without resamples."""
        self._bootstraps: dict[tuple[str, ...], ClusterBootstrap] = {}

    def figures(self, run: ScoredRun) -> list[Figure]:
        """Every metric of every system on every slice that has cases for it."""
        found = []
        for system in run.systems:
            slices: dict[tuple[str, str], list[Scored]] = {}
            for item in run.of(system):
                for key in slices_of(item):
                    slices.setdefault(key, []).append(item)
            for key, items in slices.items():
                found += self.of_slice(system, key, items)
        return [*found, *self._triage(run.triage)]

    def of_slice(self, system: System, key: tuple[str, str], items: Sequence[Scored]) -> list[Figure]:
        """Every metric of one system on one slice."""
        clusters = tuple(item.cluster for item in items)
        found = []
        for metric in METRICS:
            if metric.unit != "ms":
                found += self._mean(
                    system, metric, key, [item.values[metric.name] for item in items], clusters
                )
        for summary in SUMMARIES:
            value, n = summary.of(items)
            if value is not None:
                found.append(Figure(system, summary.metric, key, value, n, None))
        return found

    def _triage(self, items: Sequence[ScoredTriage]) -> list[Figure]:
        slices: dict[tuple[str, str], list[ScoredTriage]] = {}
        for item in items:
            for key in (ALL, ("suite", item.outcome.suite), ("language", item.case.lang)):
                slices.setdefault(key, []).append(item)
        found: list[Figure] = []
        for key, members in slices.items():
            clusters = tuple(
                item.case.page[0][0].document if item.case.page else item.case.form.asset for item in members
            )
            for metric in TRIAGE_METRICS:
                values = [item.values[metric.name] for item in members]
                found += self._mean("lineside", metric, key, values, clusters)
        return found

    def _mean(
        self,
        system: System,
        metric: Metric,
        key: tuple[str, str],
        values: Sequence[float | None],
        clusters: tuple[str, ...],
    ) -> list[Figure]:
        known = [value for value in values if value is not None]
        if not known:
            return []
        mean = sum(known) / len(known)
        interval: Interval | None = None
        if metric.unit == "rate" or set(known) in ({0.0}, {1.0}):
            # Where every case is the same, resampling them shows no spread at all.
            interval = exact_interval(round(sum(known)), len(known))
        elif len(known) > 1:
            interval = self._bootstrap(clusters).interval(values)
        return [Figure(system, metric, key, mean, len(known), interval)]

    def _bootstrap(self, clusters: tuple[str, ...]) -> ClusterBootstrap:
        if clusters not in self._bootstraps:
            self._bootstraps[clusters] = ClusterBootstrap(clusters, RESAMPLES)
        return self._bootstraps[clusters]
