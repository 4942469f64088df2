"""The rules of a gate file, read strictly: limits, comparisons with a baseline, and goals.

A gate file (eval/gate.yaml) has three lists. `limits` must hold today: a metric, `at_least` or `at_most`,
why, and the figure it was set from with its date. `no_worse`: a metric that is compared with a baseline run
on the same cases. `goals` say what the product aims at; they are reported as met or not, and block nothing.
All may name a slice, as in {kind: code}. `unrecorded_at_most`: outputs a replay may lack, none by default.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import yaml
from pydantic import TypeAdapter, ValidationError

from assistant.errors import InputError
from eval.metrics.aggregate import BY_NAME, DIMENSIONS
from eval.metrics.score import METRICS, Metric


@dataclass(frozen=True, slots=True, kw_only=True)
class Bound:
    """What a figure is to reach or not to pass.

    Attributes:
        slice: dimension and value, one at most; empty for all cases.
    """

    metric: str
    why: str
    at_least: float | None = None
    at_most: float | None = None
    slice: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuses a bound that cannot be checked."""
        _check_clause(self.metric, self.slice, self.why)
        if (self.at_least is None) == (self.at_most is None):
            raise ValueError(f"{self.metric} needs either at_least or at_most")

    @property
    def value(self) -> float:
        """The bound itself."""
        bound = self.at_least if self.at_least is not None else self.at_most
        assert bound is not None
        return bound

    @property
    def demand(self) -> str:
        """The bound in words."""
        bound = shown(BY_NAME[self.metric], self.value)
        return f"at least {bound}" if self.at_least is not None else f"at most {bound}"

    def holds(self, value: float) -> bool:
        """Whether a figure keeps it."""
        return value >= self.value if self.at_least is not None else value <= self.value


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit(Bound):
    """What must hold for a change to land.

    Attributes:
        measured: the figure that the limit was set from; only a promise about times may do without.
        measured_on: when that was.
        live_only: applies where times are those of one user alone, not to replays or many questions at once.
    """

    measured: float | None = None
    measured_on: date | None = None
    live_only: bool = False

    def __post_init__(self) -> None:
        """Refuses a limit that does not say what it was set from."""
        # The short form of super() does not work in a dataclass with slots.
        Bound.__post_init__(self)
        if not self.live_only and (self.measured is None or self.measured_on is None):
            raise ValueError(f"{self.metric} needs measured and measured_on, the figure it was set from")

    @property
    def origin(self) -> str:
        """What it was set from, in words; empty for a promise."""
        if self.measured is None or self.measured_on is None:
            return ""
        return f", set from {shown(BY_NAME[self.metric], self.measured)} on {self.measured_on.isoformat()}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal(Bound):
    """What the product aims at; reported, never blocking."""


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
    """All clauses of a gate file.

    Attributes:
        unrecorded_at_most: questions of a replay that may lack a recorded output.
    """

    limits: tuple[Limit, ...]
    no_worse: tuple[NoWorse, ...] = ()
    goals: tuple[Goal, ...] = ()
    unrecorded_at_most: int = 0


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


def shown(metric: Metric, value: float) -> str:
    """A value as people read it: '71.4 %', '1,250 ms'."""
    return f"{value:,.0f} ms" if metric.unit == "ms" else f"{value * 100:.1f} %"


def _check_clause(metric: str, chosen: Mapping[str, str], why: str) -> None:
    if metric not in BY_NAME:
        raise ValueError(f"there is no metric {metric!r}; known are {', '.join(BY_NAME)}")
    if len(chosen) > 1 or not set(chosen) <= set(DIMENSIONS):
        raise ValueError(f"a slice is one of {', '.join(DIMENSIONS)} with a value")
    if not why.strip():
        raise ValueError(f"say why {metric} has a limit")
