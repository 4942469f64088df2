"""Printed page numbers, read from the running lines where the file itself tells none.

A number at the edge of a page is its label only when the pages around it go on counting: '3-14' between
'3-13' and '3-15'. So neither the manual's number in the header nor a chapter number is taken for one.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from ingest.lines import Line, lines_of, segments_of
from ingest.page import Page

EDGE = 0.1
# Pages without a printed number (blank ones, plates) may stand between two that go on counting.
REACH = 3
_FRAME = re.compile(
    r"^(?:page|seite|第)?\s*[-–—|]?\s*(?P<label>.{1,16}?)\s*[-–—|]?\s*(?:(?:of|/)\s*\d+|页(?:\s*[/,，]?\s*共\s*\d+\s*页)?)?$",
    re.IGNORECASE,
)
_NUMBER = re.compile(
    r"(?P<prefix>(?:[A-Z]{1,4}|\d{1,5}|[A-Z]\d{1,3})(?:[-–.](?:[A-Z]|\d{1,4}))*[-–.]|[A-Z])?(?P<last>\d{1,4})"
)
_ROMAN = re.compile(r"(?=[ivxlc])(?:xc|xl|l?x{0,3})(?:ix|iv|v?i{0,3})", re.IGNORECASE)
_LETTER = re.compile(r"[a-z]")
_VALUES = {"i": 1, "v": 5, "x": 10, "l": 50, "c": 100}


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A possible label: what it counts ('3-', roman, …), how far, and how it is written."""

    series: str
    count: int
    text: str


def printed_labels(pages: Sequence[Page]) -> tuple[str, ...]:
    """The printed number of each page; empty where none can be told."""
    found = _without_chapters([_candidates(page) for page in pages])
    counts = [{(c.series, c.count) for c in candidates} for candidates in found]
    labels = []
    for index, candidates in enumerate(found):
        supported = [(c, _support(c, index, counts)) for c in candidates]
        best = max(supported, key=lambda pair: pair[1], default=None)
        labels.append(best[0].text if best and best[1] else "")
    shapes = {_shape(label) for label in labels if "-" in label}
    for index, candidates in enumerate(found):
        # A chapter of one page has no neighbour that goes on counting.
        lone = [c.text for c in candidates if c.series and c.count == 1 and _shape(c.text) in shapes]
        labels[index] = labels[index] or (lone[0] if len(lone) == 1 else "")
    return tuple(labels)


def _without_chapters(found: Sequence[list[_Candidate]]) -> list[list[_Candidate]]:
    """Drops bare numbers that are the chapter in the labels of the same file ('5' beside '5-3')."""
    chapters = {
        c.series.rstrip("-–.").lstrip("0") for candidates in found for c in candidates if len(c.series) > 1
    }
    return [[c for c in candidates if c.series or c.text.lstrip("0") not in chapters] for candidates in found]


def _shape(label: str) -> str:
    return re.sub(r"[A-Z]", "A", re.sub(r"\d+", "#", label)) if label else ""


def _support(candidate: _Candidate, index: int, counts: Sequence[set[tuple[str, int]]]) -> int:
    """How many of the pages nearby go on with the same series."""
    near = [step for step in range(-REACH, REACH + 1) if step and 0 <= index + step < len(counts)]
    return sum((candidate.series, candidate.count + step) in counts[index + step] for step in near)


def _candidates(page: Page) -> list[_Candidate]:
    if not page.runs:
        return []
    high, low = EDGE * page.reading_height, (1 - EDGE) * page.reading_height
    edge = lines_of(segments_of(run for run in page.runs if run[0].y1 < high or run[0].y0 > low))
    # A page that ends early may carry its number right below the last paragraph.
    lowest = segments_of([max(page.runs, key=lambda run: run[-1].y1)])[-1]
    pieces = [segment.text for line in edge for segment in line.segments] + [lowest.text]
    pieces += [line.text for line in edge if len(line.segments) > 1 and _is_short(line)]
    return [candidate for piece in dict.fromkeys(pieces) if (candidate := _candidate(piece))]


def _is_short(line: Line) -> bool:
    return len(line.text) <= 24


def _candidate(text: str) -> _Candidate | None:
    framed = _FRAME.match(text.strip())
    if framed is None:
        return None
    label = re.sub(r"\s*([-–.])\s*", r"\1", framed["label"].strip())
    number = _NUMBER.fullmatch(label)
    if number:
        return _Candidate(number["prefix"] or "", int(number["last"]), label)
    if _ROMAN.fullmatch(label):
        return _Candidate("roman", _roman(label.lower()), label)
    if _LETTER.fullmatch(label):
        return _Candidate("letter", ord(label), label)
    return None


def _roman(text: str) -> int:
    values = [_VALUES[char] for char in text]
    return sum(-v if v < max(values[i:]) else v for i, v in enumerate(values))
