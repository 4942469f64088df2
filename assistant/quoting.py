"""The answer in the manuals' own words: the places that answer, verbatim, each under its number."""

from collections.abc import Sequence
from dataclasses import dataclass

from assistant.attributes import held
from assistant.evidence import Evidence, asks_for_steps
from assistant.grounding import cite
from assistant.schema import Citation, Hit
from assistant.understand import Understood

# Characters of quotes in an answer; a whole procedure may take more.
BUDGET = 900
PROCEDURE_BUDGET = 2400
# Places scored below this share of the best one are left out, and those that are no answer to anything.
NEAR_BEST = 0.2
FLOOR = 0.03
# A procedure is quoted whole when one of so many best places is a step of it, if no value is asked for.
BEST = 1
# What else is quoted beside a procedure gets at least the budget divided by this.
REST = 2


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


def quote(
    understood: Understood,
    evidence: Sequence[Evidence],
    budget: int = BUDGET,
    lead: Sequence[Evidence] = (),
) -> Quoted:
    """The extractive answer: short, complete places in reading order, none twice.

    Args:
        understood: the question.
        evidence: best first, as found.
        budget: characters to stay within; the best place is shown whole even when it alone takes more.
        lead: places that come first, whatever room they take.
    """
    whole = _procedure(understood, evidence)
    passages: dict[str, list[Evidence]] = {}
    chosen = _chosen(understood, evidence, whole, budget)
    seen = {_bare(one.text) for one in lead}
    for one in [*lead, *(other for other in chosen if _bare(other.text) not in seen)]:
        passages.setdefault(one.hit.chunk.id, []).append(one)
    paragraphs, citations = [], []
    for n, places in enumerate(passages.values(), start=1):
        paragraphs.append(f"“{_joined(places)}” [{n}]")
        citations.append(cite(n, places[0].hit, [(one.start, one.end) for one in places]))
    cited = tuple(places[0].hit for places in passages.values())
    return Quoted("\n\n".join(paragraphs), tuple(citations), cited)


def _chosen(
    understood: Understood, evidence: Sequence[Evidence], whole: Sequence[Evidence], budget: int
) -> list[Evidence]:
    """What is quoted: a whole procedure if one is, the best places, and one for each kind of value asked."""
    chosen = list(whole)
    seen = {_bare(one.text) for one in whole}
    left = max(budget - sum(len(one.text) for one in whole), budget // REST)
    for one in evidence:
        if one.score < max(NEAR_BEST * evidence[0].score, FLOOR):
            break
        if _bare(one.text) in seen or (chosen and len(one.text) > left):
            continue
        chosen.append(one)
        seen.add(_bare(one.text))
        left -= len(one.text)
    for kind in understood.attributes:
        if not any(held(one.text, (kind,)) for one in chosen):
            chosen += [one for one in evidence if held(one.text, (kind,)) and one.score >= FLOOR][:1]
    return chosen or list(evidence[:1])


def _procedure(understood: Understood, evidence: Sequence[Evidence]) -> list[Evidence]:
    """All steps of the procedure or list that the best step belongs to, when it is asked for as a whole."""
    asked = asks_for_steps(understood.standalone)
    if not asked and understood.attributes:
        return []
    step = next((one for one in evidence[: len(evidence) if asked else BEST] if one.kind == "step"), None)
    if step is None or step.score < NEAR_BEST * evidence[0].score:
        return []
    chunk = step.hit.chunk
    steps = [
        one
        for one in evidence
        if (one.hit.chunk.document, one.hit.chunk.section) == (chunk.document, chunk.section)
        and one.kind in ("step", "sentence")
    ]
    steps.sort(key=lambda one: (one.hit.chunk.ordinal, one.start))
    kept: list[Evidence] = []
    for one in steps:
        if sum(len(other.text) for other in kept) + len(one.text) <= PROCEDURE_BUDGET:
            kept.append(one)
    return kept


def _bare(text: str) -> str:
    return "".join(filter(str.isalnum, text)).casefold()


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
