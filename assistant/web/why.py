"""What the panel 'Why this answer' draws: a trace as lines and bars. Only supervisors get it."""

from collections.abc import Mapping
from dataclasses import dataclass

from assistant.explain import HITS, signals_of, stages_of
from assistant.schema import Language
from assistant.trace import Trace, TracedHit
from assistant.web.texts import texts


@dataclass(frozen=True, slots=True)
class HitRow:
    """A passage found; `share` is its score as a share of the best one's, 0..1."""

    hit: TracedHit
    share: float
    signals: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Stage:
    """A stage of the work; `share` is its part of the whole time, 0..1."""

    name: str
    milliseconds: float
    share: float


@dataclass(frozen=True, slots=True)
class Why:
    """A trace with its names in the reader's language.

    Attributes:
        more: passages found besides those in `hits`.
        checks: name, whether it was passed, detail.
    """

    trace: Trace
    attributes: tuple[str, ...]
    hits: tuple[HitRow, ...]
    more: int
    checks: tuple[tuple[str, bool, str], ...]
    stages: tuple[Stage, ...]
    milliseconds: float


def why(trace: Trace, language: Language) -> Why:
    """The trace as the panel shows it."""
    words = texts(language)
    shown = trace.hits[:HITS]
    best = max((hit.score for hit in shown), default=0.0)
    least = min((hit.score for hit in shown), default=0.0)
    stages = stages_of(trace.timings_ms)
    whole = sum(took for _, took in stages)
    return Why(
        trace=trace,
        attributes=tuple(_named("kind", name, words) for name in trace.attributes),
        hits=tuple(
            HitRow(hit, _share(hit.score, min(least, 0.0), best), _signals(hit, words)) for hit in shown
        ),
        more=len(trace.hits) - len(shown),
        checks=tuple(
            (_named("check", check.name, words), check.passed, check.detail) for check in trace.checks
        ),
        stages=tuple(
            Stage(_named("stage", name, words), took, _share(took, 0.0, whole)) for name, took in stages
        ),
        milliseconds=whole,
    )


def _signals(hit: TracedHit, words: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    return tuple((_named("signal", name, words), f"{value:.2f}") for name, value in signals_of(hit))


def _share(value: float, low: float, high: float) -> float:
    return (value - low) / (high - low) if high > low else 0.0


def _named(kind: str, name: str, words: Mapping[str, str]) -> str:
    """The word for a name of the pipeline, or the name itself where the pages have none."""
    return words.get(f"{kind}_{name}", name.replace("_", " "))
