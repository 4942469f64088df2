"""The world of codes is closed: a fault code that no manual holds is said to be missing, never explained."""

import re
from collections.abc import Iterable, Sequence

from assistant.identifiers import find_identifiers, fold, look_alikes, named_codes
from assistant.retrieve import Retriever
from assistant.schema import Hit
from assistant.subjects import own_codes

NEAREST = 3
# A number of so many digits that no manual in scope mentions is no count of something.
TELLING = 3
# Names of standards and grades: their numbers are no list of the manual's.
_STANDARDS = frozenset(
    "api ansi asme astm din dot en gb gl hl hlp hm hv hvlp iec ieee "
    "ip iso jb jis mil nfpa nlgi rev sae ul vg".split()
)
_THREAD = re.compile(
    r"\b(?:bolts?|screws?|studs?|nuts?|threads?|tap|wrench|spanner|socket)\b|螺|牙|扳手", re.IGNORECASE
)

_SHAPE = re.compile(r"([a-z]*)(\d+)|([a-z]{2,})(\d+)([a-z]{1,2})")
_LISTED = re.compile(r"\s*(?:,|/|、|&|\+|and|or|with|plus|和|与|或|及|跟)\s*", re.IGNORECASE)


def missing_codes(
    question: str, hits: Iterable[Hit], retriever: Retriever, applies_to: tuple[str, ...] = ()
) -> dict[str, tuple[str, ...]]:
    """Codes, part and model numbers of a question that no manual in scope holds, with the nearest held.

    A code counts as missing when its family is held (the same letters before as many digits, give or take
    one): then it is of a kind that these manuals list, and is not in the list. It is missing too when only
    the manuals of other machines hold it. A thread size or an oil grade is left alone. When another code of
    the question leads to passages, nothing is missing but a code of that one's own family that is not listed
    beside it; a number that the question itself calls a code ('alarm 7031') is missing all the same when only
    its neighbours are held, whatever else the question names.

    Args:
        question: as typed.
        hits: passages found for it.
        retriever: knows what is held.
        applies_to: casefolded tag and model that the manuals must hold for; empty for all.

    Returns:
        Code as typed -> nearest held codes as written, best first, none for a code of other machines; empty
        when nothing is missing.
    """
    hits = list(hits)
    missing = {}
    for code in _doubtful(question, retriever, applies_to):
        near = [*retriever.entries_near(code, applies_to), *hits]
        meant = next(iter(look_alikes(code)), code)
        family = {other for hit in near for other in _codes_of(hit) if _same_family(meant, other)}
        if family:
            nearest = _nearest(meant, family)
            missing[_as_typed(code, question)] = tuple(_as_written(other, near) for other in nearest)
        elif applies_to and not retriever.leads(code, applies_to) and _is_elsewhere(code, retriever):
            missing[_as_typed(code, question)] = ()
    return missing


def _doubtful(question: str, retriever: Retriever, applies_to: tuple[str, ...]) -> Sequence[str]:
    """Codes of a question that may be missing: not held in scope, and not beside one that is."""
    called = named_codes(question)
    asked = called or [code for code in find_identifiers(question) if _is_code(code, question)]
    # What was read wrong is held under what was meant.
    asked = [code for code in asked if not any(retriever.holds(c, applies_to) for c in look_alikes(code))]
    if called:
        held = [code for code in asked if retriever.holds(code, applies_to)]
    else:
        held = [code for code in asked if retriever.leads(code, applies_to)]
    absent = [code for code in asked if code not in held and not retriever.holds(code, applies_to)]
    if not held:
        return absent
    return [
        code
        for code in absent
        if not code.isdecimal()
        and any(_same_family(code, other) and not _listed(other, code, question) for other in held)
    ]


def _is_code(code: str, question: str) -> bool:
    shape = _SHAPE.fullmatch(code)
    if shape is None:
        return False
    letters = shape.group(1) or shape.group(3) or ""
    return letters not in _STANDARDS and not (letters == "m" and _THREAD.search(question))


def _is_elsewhere(code: str, retriever: Retriever) -> bool:
    """Whether the manuals of other machines list a code; a name that stands everywhere is no code."""
    return len(re.sub(r"\D", "", code)) + code[:1].isalpha() >= TELLING and retriever.leads(code)


def _listed(one: str, other: str, question: str) -> bool:
    """Whether two codes stand in one list: 'E-07 and E-09'."""
    first, second = (re.escape(_as_typed(code, question)) for code in (one, other))
    return bool(
        re.search(rf"{first}{_LISTED.pattern}{second}|{second}{_LISTED.pattern}{first}", fold(question), re.I)
    )


def _codes_of(hit: Hit) -> Iterable[str]:
    chunk = hit.chunk
    return {*chunk.identifiers, *own_codes(chunk.title, chunk.section, chunk.text)}


def _nearest(code: str, family: Iterable[str]) -> Sequence[str]:
    """By number, as a list counts."""
    number = _number(code)
    return sorted(family, key=lambda other: (abs(_number(other) - number), other))[:NEAREST]


def _number(code: str) -> int:
    return int(re.sub(r"\D", "", code))


def _same_family(code: str, other: str) -> bool:
    ours, theirs = _SHAPE.fullmatch(code), _SHAPE.fullmatch(other)
    if not ours or not theirs:
        return False
    if ours.group(3) or theirs.group(3):
        return ours.group(3) == theirs.group(3) and len(ours.group(4)) == len(theirs.group(4))
    return ours.group(1) == theirs.group(1) and abs(len(ours.group(2)) - len(theirs.group(2))) <= 1


def _as_typed(code: str, question: str) -> str:
    return _written_in(fold(question), code) or code


def _as_written(code: str, hits: Iterable[Hit]) -> str:
    texts = (fold(f"{hit.chunk.heading}\n{hit.chunk.text}") for hit in hits)
    return next((written for written in (_written_in(text, code) for text in texts) if written), code)


def _written_in(text: str, code: str) -> str:
    """A code as a text writes it, '' when it does not stand there."""
    spelled = r"[\s\-_.]{0,2}".join(map(re.escape, code))
    match = re.search(rf"(?<![A-Za-z0-9]){spelled}(?![A-Za-z0-9])", text, re.IGNORECASE)
    return match.group() if match else ""
