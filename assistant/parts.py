"""Several questions in one, cut apart: each is then searched for by itself.

A cut is made where one question ends, before a question word that 'and' leads in, and between two figures
that are asked for in one breath ('part no. and torque'). What two things share is never cut: 'torque of a and
b' is one question. A part that names no subject takes it from the first.
"""

import re
from collections.abc import Iterator

from assistant.attributes import asked
from assistant.followups import own_words, points_back
from assistant.identifiers import find_identifiers, without_identifiers

# Longer texts tell a story or are pasted; more pieces are a list of something else.
LONGEST, MOST = 500, 4
# With fewer words of its own a part names no subject.
FEW = 2
# What opens the question and belongs to all of it: 'E-21 - valve no and torque', '油缸漏了：件号和扭矩'.
_LEAD = re.compile(r"^(?!\d{1,2}[.)、])([^?？\n]{2,80}?)(?::\s|：|\s[-–—]\s|[.。]\s+)")
_CLAUSE = re.compile(r"^([^?？\n]{2,60}?)[,，]\s*")
_ASKS = r"(?:what|whats|what's|how|which|where|when|why|who|is|are|can|could|do|does|should)\b"
_WANTS = re.compile(
    rf"^\W*{_ASKS}|\b(?:what|how|which|where|when|why|who)\b|[?？吗]|怎么|如何|什么|哪|多少|几", re.IGNORECASE
)
_ENDS = re.compile(r"(?<=[?？])\s*(?=\S)|[;；]\s*|\n+|\s+(?=\d[.)、]\s)")
_AND_ASKS = re.compile(
    rf"(?:\s*,\s*(?:and|then|also|plus)\s+|\s*,\s*|\s+(?:and|\+|&)\s+)(?={_ASKS})|[，,]\s*(?:还有|另外|再有|以及|并且)",
    re.IGNORECASE,
)
_AND = re.compile(r"\s*[,，、;；+&]\s*|\s+(?:and|n|plus)\s+|和|跟|以及|还有", re.IGNORECASE)
_BULLET = re.compile(r"^\s*(?:\d{1,2}[.)、](?!\d)|[-•*])\s*")


def parts_of(text: str) -> tuple[str, ...]:
    """The questions in a text, each written out; the text alone when it is one question."""
    if len(text) > LONGEST:
        return (text,)
    lead, rest = _led(text)
    pieces = [piece for whole in _ENDS.split(rest) for piece in _cut(_BULLET.sub("", whole), bool(lead))]
    pieces = list(_joined([piece.strip(" ,，") for piece in pieces if re.search(r"\w", piece)]))
    if not 1 < len(pieces) <= MOST:
        return (text,)
    later = (_with_subject(lead, pieces[0], piece) for piece in pieces[1:])
    return (": ".join(words for words in (lead, pieces[0]) if words), *later)


def _led(text: str) -> tuple[str, str]:
    clause = _CLAUSE.match(text)
    lead = _LEAD.match(text) or (clause if clause and find_identifiers(clause.group(1)) else None)
    if lead and not asked(lead.group(1)) and own_words(text[lead.end() :]):
        return lead.group(1), text[lead.end() :]
    return "", text


def _cut(text: str, led: bool) -> Iterator[str]:
    """Cuts before questions led in by 'and', and between figures of different kinds that have a subject."""
    for piece in _AND_ASKS.split(text):
        start = 0
        for match in _AND.finditer(piece):
            before, after = set(asked(piece[start : match.start()])), set(asked(piece[match.end() :]))
            subject = led or own_words(piece[start : match.start()]) >= FEW
            if subject and before and after and not before & after:
                yield piece[start : match.start()]
                start = match.end()
        yield piece[start:]


def _joined(pieces: list[str]) -> Iterator[str]:
    """Puts what asks for nothing by itself back to what stands before it."""
    held = ""
    for piece in pieces:
        if held and _asks(held) and _asks(piece):
            yield held
            held = piece
        else:
            held = f"{held}, {piece}" if held else piece
    if held:
        yield held


def _asks(piece: str) -> bool:
    return bool(asked(piece)) or bool(own_words(piece) and _WANTS.search(piece))


def _with_subject(lead: str, first: str, piece: str) -> str:
    """A part after the first, with what it is about.

    Codes stay with the first part: what they lead to is found for it, and would stand before all else here.
    """
    leans = points_back(piece) or own_words(piece) < FEW
    about = [without_identifiers(words) for words in (lead, first if leans else "")]
    return ": ".join(words for words in (*about, piece) if words)
