"""The gate: what became of each rule in a run (the rules themselves: eval/rules.py).

A clause that finds nothing to measure fails: a gate that measures nothing must not pass in silence. And what
a replay quotes because no output was recorded is not what is measured, so a replay has to be complete.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from eval.metrics.aggregate import ALL, BY_NAME, Figure, slices_of
from eval.metrics.score import Metric, ScoredRun
from eval.results import System
from eval.rules import Gate, Limit, NoWorse, shown
from eval.statistics import Difference, Interval, paired_difference

GATED: System = "lineside"
# Cases named in one sentence.
NAMED_CASES = 8


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of one clause.

    Attributes:
        value: the figure, or for a comparison the difference to the baseline; None when nothing was measured.
        limit: what it must keep.
        skipped: the clause did not apply to this run; it then counts as passed.
        sentence: all of it in plain words.
    """

    metric: str
    slice: tuple[str, str]
    passed: bool
    skipped: bool
    value: float | None
    interval: Interval | None
    n: int
    limit: float
    sentence: str


@dataclass(frozen=True, slots=True)
class GoalState:
    """Where a goal stands.

    Attributes:
        met: None when nothing was measured.
        sentence: all of it in plain words.
    """

    metric: str
    slice: tuple[str, str]
    met: bool | None
    sentence: str


def check(run: ScoredRun, baseline: ScoredRun | None, gate: Gate, figures: Sequence[Figure]) -> list[Verdict]:
    """Every clause's verdict, in the order of the gate file; whether a replay was complete comes first.

    Args:
        run: the run to be judged.
        baseline: an earlier run on the same cases; without one the comparisons are skipped and say so.
        gate: the clauses.
        figures: of the run, from Aggregator.figures.
    """
    known = _gated(figures)
    recorded = [_recorded(run, gate.unrecorded_at_most)] if run.run.replayed else []
    limits = [_keeps(limit, known.get((limit.metric, _key(limit.slice))), run) for limit in gate.limits]
    return recorded + limits + [_compares(clause, run, baseline) for clause in gate.no_worse]


def goal_states(gate: Gate, figures: Sequence[Figure]) -> list[GoalState]:
    """Where each goal of a gate file stands, in its order.

    Args:
        gate: the goals.
        figures: of a run, from Aggregator.figures.
    """
    known = _gated(figures)
    states = []
    for goal in gate.goals:
        key = _key(goal.slice)
        name, figure = _named(BY_NAME[goal.metric], key), known.get((goal.metric, key))
        if figure is None:
            states.append(
                GoalState(
                    goal.metric, key, None, f"{name}: not measured; the goal is {goal.demand}: {goal.why}"
                )
            )
            continue
        sentence = f"{name} is {_measured(figure)}; the goal is {goal.demand}: {goal.why}"
        states.append(GoalState(goal.metric, key, goal.holds(figure.value), sentence))
    return states


def _gated(figures: Sequence[Figure]) -> dict[tuple[str, tuple[str, str]], Figure]:
    return {(figure.metric.name, figure.slice): figure for figure in figures if figure.system == GATED}


def _recorded(run: ScoredRun, allowed: int) -> Verdict:
    missing = [item.case.id for item in run.scored if item.result.unrecorded]
    asked = len(run.scored)
    if not missing:
        sentence = f"Every output that the {asked} questions asked for was recorded"
        return Verdict("unrecorded", ALL, True, False, 0.0, None, asked, allowed, sentence)
    cases = list(dict.fromkeys(missing))
    named = ", ".join(cases[:NAMED_CASES]) + (" …" if len(cases) > NAMED_CASES else "")
    sentence = (
        f"{len(missing)} of {asked} prompts were never recorded with this code: run make record ({named});"
        f" a replay may lack {allowed} at most, since what it then quotes is not what is measured"
    )
    passed = len(missing) <= allowed
    return Verdict("unrecorded", ALL, passed, False, float(len(missing)), None, asked, allowed, sentence)


def _keeps(limit: Limit, figure: Figure | None, run: ScoredRun) -> Verdict:
    metric, key, bound = BY_NAME[limit.metric], _key(limit.slice), limit.value
    if limit.live_only and not run.run.timed:
        sentence = f"{_named(metric, key)} is not judged: replayed outputs or several questions at once"
        return Verdict(limit.metric, key, True, True, None, None, 0, bound, sentence)
    if figure is None:
        sentence = (
            f"{_named(metric, key)} could not be measured: the run holds no case for it ({limit.demand})"
        )
        return Verdict(limit.metric, key, False, False, None, None, 0, bound, sentence)
    measured = f"{_named(metric, key)} is {_measured(figure)}"
    sentence = f"{measured}; must be {limit.demand}{limit.origin}: {limit.why}"
    passed = limit.holds(figure.value)
    return Verdict(limit.metric, key, passed, False, figure.value, figure.interval, figure.n, bound, sentence)


def _compares(clause: NoWorse, run: ScoredRun, baseline: ScoredRun | None) -> Verdict:
    metric, key = BY_NAME[clause.metric], _key(clause.slice)
    if baseline is None:
        sentence = f"{_named(metric, key)} is not compared: no baseline run was given"
        return Verdict(clause.metric, key, True, True, None, None, 0, clause.margin, sentence)
    difference = compare(baseline, run, clause.metric, key)
    if difference is None:
        sentence = f"{_named(metric, key)} cannot be compared: the two runs share no case for it"
        return Verdict(clause.metric, key, False, False, None, None, 0, clause.margin, sentence)
    low, high = difference.interval.low, difference.interval.high
    worse = high < -clause.margin if metric.better == "higher" else low > clause.margin
    beyond = f" by more than {shown(metric, clause.margin)}" if clause.margin else ""
    sentence = (
        f"{_named(metric, key)} changed by {_signed(metric, difference.mean)}"
        f" ({_signed(metric, low)} to {_signed(metric, high)}, p = {difference.p_value:.3f},"
        f" n = {difference.n}) against the baseline; must not be significantly worse{beyond}: {clause.why}"
    )
    return Verdict(
        clause.metric,
        key,
        not worse,
        False,
        difference.mean,
        difference.interval,
        difference.n,
        clause.margin,
        sentence,
    )


def compare(
    before: ScoredRun, after: ScoredRun, metric: str, key: tuple[str, str] = ALL, peer: System = GATED
) -> Difference | None:
    """Lineside in the second run minus the first on the cases of a slice that both have; None without any.

    Args:
        before: holds what is compared with.
        after: holds Lineside's results.
        metric: of single cases.
        key: the slice.
        peer: whose results of the first run; the same run given twice compares Lineside with a peer.
    """
    earlier = {(item.result.suite, item.case.id): item for item in before.of(peer)}
    pairs = [
        (earlier[item.result.suite, item.case.id], item)
        for item in after.of(GATED)
        if (item.result.suite, item.case.id) in earlier and key in slices_of(item)
    ]
    return paired_difference(
        [first.values[metric] for first, _ in pairs],
        [second.values[metric] for _, second in pairs],
        [second.cluster for _, second in pairs],
    )


def _key(chosen: Mapping[str, str]) -> tuple[str, str]:
    return next(iter(chosen.items()), ALL)


def _named(metric: Metric, key: tuple[str, str]) -> str:
    return f"{metric.label} ({metric.name})" + (f" on {key[0]} {key[1]}" if key != ALL else "")


def _measured(figure: Figure) -> str:
    return f"{shown(figure.metric, figure.value)}{_spread(figure.metric, figure.interval)}, n = {figure.n}"


def _spread(metric: Metric, interval: Interval | None) -> str:
    return f" ({shown(metric, interval.low)} to {shown(metric, interval.high)})" if interval else ""


def _signed(metric: Metric, value: float) -> str:
    return f"{value:+,.0f} ms" if metric.unit == "ms" else f"{value * 100:+.1f} points"
