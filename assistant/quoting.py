"""The answer in the manuals' own words: the places that answer, verbatim, each under its number."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from assistant.evidence import Evidence
from assistant.grounding import cite
from assistant.schema import Citation, Hit
from assistant.understand import Understood

# Characters of quotes in an answer; a whole procedure may take more.
BUDGET = 900
PROCEDURE_BUDGET = 2400
# Places scored below this share of the best one are left out.
NEAR_BEST = 0.15

_ASKS_STEPS = re.compile(
    r"\bhow (?:do|to|can|should|is|are|would)\b|\b(?:procedure|steps?|sequence|instructions?)\b"
    r"|怎么|怎样|如何|步骤|流程|程序|方法",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Quoted:
    """An extractive answer.

    Attributes:
        text: paragraphs of verbatim places, each ending in its [n].
        citations: numbered from 1 in order of appearance.
        cited: the hits behind the citations, in the same order.
    """

    text: str
    citations: tuple[Citation, ...]
    cited: tuple[Hit, ...]


def quote(understood: Understood, evidence: Sequence[Evidence], budget: int = BUDGET) -> Quoted:
    """The extractive answer: short, complete places in reading order, none twice.

    Args:
        understood: the question.
        evidence: best first, as found.
        budget: characters to stay within; the best place is shown whole even when it alone takes more.
    """
    chosen = _chosen(evidence, budget)
    if chosen and _ASKS_STEPS.search(understood.standalone):
        chosen = _with_procedure(chosen, evidence)
    passages: dict[str, list[Evidence]] = {}
    for one in chosen:
        passages.setdefault(one.hit.chunk.id, []).append(one)
    paragraphs, cited = [], []
    for n, places in enumerate(passages.values(), start=1):
        cited.append(places[0].hit)
        paragraphs.append(f"“{_joined(places)}” [{n}]")
    citations = tuple(cite(n, hit) for n, hit in enumerate(cited, start=1))
    return Quoted("\n\n".join(paragraphs), citations, tuple(cited))


def _chosen(evidence: Sequence[Evidence], budget: int) -> list[Evidence]:
    chosen: list[Evidence] = []
    seen: set[str] = set()
    left = budget
    for one in evidence:
        bare = "".join(filter(str.isalnum, one.text)).casefold()
        if bare in seen or (chosen and (one.score < NEAR_BEST * evidence[0].score)):
            continue
        if chosen and len(one.text) > left:
            continue
        chosen.append(one)
        seen.add(bare)
        left -= len(one.text)
    return chosen


def _with_procedure(chosen: Sequence[Evidence], evidence: Sequence[Evidence]) -> list[Evidence]:
    """The whole procedure that the best step belongs to, before whatever else was chosen."""
    step = next((one for one in chosen if one.kind == "step"), None)
    if step is None:
        return list(chosen)
    chunk = step.hit.chunk
    steps = [
        one
        for one in evidence
        if (one.hit.chunk.document, one.hit.chunk.section) == (chunk.document, chunk.section)
        and one.kind == "step"
    ]
    steps.sort(key=lambda one: (one.hit.chunk.ordinal, one.start))
    kept: list[Evidence] = []
    for one in steps:
        if sum(len(other.text) for other in kept) + len(one.text) <= PROCEDURE_BUDGET:
            kept.append(one)
    return [*kept, *(one for one in chosen if one not in kept)]


def _joined(places: Sequence[Evidence]) -> str:
    """Places of one passage in reading order; what was left out between two shows."""
    ordered = sorted(places, key=lambda one: one.start)
    text = ordered[0].hit.chunk.text
    pieces = [_one_line(ordered[0].text)]
    for before, one in zip(ordered, ordered[1:], strict=False):
        gap = text[before.end : one.start]
        if gap.strip():
            pieces.append("\n… " if one.kind == before.kind == "sentence" else "\n")
        else:
            pieces.append("\n" if "\n" in gap else gap or " ")
        pieces.append(_one_line(one.text))
    return "".join(pieces)


def _one_line(text: str) -> str:
    return " ".join(text.split())
