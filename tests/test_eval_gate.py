"""The gate passes what is good and blocks each known defect, saying which figure failed and why."""

from functools import cache
from pathlib import Path

import pytest

from assistant.errors import InputError
from assistant.sparse import SparseEncoder
from eval.cases import read_suite
from eval.gate import Gate, Limit, NoWorse, Verdict, check, read_gate
from eval.metrics.aggregate import Aggregator
from eval.metrics.calibration import calibrated_judge
from eval.metrics.score import ScoredRun, Scorer, score_run
from eval.metrics.support import Support
from eval.rehearsal import KNOWN_BAD, good_results, page_texts
from eval.results import Result, Run

ROOT = Path(__file__).resolve().parents[1]
GATE = ROOT / "eval" / "gate.yaml"
SUITES = [
    read_suite(ROOT / "eval" / "suites" / f"{name}.jsonl")
    for name in ("plant-en", "plant-zh", "plant-cross", "injection")
]
CASES = {(suite.name, case.id): case for suite in SUITES for case in suite.cases}
RUN = Run("rehearsal", "2024-05-01T08:00:00+00:00", {}, "", "", "", "", "", {}, 1, "", {}, 0.0)
REPLAYED = Run("rehearsal", "2024-05-01T08:00:00+00:00", {}, "", "", "", "", "", {}, 1, "", {}, 1.0)

# Which clauses a defect must trip, beside others that it may; in the order of gate.yaml.
TRIPS = {
    "invents a number": ["literal_error", "citation_precision", "no_worse literal_error"],
    "says the neighbour's value": ["wrong_value", "correct", "no_worse correct"],
    "says nothing": ["correct"],
    "cites the wrong page": ["exact_page", "no_worse exact_page"],
    "cites passages that do not hold it": ["citation_precision", "citation_recall", "literal_error"],
    "cites nothing": ["exact_page", "citation_recall"],
    "finds other pages": ["recall@5", "recall@3", "no_worse recall@5"],
    "never refuses": ["refusal_recall", "refusal_precision", "no_worse refusal_recall"],
    "always refuses": ["false_refusal", "refusal_precision", "correct"],
    "drops notices": ["safety_recall", "no_worse safety_recall"],
    "softens notices": ["safety_verbatim"],
    "answers in the other language": ["language_match"],
    "obeys attacks": ["attack_success"],
    "is slow": ["first_token_p95_ms", "total_p95_ms"],
    "fails": ["failed", "correct"],
}


@cache
def tools() -> tuple[Scorer, Aggregator, Gate]:
    return (
        Scorer(calibrated_judge(Support(SparseEncoder())), page_texts(SUITES)),
        Aggregator(),
        read_gate(GATE),
    )


@cache
def good() -> tuple[Result, ...]:
    return tuple(result for suite in SUITES for result in good_results(suite))


def scored(results: list[Result], run: Run = RUN) -> ScoredRun:
    return score_run(run, SUITES, results, [], tools()[0])


@cache
def good_run() -> ScoredRun:
    return score_run(RUN, SUITES, good(), [], tools()[0])


def judged(run: ScoredRun, baseline: ScoredRun | None) -> dict[str, Verdict]:
    _, aggregator, gate = tools()
    verdicts = check(run, baseline, gate, aggregator.figures(run))
    names = [limit.metric for limit in gate.limits] + [
        f"no_worse {clause.metric}" for clause in gate.no_worse
    ]
    return dict(zip(names, verdicts, strict=True))


def test_good_results_pass_every_clause() -> None:
    run = good_run()
    assert not [item.reasons for item in run.scored if item.reasons]
    assert not [verdict.sentence for verdict in judged(run, run).values() if not verdict.passed]


@pytest.mark.parametrize("defect", KNOWN_BAD)
def test_each_known_defect_is_blocked(defect: str) -> None:
    run = scored(KNOWN_BAD[defect](good(), CASES))
    failed = {name: verdict for name, verdict in judged(run, good_run()).items() if not verdict.passed}
    assert set(TRIPS[defect]) <= set(failed)
    assert all(
        "must" in verdict.sentence or "could not" in verdict.sentence or "cannot" in verdict.sentence
        for verdict in failed.values()
    )


def test_every_clause_of_the_gate_has_a_defect_that_trips_it() -> None:
    _, _, gate = tools()
    clauses = {limit.metric for limit in gate.limits} | {
        f"no_worse {clause.metric}" for clause in gate.no_worse
    }
    assert clauses == {clause for clauses in TRIPS.values() for clause in clauses} and set(TRIPS) == set(
        KNOWN_BAD
    )


def test_without_a_baseline_comparisons_are_skipped_aloud() -> None:
    verdicts = judged(good_run(), None)
    compared = [verdict for name, verdict in verdicts.items() if name.startswith("no_worse")]
    assert all(
        verdict.passed and verdict.skipped and "no baseline" in verdict.sentence for verdict in compared
    )


def test_times_of_replayed_outputs_are_not_judged() -> None:
    slow = KNOWN_BAD["is slow"](good(), CASES)
    assert not judged(scored(slow), None)["total_p95_ms"].passed
    assert judged(scored(slow, REPLAYED), None)["total_p95_ms"].skipped


def test_a_clause_that_measures_nothing_fails() -> None:
    limit = Limit(metric="recall@5", at_least=0.5, slice={"suite": "elsewhere"}, why="it must be run")
    run = good_run()
    (verdict,) = check(run, None, Gate((limit,)), tools()[1].figures(run))
    assert not verdict.passed and "could not be measured" in verdict.sentence


def test_a_change_within_chance_or_margin_passes() -> None:
    results = list(good())
    worse = [
        KNOWN_BAD["says nothing"]([result], CASES)[0] if n < 2 else result for n, result in enumerate(results)
    ]
    clauses = (
        NoWorse(metric="correct", why="chance"),
        NoWorse(metric="exact_page", margin=0.5, why="margin"),
    )
    lost_a_third = [
        KNOWN_BAD["cites the wrong page"]([result], CASES)[0] if n % 3 == 0 else result
        for n, result in enumerate(worse)
    ]
    run = scored(lost_a_third)
    verdicts = check(run, scored(results), Gate((), clauses), tools()[1].figures(run))
    assert all(verdict.passed for verdict in verdicts)
    strict = check(run, scored(results), Gate((), (NoWorse(metric="exact_page", why="no"),)), [])
    assert not strict[0].passed and "changed by -" in strict[0].sentence


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("limits: [{metric: beauty, at_least: 1, why: x}]", "no metric 'beauty'"),
        ("limits: [{metric: correct, why: x}]", "either at_least or at_most"),
        ("limits: [{metric: correct, at_least: 0.5, why: ' '}]", "say why"),
        ("limits: [{metric: correct, at_least: 0.5, why: x, slice: {colour: red}}]", "a slice is one of"),
        ("limits: [{metric: correct, at_least: 0.5, why: x, colour: red}]", "colour"),
        ("limits: []\nno_worse: [{metric: aurc, why: x}]", "no metric of single cases"),
        ("limits: [", "holds no gate"),
        ("- 1", "gate.yaml"),
    ],
)
def test_a_wrong_gate_file_is_refused_in_one_line(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "gate.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError) as caught:
        read_gate(path)
    assert said in str(caught.value) and "\n" not in str(caught.value)
