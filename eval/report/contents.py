"""What a report shows, drawn from the scores and figures of a run; HTML and Markdown render the same."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from eval.cases import Case
from eval.gate import GATED, GoalState, Verdict, compare
from eval.metrics.aggregate import ALL, Figure
from eval.metrics.calibration import Calibration, read_calibration
from eval.metrics.retrieval import recall_at
from eval.metrics.score import METRICS, Metric, Scored, ScoredRun, ScoredTriage
from eval.results import WRITING_PEERS, RetrievedPages, System
from eval.rules import shown
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
    *(
        "safety_recall",
        "safety_verbatim",
        "language_match",
        "quoted",
        "attack_success",
        "attack_reached",
        "failed",
    ),
    *("recall@1", "recall@3", "recall@5", "recall@10", "mrr", "ndcg@10"),
    *("first_token_p50_ms", "first_token_p95_ms", "total_p50_ms", "total_p95_ms"),
)
SLICED = ("correct", "exact_page", "recall@5", "literal_error", "refusal_recall", "safety_recall")
ATTACKED = ("attack_reached", "attack_success", "correct")
COMPARED = tuple(metric for metric in METRICS if metric.unit != "ms")
PAIRED = tuple(
    metric
    for metric in METRICS
    if metric.name
    in {"correct", "exact_page", "literal_error", "refusal_recall", "false_refusal", "safety_recall"}
)


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
        goals: of the gate file, met or not.
        against: Lineside against each peer on the questions that both were asked.
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
    goals: Sequence[GoalState] = ()
    against: Mapping[System, Sequence[Changed]] = field(default_factory=dict)

    @property
    def systems(self) -> tuple[System, ...]:
        """Systems with results."""
        return self.run.systems

    @property
    def incomplete(self) -> str:
        """A sentence when cases are missing, else empty."""
        counts = [(system, len(self.run.of(system)), self.run.asked_of(system)) for system in self.systems]
        short = [f"{LABELS[system]} {held} of {asked}" for system, held, asked in counts if held < asked]
        return f"This run is not complete: {', '.join(short)} questions." if short else ""

    @property
    def unrecorded(self) -> str:
        """A sentence when a replay had no output for some questions, else empty."""
        missing = [item.case.id for item in self.run.scored if item.result.unrecorded]
        if not missing:
            return ""
        return (
            f"No output was recorded for {len(missing)} of {len(self.run.scored)} answers, so these figures"
            f" are not those of the model: {', '.join(dict.fromkeys(missing))}."
        )

    @property
    def sampled(self) -> str:
        """A sentence when some peers were asked a sample only, else empty."""
        sample = self.run.run.sample
        names = [LABELS[system] for system in self.systems if system in WRITING_PEERS]
        if not sample or not names or sample >= self.run.asked:
            return ""
        return (
            f"{' and '.join(names)} were asked a sample of {sample} questions, drawn with seed"
            f" {self.run.run.seed}; compare them with Lineside in the table of paired differences."
        )

    @property
    def time_note(self) -> str:
        """Why there are no times, or empty when they are those of one user."""
        run = self.run.run
        if run.replayed:
            return "Times do not apply: outputs were replayed."
        return (
            f"Times do not apply: {run.at_once} questions were in flight together." if run.at_once > 1 else ""
        )

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
    goals: Sequence[GoalState] = (),
) -> Report:
    """Gathers what a report shows.

    Args:
        run: the run.
        figures: of the run, from Aggregator.figures.
        verdicts: of the gate.
        baseline: an earlier run on the same cases.
        goals: of the gate file.
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
        goals=goals,
        against={
            system: _changes(run, run, PAIRED, system)
            for system in run.systems
            if system != GATED and GATED in run.systems
        },
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


def harness_text(share: float) -> str:
    """What the harness took of the run's time, before this report was written."""
    return (
        f"Keeping the results took {share * 100:.2f} % of the run's time; the rest was spent in the systems."
    )


def _changes(
    before: ScoredRun, after: ScoredRun, metrics: Sequence[Metric] = COMPARED, peer: System = GATED
) -> list[Changed]:
    changed = []
    for metric in metrics:
        difference = compare(before, after, metric.name, peer=peer)
        if difference is not None:
            changed.append(Changed(metric, difference, _judged(metric, difference)))
    return changed


def _judged(metric: Metric, difference: Difference) -> str:
    low, high = difference.interval.low, difference.interval.high
    if low <= 0 <= high:
        return "same"
    return "better" if (low > 0) == (metric.better == "higher") else "worse"
