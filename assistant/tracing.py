"""Collects, while a question is answered, what its trace will tell."""

import time
from collections.abc import Iterable, Sequence
from dataclasses import replace

from assistant.schema import Answer, Hit
from assistant.trace import Check, Trace, TracedHit
from assistant.understand import Understood


class Tracer:
    """The log of one question; belongs to one thread."""

    def __init__(self, understood: Understood, applies_to: Sequence[str]) -> None:
        """The clock starts now."""
        self._start = time.perf_counter()
        self._marks: dict[str, float] = {}
        self._hits: tuple[Hit, ...] = ()
        self._checks: list[Check] = []
        self._trace = Trace(
            parts=understood.parts,
            identifiers=understood.identifiers,
            attributes=understood.attributes,
            applies_to=tuple(applies_to),
        )

    def mark(self, stage: str) -> None:
        """A stage is over."""
        self._marks[stage] = round((time.perf_counter() - self._start) * 1000, 2)

    def found(self, hits: tuple[Hit, ...]) -> None:
        """What the search brought."""
        self.mark("retrieve")
        self._hits = hits

    def estimated(self, answerable: float) -> None:
        """The probability that the passages hold the answer."""
        self._trace = replace(self._trace, answerable=answerable)

    def prompted(self, tokens: int) -> None:
        """The length of the prompt."""
        self._trace = replace(self._trace, prompt_tokens=tokens)

    def drafted(self, draft: str) -> None:
        """What the model wrote."""
        self.mark("generate")
        self._trace = replace(self._trace, draft=draft)

    def check(self, name: str, passed: bool, detail: str = "") -> None:
        """One check was made."""
        self._checks.append(Check(name, passed, detail))

    def checked(self, checks: Iterable[Check]) -> None:
        """Several checks were made."""
        self._checks += checks

    def told(self, answer: Answer) -> Answer:
        """The finished answer with its hits, timings and trace."""
        self.mark("total")
        trace = replace(
            self._trace,
            hits=tuple(_traced(hit) for hit in self._hits),
            checks=tuple(self._checks),
            timings_ms=dict(self._marks),
        )
        return replace(answer, hits=self._hits, timings_ms=dict(self._marks), trace=trace)


def _traced(hit: Hit) -> TracedHit:
    chunk = hit.chunk
    return TracedHit(
        chunk.id, chunk.document, chunk.page, chunk.heading, hit.score, hit.exact, dict(hit.signals)
    )
