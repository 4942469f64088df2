"""Where in a chunk one thing is said: the rows of its tables, its numbered steps, its sentences."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from assistant.identifiers import fold
from assistant.language import sentence_spans
from assistant.schema import Chunk

PlaceKind = Literal["row", "step", "sentence", "notice"]

# A line this long that ends without a stop was broken by the page and goes on in the next.
WRAPPED = 30
CELLS = " | "

_STEP = re.compile(
    r"(?:step\s+\d{1,2}[.:)]|\(?\d{1,2}[.)、]|\([a-z]\)|[a-z][.)]|[①-⑳]|[•·▪*\-–])\s*(?=\S)", re.I
)
_STOPPED = re.compile(r"[.!?:;。！？：；|]\s*$")
_GOES_ON = re.compile(r"[a-z\u3400-\u9fff(]")


@dataclass(frozen=True, slots=True)
class Place:
    """A row, a step, a sentence or a whole notice.

    Attributes:
        start: offset of its first character in the chunk's text.
        end: offset after its last character.
    """

    kind: PlaceKind
    start: int
    end: int


def places_of(chunk: Chunk) -> tuple[Place, ...]:
    """The places of a chunk in reading order; they leave out nothing but blanks."""
    if chunk.kind == "notice":
        return (Place("notice", *_trimmed(chunk.text)),)
    return tuple(_places(chunk.text))


def is_step(text: str) -> bool:
    """Whether a line opens as an item of a numbered or bulleted list."""
    return _STEP.match(text) is not None


def without_step(text: str) -> str:
    """A line without the number or bullet that it opens with."""
    opening = _STEP.match(text)
    return text[opening.end() :] if opening else text


def _places(text: str) -> Iterator[Place]:
    for start, end in _logical_lines(text):
        line = text[start:end].replace("\n", " ")
        if CELLS in line:
            yield Place("row", start, end)
        elif is_step(line):
            yield Place("step", start, end)
        else:
            yield from (Place("sentence", start + a, start + b) for a, b in sentence_spans(line))


def _logical_lines(text: str) -> list[tuple[int, int]]:
    """Lines as they were meant: what the page's edge broke is joined again."""
    lines: list[tuple[int, int]] = []
    for match in re.finditer(r"[^\n]+", text):
        line = match.group()
        start = match.start() + len(line) - len(line.lstrip())
        end = start + len(line.strip())
        if start == end:
            continue
        if lines and _goes_on(text[slice(*lines[-1])].rsplit("\n", 1)[-1], text[start:end]):
            lines[-1] = (lines[-1][0], end)
        else:
            lines.append((start, end))
    return lines


def _goes_on(above: str, line: str) -> bool:
    broken = len(above) >= WRAPPED and not _STOPPED.search(above) and _GOES_ON.match(fold(line))
    return bool(broken) and CELLS not in above and CELLS not in line and not is_step(line)


def _trimmed(text: str) -> tuple[int, int]:
    start = len(text) - len(text.lstrip())
    return start, start + len(text.strip())
