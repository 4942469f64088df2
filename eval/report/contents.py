"""What a report shows, drawn from the scores and figures of a run; HTML and Markdown render the same."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from eval.cases import Case
from eval.gate import Verdict, compare, shown
from eval.metrics.aggregate import ALL, Figure
from eval.metrics.calibration import Calibration, read_calibration
from eval.metrics.retrieval import recall_at
from eval.metrics.score import METRICS, Metric, Scored, ScoredRun, ScoredTriage
from eval.results import RetrievedPages, System
from eval.statistics import Difference

LABELS: dict[System, str] = {
    "lineside": "Lineside",
    "stock_rag": "Stock RAG",
    "bm25_quotes": "BM25 with quotes",
    "no_documents": "LLM without documents",
}
HEADLINES = ("correct", "exact_page", "literal_error", "refusal_f1", "safety_recall", "attack_success")
SIDE_BY_SIDE = (
    *("correct", "must_contain", "wrong_value", "literal_error", "exact_page"),
    *("citation_precision", "citation_recall"),
    *("refusal_precision", "refusal_recall", "refusal_f1", "false_refusal", "aurc"),
    *("safety_recall", "safety_verbatim", "language_match", "attack_success", "failed"),
    *("recall@1", "recall@3", "recall@5", "recall@10", "mrr", "ndcg@10"),
    *("first_token_p50_ms", "first_token_p95_ms", "total_p50_ms", "total_p95_ms"),
)
SLICED = ("correct", "exact_page", "recall@5", "literal_error", "refusal_recall", "safety_recall")
COMPARED = tuple(metric for metric in METRICS if metric.unit != "ms")


@dataclass(frozen=True, slots=True)
class Changed:
    """A metric before and after; `verdict` is 'better', 'worse' or 'same' (no significant difference)."""

    metric: Metric
    difference: Difference
    verdict: str


@dataclass(frozen=True, slots=True)
class Report:
    """All contents of a report.

    Attributes:
        verdicts: of the gate; empty when none was asked for.
        changes: Lineside against its baseline run; empty without one.
        baseline: id of the baseline run, empty without one.
        failed: Lineside's cases with something wrong, wrong outcomes first.
    """

    run: ScoredRun
    figures: Mapping[tuple[System, str, tuple[str, str]], Figure]
    verdicts: Sequence[Verdict]
    changes: Sequence[Changed]
    baseline: str
    failed: Sequence[Scored]
    failed_triage: Sequence[ScoredTriage]
    calibration: Calibration

    @property
    def systems(self) -> tuple[System, ...]:
        """Systems with results."""
        return self.run.systems

    @property
    def incomplete(self) -> str:
        """A sentence when cases are missing, else empty."""
        short = [
            f"{LABELS[system]} {len(self.run.of(system))}"
            for system in self.systems
            if len(self.run.of(system)) < self.run.asked
        ]
        return f"This run is not complete: of {self.run.asked} questions {', '.join(short)}." if short else ""

    def figure(self, system: System, metric: str, key: tuple[str, str] = ALL) -> Figure | None:
        """A figure, or None where nothing was measured."""
        return self.figures.get((system, metric, key))

    def is_gold(self, case: Case, hit: RetrievedPages) -> bool:
        """Whether a hit meets a gold group of its case."""
        return bool(recall_at(case.gold, (hit,), 1))

    def values_of(self, dimension: str) -> list[tuple[str, str]]:
        """The slices of a dimension that hold questions, in order of appearance."""
        return [
            key
            for system, metric, key in self.figures
            if (system, metric, key[0]) == ("lineside", "correct", dimension)
        ]


def collect(
    run: ScoredRun,
    figures: Sequence[Figure],
    verdicts: Sequence[Verdict] = (),
    baseline: ScoredRun | None = None,
) -> Report:
    """Gathers what a report shows.

    Args:
        run: the run.
        figures: of the run, from Aggregator.figures.
        verdicts: of the gate.
        baseline: an earlier run on the same cases.
    """
    wrong = [item for item in run.of("lineside") if item.reasons]
    return Report(
        run=run,
        figures={(figure.system, figure.metric.name, figure.slice): figure for figure in figures},
        verdicts=verdicts,
        changes=_changes(baseline, run) if baseline else (),
        baseline=baseline.run.id if baseline else "",
        failed=sorted(wrong, key=lambda item: item.values["correct"] or 0.0),
        failed_triage=[item for item in run.triage if item.reasons],
        calibration=read_calibration(),
    )


def text_of(figure: Figure | None, *, interval: bool = True) -> str:
    """A figure as people read it: '71.4 % (64.0–77.9), n = 130'; '–' when nothing was measured."""
    if figure is None:
        return "–"
    text = shown(figure.metric, figure.value)
    if interval and figure.interval:
        text += f" ({figure.interval.low * 100:.1f}–{figure.interval.high * 100:.1f})"
    return f"{text}, n = {figure.n}"


def change_text(change: Changed) -> str:
    """A change as people read it: '-3.1 points (-5.0 to -1.2), p = 0.004, n = 120'."""
    difference = change.difference
    low, high = difference.interval.low * 100, difference.interval.high * 100
    return (
        f"{difference.mean * 100:+.1f} points ({low:+.1f} to {high:+.1f}),"
        f" p = {difference.p_value:.3f}, n = {difference.n}"
    )


def _changes(before: ScoredRun, after: ScoredRun) -> list[Changed]:
    changed = []
    for metric in COMPARED:
        difference = compare(before, after, metric.name)
        if difference is not None:
            changed.append(Changed(metric, difference, _judged(metric, difference)))
    return changed


def _judged(metric: Metric, difference: Difference) -> str:
    low, high = difference.interval.low, difference.interval.high
    if low <= 0 <= high:
        return "same"
    return "better" if (low > 0) == (metric.better == "higher") else "worse"
