"""The world of codes is closed: a fault code that no manual holds is said to be missing, never explained."""

import re
from collections.abc import Iterable, Sequence

from assistant.identifiers import find_identifiers, fold, named_codes, normal_form
from assistant.retrieve import Retriever
from assistant.schema import Hit
from assistant.subjects import own_codes

NEAREST = 3

_SHAPE = re.compile(r"([a-z]*)(\d+)")
_AS_TYPED = re.compile(r"[A-Za-z]*[\s\-_.]*\d+")


def missing_codes(
    question: str, hits: Iterable[Hit], retriever: Retriever, applies_to: tuple[str, ...] = ()
) -> dict[str, tuple[str, ...]]:
    """Codes of a question that the manuals in scope do not hold, each with the nearest that they do.

    Only a code whose family is held counts (the same letters before as many digits, give or take one): then
    the code is of a kind that these manuals list, and is not in the list. A thread size or an oil grade of
    another kind is left alone. When another code of the question leads to passages, nothing is missing; a
    number that the question itself calls a code ('alarm 7031') is missing all the same when only its
    neighbours are held, whatever else the question names.

    Args:
        question: as typed.
        hits: passages found for it.
        retriever: knows what is held.
        applies_to: casefolded tag and model that the manuals must hold for; empty for all.

    Returns:
        Code as typed -> nearest held codes as written, best first; empty when nothing is missing.
    """
    hits = list(hits)
    called = named_codes(question)
    asked = called or [code for code in find_identifiers(question) if _SHAPE.fullmatch(code)]
    if not asked or any(retriever.holds(code, applies_to) for code in called):
        return {}
    if not called and any(retriever.leads(code, applies_to) for code in asked):
        return {}
    missing = {}
    for code in asked:
        if not called and retriever.holds(code, applies_to):
            continue
        near = [*retriever.entries_near(code, applies_to), *hits]
        family = {other for hit in near for other in _codes_of(hit) if _same_family(code, other)}
        if family:
            nearest = _nearest(code, family)
            missing[_as_typed(code, question)] = tuple(_as_written(other, near) for other in nearest)
    return missing


def _codes_of(hit: Hit) -> Iterable[str]:
    chunk = hit.chunk
    return {*chunk.identifiers, *own_codes(chunk.title, chunk.section, chunk.text)}


def _nearest(code: str, family: Iterable[str]) -> Sequence[str]:
    """By number, as a list counts."""
    number = int(re.sub(r"\D", "", code))
    close = sorted(family, key=lambda other: (abs(int(re.sub(r"\D", "", other)) - number), other))
    return close[:NEAREST]


def _same_family(code: str, other: str) -> bool:
    ours, theirs = _SHAPE.fullmatch(code), _SHAPE.fullmatch(other)
    if not ours or not theirs or ours.group(1) != theirs.group(1):
        return False
    return abs(len(ours.group(2)) - len(theirs.group(2))) <= 1


def _as_typed(code: str, question: str) -> str:
    typed = (match.group().strip() for match in _AS_TYPED.finditer(fold(question)))
    return next((text for text in typed if normal_form(text) == code), code)


def _as_written(code: str, hits: Iterable[Hit]) -> str:
    for hit in hits:
        for match in re.finditer(r"[A-Za-z]*-?\d+", fold(f"{hit.chunk.heading}\n{hit.chunk.text}")):
            if normal_form(match.group()) == code:
                return match.group()
    return code
