"""A trace in words: what `lineside ask --explain` prints, and the stages that the pages draw."""

from collections.abc import Iterator, Mapping

from assistant.trace import Trace, TracedHit

HITS = 10
SIGNALS = 6
# In the units of the engine; the ranking's own 'meaning' and 'words' tell the same on a common scale.
UNSCALED = {"dense", "bm25"}
TOTAL = "total"


def stages_of(timings_ms: Mapping[str, float]) -> list[tuple[str, float]]:
    """Milliseconds that each stage took, in the order in which they ended.

    Args:
        timings_ms: from the start of the question to the end of each stage; 'total' closes the list, and what
            no stage accounts for stands under that name.
    """
    ended = sorted(timings_ms.items(), key=lambda item: (item[1], item[0] == TOTAL))
    starts = [0.0, *(end for _, end in ended)]
    stages = [(name, end - start) for (name, end), start in zip(ended, starts, strict=False)]
    return [(name, took) for name, took in stages if name != TOTAL or took >= 1]


def explain(trace: Trace) -> str:
    """The trace as lines of text, for a terminal."""
    return "\n".join(_lines(trace))


def signals_of(hit: TracedHit) -> list[tuple[str, float]]:
    """The strongest of what the ranking counted for and against a passage, strongest first."""
    scaled = [(name, value) for name, value in hit.signals.items() if value and name not in UNSCALED]
    return sorted(scaled, key=lambda item: -abs(item[1]))[:SIGNALS]


def _lines(trace: Trace) -> Iterator[str]:
    for name, values in (
        ("Searched for", trace.parts),
        ("Identifiers", trace.identifiers),
        ("Asks for", trace.attributes),
        ("Must hold for", trace.applies_to),
    ):
        if values:
            yield f"{name}: {' | '.join(values)}"
    if trace.answerable is not None:
        yield f"Passages hold the answer: {trace.answerable:.0%}"
    yield f"Passages found: {len(trace.hits)}"
    yield from (_hit(place, hit) for place, hit in enumerate(trace.hits[:HITS], start=1))
    if trace.prompt_tokens:
        yield f"Prompt: {trace.prompt_tokens:,} tokens"
    if trace.draft:
        yield "Draft:"
        yield from (f"  {line}" for line in trace.draft.splitlines())
    if trace.checks:
        yield "Checks:"
    for check in trace.checks:
        yield f"  {'passed' if check.passed else 'FAILED'} {check.name}" + (
            f": {check.detail}" if check.detail else ""
        )
    if trace.timings_ms:
        took = ", ".join(f"{name} {ms:,.0f} ms" for name, ms in stages_of(trace.timings_ms))
        yield f"Time: {took}; {max(trace.timings_ms.values()):,.0f} ms in all"


def _hit(place: int, hit: TracedHit) -> str:
    exact = " (identifier)" if hit.exact else ""
    signals = ", ".join(f"{name} {value:.2f}" for name, value in signals_of(hit))
    where = f"{hit.document}, page {hit.page}" + (f", {hit.section}" if hit.section else "")
    return f"  {place:>2}. {hit.score:.3f}{exact} {where}" + (f"  [{signals}]" if signals else "")
