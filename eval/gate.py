"""The gate: limits that a run must keep, and figures that must not get significantly worse.

A gate file (eval/gate.yaml) has two lists. `limits`: a metric, `at_least` or `at_most`, and why. `no_worse`:
a metric that is compared with a baseline run on the same cases. Both may name a slice, as in {kind: code}.
A clause that finds nothing to measure fails: a gate that measures nothing must not pass in silence.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import yaml
from pydantic import TypeAdapter, ValidationError

from assistant.errors import InputError
from eval.metrics.aggregate import ALL, BY_NAME, DIMENSIONS, Figure, slices_of
from eval.metrics.score import METRICS, Metric, ScoredRun
from eval.results import System
from eval.statistics import Difference, Interval, paired_difference

GATED: System = "lineside"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """What a figure must reach or must not pass.

    Attributes:
        slice: dimension and value, one at most; empty for all cases.
        live_only: does not apply to replayed outputs, whose times say nothing.
    """

    metric: str
    why: str
    at_least: float | None = None
    at_most: float | None = None
    slice: Mapping[str, str] = field(default_factory=dict)
    live_only: bool = False

    def __post_init__(self) -> None:
        """Refuses a limit that cannot be checked."""
        _check_clause(self.metric, self.slice, self.why)
        if (self.at_least is None) == (self.at_most is None):
            raise ValueError(f"{self.metric} needs either at_least or at_most")


@dataclass(frozen=True, slots=True, kw_only=True)
class NoWorse:
    """A figure that must not be significantly worse than the baseline's, by more than a margin."""

    metric: str
    why: str
    margin: float = 0.0
    slice: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuses a clause that cannot be checked."""
        _check_clause(self.metric, self.slice, self.why)
        if self.metric not in {metric.name for metric in METRICS} or self.margin < 0:
            raise ValueError(f"{self.metric} is no metric of single cases, or its margin is below 0")


@dataclass(frozen=True, slots=True)
class Gate:
    """All clauses of a gate file."""

    limits: tuple[Limit, ...]
    no_worse: tuple[NoWorse, ...] = ()


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


def read_gate(path: Path) -> Gate:
    """A gate from its file.

    Raises:
        InputError: the file is missing, malformed, or names an unknown metric or slice.
    """
    try:
        loaded = yaml.safe_load(path.read_text(encoding="utf-8"))
        return TypeAdapter(Gate).validate_python(loaded, extra="forbid")
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as problem:
        raise InputError(f"{path} holds no gate: {problem}", "See eval/gate.yaml.") from problem
    except ValidationError as problem:
        first = problem.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        said = first["msg"].removeprefix("Value error, ")
        raise InputError(f"{path}: {f'{where}: ' if where else ''}{said}") from problem


def check(run: ScoredRun, baseline: ScoredRun | None, gate: Gate, figures: Sequence[Figure]) -> list[Verdict]:
    """Every clause's verdict, in the order of the gate file.

    Args:
        run: the run to be judged.
        baseline: an earlier run on the same cases; without one the comparisons are skipped and say so.
        gate: the clauses.
        figures: of the run, from Aggregator.figures.
    """
    known = {(figure.metric.name, figure.slice): figure for figure in figures if figure.system == GATED}
    limits = [_keeps(limit, known.get((limit.metric, _key(limit.slice))), run) for limit in gate.limits]
    return limits + [_compares(clause, run, baseline) for clause in gate.no_worse]


def shown(metric: Metric, value: float) -> str:
    """A value as people read it: '71.4 %', '1,250 ms'."""
    return f"{value:,.0f} ms" if metric.unit == "ms" else f"{value * 100:.1f} %"


def _keeps(limit: Limit, figure: Figure | None, run: ScoredRun) -> Verdict:
    metric, key = BY_NAME[limit.metric], _key(limit.slice)
    bound = limit.at_least if limit.at_least is not None else limit.at_most
    assert bound is not None
    demand = f"{'at least' if limit.at_least is not None else 'at most'} {shown(metric, bound)}"
    if limit.live_only and run.run.replayed > 0:
        sentence = f"{_named(metric, key)} is not judged on replayed outputs"
        return Verdict(limit.metric, key, True, True, None, None, 0, bound, sentence)
    if figure is None:
        sentence = f"{_named(metric, key)} could not be measured: the run holds no case for it ({demand})"
        return Verdict(limit.metric, key, False, False, None, None, 0, bound, sentence)
    passed = figure.value >= bound if limit.at_least is not None else figure.value <= bound
    measured = f"{shown(metric, figure.value)}{_spread(metric, figure.interval)}, n = {figure.n}"
    sentence = f"{_named(metric, key)} is {measured}; must be {demand}: {limit.why}"
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
    before: ScoredRun, after: ScoredRun, metric: str, key: tuple[str, str] = ALL, system: System = GATED
) -> Difference | None:
    """The second run minus the first on the cases of a slice that both have; None when there are none."""
    earlier = {(item.result.suite, item.case.id): item for item in before.of(system)}
    pairs = [
        (earlier[item.result.suite, item.case.id], item)
        for item in after.of(system)
        if (item.result.suite, item.case.id) in earlier and key in slices_of(item)
    ]
    return paired_difference(
        [first.values[metric] for first, _ in pairs],
        [second.values[metric] for _, second in pairs],
        [second.cluster for _, second in pairs],
    )


def _check_clause(metric: str, chosen: Mapping[str, str], why: str) -> None:
    if metric not in BY_NAME:
        raise ValueError(f"there is no metric {metric!r}; known are {', '.join(BY_NAME)}")
    if len(chosen) > 1 or not set(chosen) <= set(DIMENSIONS):
        raise ValueError(f"a slice is one of {', '.join(DIMENSIONS)} with a value")
    if not why.strip():
        raise ValueError(f"say why {metric} has a limit")


def _key(chosen: Mapping[str, str]) -> tuple[str, str]:
    return next(iter(chosen.items()), ALL)


def _named(metric: Metric, key: tuple[str, str]) -> str:
    return f"{metric.label} ({metric.name})" + (f" on {key[0]} {key[1]}" if key != ALL else "")


def _spread(metric: Metric, interval: Interval | None) -> str:
    return f" ({shown(metric, interval.low)} to {shown(metric, interval.high)})" if interval else ""


def _signed(metric: Metric, value: float) -> str:
    return f"{value:+,.0f} ms" if metric.unit == "ms" else f"{value * 100:+.1f} points"
