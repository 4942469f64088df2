"""Safety notices: signal words and the text that belongs to them (ANSI Z535.6, GB 2894 wording)."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from assistant.schema import SignalWord
from assistant.signal_words import SIGNALS
from ingest.lines import Line
from ingest.page import Area, around

_WORDS = "|".join(SIGNALS)
# Over several at once: 'WARNINGS', or 'the following cautions must be observed'.
_SEVERAL = re.compile(
    r"\b(?:following|these)\s+(?:dangers|warnings|cautions|notices)|以下|下列", re.IGNORECASE
)
# Signs, symbols and drawn icons around a signal word.
_EDGES = r"[^\w|]*"
# Words that open a remark: kept together like a notice, but no signal words.
_REMARK = re.compile(rf"^{_EDGES}(?:NOTES?|REMARKS?|说明|提示|备注){_EDGES}$")
_ALONE = re.compile(rf"^{_EDGES}({_WORDS})(S?){_EDGES}$")
_INLINE = re.compile(
    rf"^[\s!！*【\[\u2600-\u27bf△▲\ufe0f\U0001f300-\U0001faff]*({_WORDS})[\]】]?\s*[:：!！—–-]+\s*\S"
)
_NUMBERED = re.compile(r"^[(（]?(?:\d{1,2}|[a-z])[.)）、]|^\d+[-.]\d")


@dataclass(frozen=True, slots=True)
class NoticeSpan:
    """A notice found in a column: its last line (inclusive) and its signal word, None for a mere remark.

    Attributes:
        several: each of its paragraphs is a notice of its own.
    """

    last: int
    signal: SignalWord | None
    several: bool = False


def signal_of(text: str) -> SignalWord | None:
    """The signal word that a line consists of, or that opens it before a colon; else None."""
    match = _ALONE.match(text) or _INLINE.match(text)
    return SIGNALS[match.group(1)] if match else None


def stands_alone(text: str) -> bool:
    """True when a line holds nothing but a signal word or the word for a remark."""
    return bool(_ALONE.match(text) or _REMARK.match(text))


def notice_at(lines: Sequence[Line], index: int, frames: Sequence[Area]) -> NoticeSpan | None:
    """The notice that starts at this line, if one does.

    Its text ends with the frame drawn around it, or where weight, indentation or spacing change.
    """
    line = lines[index]
    signal = signal_of(line.text)
    if signal is None and not _REMARK.match(line.text):
        return None
    framed = _end_in_frame(lines, index, frames)
    if framed is not None:
        return NoticeSpan(framed, signal)
    if signal and not stands_alone(line.text):
        return NoticeSpan(_end_of_paragraph(lines, index), signal)
    if index + 1 >= len(lines) or signal_of(lines[index + 1].text):
        return None
    if _opens_several(lines, index + 1):
        return NoticeSpan(_end_of_plain(lines, index + 1), signal, several=True)
    return NoticeSpan(_end_of_body(lines, index + 1), signal)


def _end_in_frame(lines: Sequence[Line], index: int, frames: Sequence[Area]) -> int | None:
    around_word = [f for f in frames if f.holds(lines[index]) and f.width < 1e4]
    for frame in sorted(around_word, key=lambda f: f.width * f.height):
        last = index
        while last + 1 < len(lines) and frame.holds(lines[last + 1]):
            last += 1
        heads = sum(1 for line in lines[index + 1 : last + 1] if stands_alone(line.text))
        before = index > 0 and frame.holds(lines[index - 1])
        if last > index and not heads and not before:
            return last
    return None


def _end_of_paragraph(lines: Sequence[Line], index: int) -> int:
    last = index
    while last + 1 < len(lines) and _continues(lines[last], lines[last + 1]):
        last += 1
    return last


def _continues(line: Line, following: Line) -> bool:
    gap = following.y0 - line.y1
    return gap < 0.45 * line.height and abs(following.size - line.size) < 0.1 * line.size


def _end_of_body(lines: Sequence[Line], start: int) -> int:
    """Further paragraphs belong to the notice while they keep its weight and its indentation."""
    body = lines[start]
    margin = min(line.x0 for line in lines)
    set_apart = body.bold or body.x0 - margin > 1.5 * body.size
    last = start
    while last + 1 < len(lines):
        line, following = lines[last], lines[last + 1]
        if signal_of(following.text) or stands_alone(following.text) or following.bold != body.bold:
            break
        if abs(following.size - body.size) > 0.12 * body.size:
            break
        if not _continues(line, following):
            far = following.y0 - line.y1 > 2.2 * line.height
            belongs = set_apart or _runs_to_signal(lines, last + 1, body)
            if not belongs or far or abs(following.x0 - body.x0) > 0.6 * body.size:
                break
        elif body.x0 - following.x0 > 1.5 * body.size:
            break
        last += 1
    return last


def _opens_several(lines: Sequence[Line], start: int) -> bool:
    title = _ALONE.match(lines[start - 1].text)
    paragraph = " ".join(line.text for line in lines[start : _end_of_paragraph(lines, start) + 1])
    return bool((title and title.group(2)) or _SEVERAL.search(paragraph))


def _end_of_plain(lines: Sequence[Line], start: int) -> int:
    """The last line before a heading or another notice: bold otherwise, numbered, or a signal word."""
    last = start
    while last + 1 < len(lines):
        following = lines[last + 1]
        if (
            stands_alone(following.text)
            or following.bold != lines[start].bold
            or _NUMBERED.match(following.text)
        ):
            break
        last += 1
    return last


def _runs_to_signal(lines: Sequence[Line], index: int, body: Line) -> bool:
    """True when what follows keeps a notice's margin and style up to the next signal word."""
    for line in lines[index:]:
        if signal_of(line.text):
            return True
        apart = abs(line.x0 - body.x0) > 0.6 * body.size or abs(line.size - body.size) > 0.12 * body.size
        if apart or line.bold != body.bold or _NUMBERED.match(line.text):
            return False
    return False


def area_of(lines: Sequence[Line]) -> Area:
    """What a notice covers."""
    return around(lines)
