"""Words to lines: what stands side by side within one column of a page."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any, Generic, TypeVar, overload

from ingest.page import CJK, Area, Word, around, close_gaps

# A gap wider than this many font heights separates two cells or columns; justified prose stays below it.
WIDE_GAP = 1.1
# Chinese has no spaces between words: after a Chinese character less is enough.
WIDE_GAP_CJK = 0.75
# Two characters nearer than this belong to one word that a font change cut in two.
GLUE = 0.06
_WIDE = "\u2003"


_T = TypeVar("_T")


class once(Generic[_T]):
    """A property worked out once; unlike functools.cached_property (Python 3.11) it takes no lock."""

    def __init__(self, work: Callable[[Any], _T]) -> None:
        """Wraps the method that works it out."""
        self._work = work
        self._name = work.__name__
        self.__doc__ = work.__doc__

    @overload
    def __get__(self, owner: None, kind: type) -> "once[_T]": ...

    @overload
    def __get__(self, owner: object, kind: type) -> _T: ...

    def __get__(self, owner: object | None, kind: type) -> "once[_T] | _T":
        """The value, kept with the object, where it is found before this is asked again."""
        if owner is None:
            return self
        value = owner.__dict__[self._name] = self._work(owner)
        return value


# Without slots, so that what is asked again and again is worked out once.
@dataclass(frozen=True)
class Segment(Area):
    """Words in a row without a wide gap between them."""

    words: tuple[Word, ...]

    @once
    def text(self) -> str:
        """The words with their spaces."""
        return words_text(self.words)

    @once
    def size(self) -> float:
        """Middle font height."""
        return middle_size(self.words)

    @once
    def bold(self) -> bool:
        """True when four fifths of the characters are bold."""
        return sum(len(w.text) for w in self.words if w.bold) >= 0.8 * sum(len(w.text) for w in self.words)


@dataclass(frozen=True)
class Line(Area):
    """Segments on one height, from left to right."""

    segments: tuple[Segment, ...]

    @once
    def words(self) -> tuple[Word, ...]:
        """All words."""
        if len(self.segments) == 1:
            return self.segments[0].words
        return tuple(word for segment in self.segments for word in segment.words)

    @once
    def text(self) -> str:
        """The line as read."""
        if len(self.segments) == 1:
            return self.segments[0].text
        return words_text(self.words)

    @once
    def size(self) -> float:
        """Middle font height."""
        return middle_size(self.words)

    @once
    def bold(self) -> bool:
        """True when four fifths of the characters are bold."""
        return Segment(0, 0, 0, 0, self.words).bold


def middle_size(words: Sequence[Word]) -> float:
    """The median font height; mostly all are the same."""
    sizes = [word.size for word in words]
    return sizes[0] if sizes[0] == sizes[-1] and len(set(sizes)) == 1 else median(sizes)


def words_text(words: Sequence[Word]) -> str:
    """Words joined as their places and scripts want it."""
    pieces: list[str] = []
    for index, word in enumerate(words):
        gap = word.x0 - words[index - 1].x1 if index else 0.0
        if gap > WIDE_GAP_CJK * word.size and gap > wide_gap(words[index - 1]):
            # A wide gap parts two cells and stays a space also between Chinese characters.
            pieces.append(_WIDE)
        elif gap > GLUE * word.size:
            pieces.append(" ")
        pieces.append(word.text)
    text = "".join(pieces)
    return text if text.isascii() else close_gaps(text).replace(_WIDE, " ")


def wide_gap(word: Word) -> float:
    """The gap after a word that parts it from the next cell, in points."""
    return word.size * (WIDE_GAP_CJK if CJK.match(word.text[-1]) else WIDE_GAP)


def segments_of(runs: Iterable[Sequence[Word]]) -> list[Segment]:
    """Cuts each run where a wide gap opens or the line is left."""
    segments = []
    for run in runs:
        current: list[Word] = []
        for word in run:
            if current and _apart(current[-1], word):
                segments.append(_segment(current))
                current = []
            current.append(word)
        if current:
            segments.append(_segment(current))
    return segments


def lines_of(segments: Iterable[Segment]) -> list[Line]:
    """Groups the segments of one column into lines, top to bottom."""
    lines: list[list[Segment]] = []
    for segment in sorted(segments, key=lambda s: ((s.y0 + s.y1) / 2, s.x0)):
        if lines and _same_height(lines[-1], segment):
            lines[-1].append(segment)
        else:
            lines.append([segment])
    return [line_of(parts) for parts in lines]


def line_of(parts: Sequence[Segment]) -> Line:
    """One line from segments on one height."""
    if len(parts) == 1:
        only = parts[0]
        return Line(only.x0, only.y0, only.x1, only.y1, (only,))
    area = around(parts)
    return Line(area.x0, area.y0, area.x1, area.y1, tuple(sorted(parts, key=lambda s: s.x0)))


def _segment(words: list[Word]) -> Segment:
    area = around(words)
    return Segment(area.x0, area.y0, area.x1, area.y1, tuple(words))


def _apart(left: Word, right: Word) -> bool:
    size = left.size if left.size > right.size else right.size
    gap = right.x0 - left.x1
    if gap > WIDE_GAP_CJK * size and gap > wide_gap(left):
        return True
    return gap < -2 * size or abs(right.y1 - left.y1) > 0.8 * size


def _same_height(line: list[Segment], segment: Segment) -> bool:
    """True when the segment's middle lies within the line and nothing is already there."""
    middle = (segment.y0 + segment.y1) / 2
    first = line[0]
    if not first.y0 + 0.2 * first.height <= middle <= first.y1 - 0.2 * first.height:
        return False
    return all(other.x1 - segment.x0 < 3 or segment.x1 - other.x0 < 3 for other in line)
