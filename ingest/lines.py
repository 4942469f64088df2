"""Words to lines: what stands side by side within one column of a page."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from statistics import median

from ingest.page import CJK, Area, Word, around, close_gaps

# A gap wider than this many font heights separates two cells or columns; justified prose stays below it.
WIDE_GAP = 1.1
# Chinese has no spaces between words: after a Chinese character less is enough.
WIDE_GAP_CJK = 0.75
# Two characters nearer than this belong to one word that a font change cut in two.
GLUE = 0.06
_WIDE = "\u2003"


# Without slots, so that what is asked again and again is worked out once.
@dataclass(frozen=True)
class Segment(Area):
    """Words in a row without a wide gap between them."""

    words: tuple[Word, ...]

    @cached_property
    def text(self) -> str:
        """The words with their spaces."""
        return words_text(self.words)

    @cached_property
    def size(self) -> float:
        """Middle font height."""
        return median(word.size for word in self.words)

    @cached_property
    def bold(self) -> bool:
        """True when four fifths of the characters are bold."""
        return sum(len(w.text) for w in self.words if w.bold) >= 0.8 * sum(len(w.text) for w in self.words)


@dataclass(frozen=True)
class Line(Area):
    """Segments on one height, from left to right."""

    segments: tuple[Segment, ...]

    @cached_property
    def words(self) -> tuple[Word, ...]:
        """All words."""
        return tuple(word for segment in self.segments for word in segment.words)

    @cached_property
    def text(self) -> str:
        """The line as read."""
        return words_text(self.words)

    @cached_property
    def size(self) -> float:
        """Middle font height."""
        return median(word.size for word in self.words)

    @cached_property
    def bold(self) -> bool:
        """True when four fifths of the characters are bold."""
        return Segment(0, 0, 0, 0, self.words).bold


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
    area = around(parts)
    return Line(area.x0, area.y0, area.x1, area.y1, tuple(sorted(parts, key=lambda s: s.x0)))


def _segment(words: list[Word]) -> Segment:
    area = around(words)
    return Segment(area.x0, area.y0, area.x1, area.y1, tuple(words))


def _apart(left: Word, right: Word) -> bool:
    size = max(left.size, right.size)
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
