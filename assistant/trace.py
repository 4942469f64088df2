"""Why an answer came out as it did: what was searched and found, which checks passed, how long it took."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Check:
    """One check that an answer had to pass; `detail` is one line a supervisor can read."""

    name: str
    passed: bool
    detail: str = ""


@dataclass(frozen=True, slots=True)
class TracedHit:
    """A passage that was found.

    Attributes:
        page: 1-based page of the file.
        score: of the ranking, only comparable within one trace.
        exact: an identifier of the question stands in it.
        signals: what the ranking counted for and against it, by name.
    """

    chunk_id: str
    document: str
    page: int
    section: str
    score: float
    exact: bool = False
    signals: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Trace:
    """The way from a question to its answer.

    Attributes:
        parts: the questions that were searched for, written out in full.
        identifiers: codes and part numbers of the question, in normal form.
        attributes: kinds of value asked for ('torque', 'interval').
        applies_to: casefolded asset tag and model that passages had to hold for.
        hits: passages found, best first.
        answerable: estimated probability that the passages hold the answer, 0..1; None when not estimated.
        prompt_tokens: length of the prompt; 0 when no model was asked.
        draft: what the model wrote, before it was checked.
        checks: in the order they were made.
        timings_ms: from the start of the question to the end of each stage.
    """

    parts: tuple[str, ...] = ()
    identifiers: tuple[str, ...] = ()
    attributes: tuple[str, ...] = ()
    applies_to: tuple[str, ...] = ()
    hits: tuple[TracedHit, ...] = ()
    answerable: float | None = None
    prompt_tokens: int = 0
    draft: str = ""
    checks: tuple[Check, ...] = ()
    timings_ms: Mapping[str, float] = field(default_factory=dict)
