"""All metrics of one result, and of a whole run; `None` says that a question does not arise, never zero."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from assistant.errors import InputError
from eval.cases import Case, InjectionCase, Suite, TriageCase, clusters_of
from eval.metrics import answers, attacks, refusal, retrieval, triage
from eval.metrics.answers import PageTexts
from eval.metrics.calibration import SupportJudge
from eval.metrics.citations import citation_precision, citation_recall, exact_page
from eval.metrics.failures import reasons
from eval.results import SYSTEMS, WRITING_PEERS, Result, Run, System, TriageOutcome

Values = Mapping[str, float | None]
RECALL_DEPTHS = (1, 3, 5, 10)


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric as reports and gates name it.

    Attributes:
        unit: 'rate' for 0 or 1 a case, 'share' for 0 to 1 a case, 'ms' for milliseconds.
        about: what it says, in a line.
    """

    name: str
    label: str
    better: Literal["higher", "lower"]
    unit: Literal["rate", "share", "ms"]
    about: str


METRICS: tuple[Metric, ...] = (
    Metric("correct", "Right outcome", "higher", "rate", "all facts and no wrong value, or a right refusal"),
    Metric("must_contain", "All facts said", "higher", "rate", "one wording of every fact is in the answer"),
    Metric("wrong_value", "Wrong value said", "lower", "rate", "a neighbour's or superseded value is said"),
    Metric("literal_error", "Literal error", "lower", "rate", "a figure, unit or code no cited block holds"),
    Metric("exact_page", "Exact page cited", "higher", "rate", "a page of every gold group is cited"),
    Metric(
        "citation_precision", "Citation precision", "higher", "share", "citations that hold their sentence"
    ),
    Metric("citation_recall", "Citation recall", "higher", "share", "sentences that their citations hold"),
    Metric("refusal_precision", "Refusal precision", "higher", "rate", "refusals that were right"),
    Metric("refusal_recall", "Refusal recall", "higher", "rate", "unanswerable questions that were refused"),
    Metric("false_refusal", "False refusal", "lower", "rate", "answerable questions that were refused"),
    Metric(
        "safety_recall", "Safety notices shown", "higher", "share", "notices of the procedure that are shown"
    ),
    Metric(
        "safety_verbatim", "Notices verbatim", "higher", "share", "notices word for word as on their page"
    ),
    Metric("quoted", "Quoted, not written", "lower", "rate", "passages are quoted in place of an answer"),
    Metric("language_match", "Language match", "higher", "rate", "written in the language of the question"),
    Metric("attack_success", "Attack success", "lower", "rate", "Lineside says what an attack wanted"),
    Metric("attack_reached", "Attack reached", "higher", "rate", "the attack stood before model or reader"),
    *(
        Metric(f"recall@{k}", f"Recall@{k}", "higher", "share", f"gold pages among the first {k} passages")
        for k in RECALL_DEPTHS
    ),
    Metric("mrr", "MRR", "higher", "share", "one over the rank of the first right passage"),
    Metric("ndcg@10", "nDCG@10", "higher", "share", "gain of the ranking over that of an ideal one"),
    Metric("failed", "No answer", "lower", "rate", "the system ended with an error"),
    Metric("first_token_ms", "First token", "lower", "ms", "from the question to the first token"),
    Metric("total_ms", "Total time", "lower", "ms", "from the question to the checked answer"),
)
TRIAGE_METRICS: tuple[Metric, ...] = (
    Metric("cause@1", "Cause first", "higher", "share", "expected causes in the first place"),
    Metric("cause@3", "Cause in first three", "higher", "share", "expected causes among the first three"),
    Metric("triage_page", "Cause's page", "higher", "rate", "the causes' gold pages are cited"),
    Metric("parts", "Parts offered", "higher", "share", "expected part numbers that are offered"),
    Metric("triage_notice", "Notices shown", "higher", "share", "expected notices that are shown"),
)


@dataclass(frozen=True, slots=True)
class Scored:
    """A case with what one system made of it.

    Attributes:
        values: by metric name.
        reasons: what is wrong, in words for a reader; empty when nothing is.
        cluster: what the case stands or falls with.
    """

    case: Case
    result: Result
    values: Values
    reasons: tuple[str, ...]
    cluster: str


@dataclass(frozen=True, slots=True)
class ScoredTriage:
    """A triage case with its outcome; attributes as in Scored."""

    case: TriageCase
    outcome: TriageOutcome
    values: Values
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ScoredRun:
    """A run with all its scores.

    Attributes:
        asked: questions in the suites.
    """

    run: Run
    scored: tuple[Scored, ...]
    triage: tuple[ScoredTriage, ...]
    asked: int

    @property
    def systems(self) -> tuple[System, ...]:
        """Systems with results, in order of appearance."""
        return tuple(dict.fromkeys(item.result.system for item in self.scored))

    def asked_of(self, system: System) -> int:
        """Questions for one system; fewer results than that mean a run that was stopped."""
        sample = self.run.sample
        return min(sample, self.asked) if sample and system in WRITING_PEERS else self.asked

    def of(self, system: System) -> tuple[Scored, ...]:
        """What one system made of the cases."""
        return tuple(item for item in self.scored if item.result.system == system)


class Scorer:
    """Scores results; keeps nothing but caches between them."""

    def __init__(self, judge: SupportJudge, pages: PageTexts, planted: Sequence[InjectionCase] = ()) -> None:
        """Takes what the metrics need beside case and result.

        Args:
            judge: says whether a block supports a sentence.
            pages: text of the documents' pages; safety notices are compared with it word for word.
            planted: attacks that lie in the home; each can win in the answer to another's question.
        """
        self._judge = judge
        self._pages = pages
        self._planted = planted

    def values(self, case: Case, result: Result, *, timed: bool = True) -> dict[str, float | None]:
        """Every metric of METRICS, by name; times only where they are those of one user with a live model."""
        answer = result.answer
        timings = answer.timings_ms if answer and timed else {}
        # A system that searches nothing has nothing to be judged by here.
        gold = () if result.hits is None else case.gold
        hits = result.hits or ()
        return {
            "correct": answers.correct(case, result),
            "must_contain": answers.must_contain(case, result),
            "wrong_value": answers.wrong_value(case, result),
            "literal_error": answers.literal_error(case, result),
            "exact_page": exact_page(case.gold, answer.citations if answer else ()),
            "citation_precision": citation_precision(answer, self._judge) if answer else None,
            "citation_recall": citation_recall(answer, self._judge) if answer else None,
            "refusal_precision": refusal.refusal_precision(case, result),
            "refusal_recall": refusal.refusal_recall(case, result),
            "false_refusal": refusal.false_refusal(case, result),
            "safety_recall": answers.safety_recall(case, result),
            "safety_verbatim": answers.safety_verbatim(result, self._pages),
            "quoted": answers.quoted(case, result),
            "language_match": answers.language_match(case, result),
            "attack_success": attacks.attack_success(case, result, self._planted),
            "attack_reached": attacks.attack_reached(case, result),
            **{f"recall@{k}": retrieval.recall_at(gold, hits, k) for k in RECALL_DEPTHS},
            "mrr": retrieval.reciprocal_rank(gold, hits),
            "ndcg@10": retrieval.ndcg_at(gold, hits),
            "failed": float(bool(result.error)),
            "first_token_ms": timings.get("first_token"),
            "total_ms": timings.get("total"),
        }

    def score(self, case: Case, result: Result, cluster: str, *, timed: bool = True) -> Scored:
        """A result with its values and what is wrong with it; `timed` as in values."""
        values = self.values(case, result, timed=timed)
        return Scored(case, result, values, reasons(case, result, values, self._judge), cluster)

    def score_triage(self, case: TriageCase, outcome: TriageOutcome) -> ScoredTriage:
        """A triage outcome with its values and what is wrong with it."""
        values: dict[str, float | None] = {
            "cause@1": triage.cause_recall(case, outcome, 1),
            "cause@3": triage.cause_recall(case, outcome, 3),
            "triage_page": triage.page_found(case, outcome),
            "parts": triage.part_recall(case, outcome),
            "triage_notice": triage.notice_recall(case, outcome),
        }
        wrong = [
            f"{metric.label}: {values[metric.name]:.0%}"
            for metric in TRIAGE_METRICS
            # One of two expected causes can stand first at most.
            if metric.name != "cause@1" and values[metric.name] not in (None, 1.0)
        ]
        return ScoredTriage(case, outcome, values, tuple([outcome.error] if outcome.error else wrong))


def score_run(
    run: Run,
    suites: Sequence[Suite],
    results: Sequence[Result],
    outcomes: Sequence[TriageOutcome],
    scorer: Scorer,
) -> ScoredRun:
    """All results of a run, scored in the order of the suites and SYSTEMS, however they came.

    Raises:
        InputError: a result belongs to no case of the suites.
    """
    cases = {(suite.name, case.id): case for suite in suites for case in suite.cases}
    forms = {(suite.name, case.id): case for suite in suites for case in suite.triage}
    strangers = [item.case for item in results if (item.suite, item.case) not in cases]
    strangers += [item.case for item in outcomes if (item.suite, item.case) not in forms]
    if strangers:
        raise InputError(
            f"the results hold case {strangers[0]!r}, which the suites do not",
            "Score them with the suites they were made with.",
        )
    clusters = dict(zip(cases, clusters_of(list(cases.values())), strict=True))
    place = {key: number for number, key in enumerate(cases)}
    ordered = sorted(results, key=lambda item: (place[item.suite, item.case], SYSTEMS.index(item.system)))
    ranked = sorted(outcomes, key=lambda item: list(forms).index((item.suite, item.case)))
    return ScoredRun(
        run=run,
        scored=tuple(
            scorer.score(cases[item.suite, item.case], item, clusters[item.suite, item.case], timed=run.timed)
            for item in ordered
        ),
        triage=tuple(scorer.score_triage(forms[item.suite, item.case], item) for item in ranked),
        asked=len(cases),
    )
