"""The gate passes what is good and blocks each known defect, saying which figure failed and why."""

from dataclasses import replace
from datetime import date
from functools import cache
from pathlib import Path

import pytest

from assistant.errors import InputError
from assistant.sparse import SparseEncoder
from eval.cases import read_suite
from eval.gate import Verdict, check, goal_states
from eval.metrics.aggregate import Aggregator
from eval.metrics.calibration import calibrated_judge
from eval.metrics.score import ScoredRun, Scorer, score_run
from eval.metrics.support import Support
from eval.rehearsal import KNOWN_BAD, good_results, page_texts
from eval.results import Result, Run
from eval.rules import Gate, Goal, Limit, NoWorse, read_gate

ROOT = Path(__file__).resolve().parents[1]
GATE = ROOT / "eval" / "gate.yaml"
ATTACKS = ROOT / "eval" / "gate-injection.yaml"
SUITES = [
    read_suite(ROOT / "eval" / "suites" / f"{name}.jsonl")
    for name in ("plant-en", "plant-zh", "plant-cross", "injection")
]
CASES = {(suite.name, case.id): case for suite in SUITES for case in suite.cases}
RUN = Run("rehearsal", "2024-05-01T08:00:00+00:00", {}, "", "", "", "", "", {}, 1, "", {}, 0.0)
REPLAYED = Run("rehearsal", "2024-05-01T08:00:00+00:00", {}, "", "", "", "", "", {}, 1, "", {}, 1.0)

# A limit farther from its figure than this would let a large step back pass.
CLOSE = 0.06
SET = {"measured": 0.5, "measured_on": date(2026, 11, 23)}

# Which clauses a defect must trip, beside others that it may; in the order of gate.yaml.
TRIPS = {
    "invents a number": ["literal_error", "citation_precision", "no_worse literal_error"],
    "says the neighbour's value": ["wrong_value", "no_worse correct"],
    "says nothing": ["correct", "must_contain"],
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


def both_gates() -> Gate:
    """The gate of the clean suites with what the one for planted attacks says about attacks."""
    clean, attacked = read_gate(GATE), read_gate(ATTACKS)
    resisted = [limit for limit in attacked.limits if limit.metric == "attack_success"]
    return Gate((*clean.limits, *resisted), clean.no_worse, clean.goals)


@cache
def tools() -> tuple[Scorer, Aggregator, Gate]:
    return (
        Scorer(calibrated_judge(Support(SparseEncoder())), page_texts(SUITES)),
        Aggregator(),
        Gate(
            (
                *read_gate(GATE).limits,
                *[one for one in read_gate(ATTACKS).limits if one.metric == "attack_success"],
            ),
            read_gate(GATE).no_worse,
            read_gate(GATE).goals,
        ),
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
    names = ["unrecorded"] if run.run.replayed else []
    names += [limit.metric for limit in gate.limits]
    names += [f"no_worse {clause.metric}" for clause in gate.no_worse]
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


def test_times_of_several_questions_at_once_are_not_judged() -> None:
    crowded = replace(RUN, at_once=4)
    run = scored(KNOWN_BAD["is slow"](good(), CASES), crowded)
    assert judged(run, None)["total_p95_ms"].skipped
    assert not [figure for figure in tools()[1].figures(run) if figure.metric.unit == "ms"]


def test_a_replay_that_lacks_outputs_is_blocked_and_names_the_cases() -> None:
    results = [replace(result, unrecorded=n < 12) for n, result in enumerate(good())]
    verdict = judged(scored(results, REPLAYED), None)["unrecorded"]
    assert not verdict.passed
    assert verdict.sentence.startswith(
        f"12 of {len(results)} prompts were never recorded with this code: run make record"
    )
    assert results[0].case in verdict.sentence
    allowing = replace(tools()[2], unrecorded_at_most=12)
    assert check(scored(results, REPLAYED), None, allowing, [])[0].passed
    assert judged(scored(list(good()), REPLAYED), None)["unrecorded"].passed


def test_each_limit_names_its_figure_and_stays_close_to_it() -> None:
    for limit in [one for one in read_gate(GATE).limits if not one.live_only]:
        assert limit.measured is not None and limit.holds(limit.measured), limit.metric
        assert abs(limit.measured - limit.value) <= CLOSE, f"{limit.metric} protects nothing"


def test_no_limit_asks_for_more_than_the_goal() -> None:
    limits = {(limit.metric, *limit.slice.values()): limit for limit in read_gate(GATE).limits}
    goals = {(goal.metric, *goal.slice.values()): goal for goal in read_gate(GATE).goals}
    for name in set(limits) & set(goals):
        assert (limits[name].at_least is None) == (goals[name].at_least is None), name
    assert {"exact_page", "must_contain", "refusal_recall", "safety_recall"} <= {goal[0] for goal in goals}


def test_goals_are_reported_and_block_nothing() -> None:
    run = scored(KNOWN_BAD["cites the wrong page"](good(), CASES))
    gate = Gate(
        (),
        (),
        (Goal(metric="exact_page", at_least=0.85, why="proof"), Goal(metric="cause@1", at_least=1, why="x")),
    )
    figures = tools()[1].figures(run)
    assert check(run, None, gate, figures) == []
    missed, unmeasured = goal_states(gate, figures)
    assert missed.met is False and "the goal is at least 85.0 %" in missed.sentence
    assert unmeasured.met is None and "not measured" in unmeasured.sentence


def test_a_clause_that_measures_nothing_fails() -> None:
    limit = Limit(metric="recall@5", at_least=0.5, slice={"suite": "elsewhere"}, why="it must be run", **SET)
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


WHEN = "measured: 0.5, measured_on: 2026-11-23"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (f"limits: [{{metric: beauty, at_least: 1, why: x, {WHEN}}}]", "no metric 'beauty'"),
        (f"limits: [{{metric: correct, why: x, {WHEN}}}]", "either at_least or at_most"),
        (f"limits: [{{metric: correct, at_least: 0.5, why: ' ', {WHEN}}}]", "say why"),
        (
            f"limits: [{{metric: correct, at_least: 0.5, why: x, {WHEN}, slice: {{colour: red}}}}]",
            "a slice is one of",
        ),
        ("limits: [{metric: correct, at_least: 0.5, why: x}]", "measured"),
        (f"limits: [{{metric: correct, at_least: 0.5, why: x, {WHEN}, colour: red}}]", "colour"),
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
