"""The world of codes is closed: a fault code that no manual holds is said to be missing, never explained."""

import difflib
import re
from collections.abc import Callable, Iterable

from assistant.identifiers import find_identifiers, fold, normal_form
from assistant.schema import Hit

NEAREST = 3

_SHAPE = re.compile(r"([a-z]*)(\d+)")
_AS_TYPED = re.compile(r"[A-Za-z]*[\s\-_.]*\d+")


def missing_codes(
    question: str, hits: Iterable[Hit], holds: Callable[[str], bool]
) -> dict[str, tuple[str, ...]]:
    """Codes of a question that the manuals in scope do not hold, each with the nearest that they do.

    Only a code whose family the passages hold counts (the same letters before as many digits, give or take
    one): then the code is of a kind that these manuals list, and is not in the list. A thread size or an oil
    grade of another kind is left alone. When any code of the question is held, nothing is missing.

    Args:
        question: as typed.
        hits: passages found for it.
        holds: whether a normalised identifier stands in the manuals in scope.

    Returns:
        Code as typed -> nearest held codes in normal form, best first; empty when nothing is missing.
    """
    asked = [code for code in find_identifiers(question) if _SHAPE.fullmatch(code)]
    if not asked or any(holds(code) for code in asked):
        return {}
    held = {identifier for hit in hits for identifier in hit.chunk.identifiers}
    missing = {}
    for code in asked:
        family = [other for other in held if _same_family(code, other)]
        if family:
            nearest = difflib.get_close_matches(code, sorted(family), NEAREST, cutoff=0.0)
            missing[_as_typed(code, question)] = tuple(_as_written(near, hits) for near in nearest)
    return missing


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
        for match in re.finditer(r"[A-Za-z]*-?\d+", fold(hit.chunk.text)):
            if normal_form(match.group()) == code:
                return match.group()
    return code
