"""What a page looks like before its layout is understood: words with places, rules, frames.

Lengths are points in reading space: origin at the top left of the page as it is read, y downwards. A page
whose text runs upwards is turned by `turn` first; boxes turn back, because users see the page unturned.
"""

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from assistant.schema import Box

Turn = Literal[0, 90, 180, 270]
OcrMode = Literal["auto", "pages", "off"]

_CJK = r"\u2e80-\u303f\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\ufe30-\ufe4f\uff00-\uffef"
CJK = re.compile(f"[{_CJK}]")
_CJK_GAP = re.compile(f"(?<=[{_CJK}]) (?=[{_CJK}])")


@dataclass(frozen=True, slots=True)
class Area:
    """A rectangle in reading space, in points."""

    x0: float
    y0: float
    x1: float
    y1: float

    @property
    def width(self) -> float:
        """Horizontal extent."""
        return self.x1 - self.x0

    @property
    def height(self) -> float:
        """Vertical extent."""
        return self.y1 - self.y0

    @property
    def middle(self) -> tuple[float, float]:
        """The centre."""
        return (self.x0 + self.x1) / 2, (self.y0 + self.y1) / 2

    def holds(self, other: "Area", slack: float = 2.0) -> bool:
        """True when the centre of the other lies inside."""
        x, y = other.middle
        return self.x0 - slack <= x <= self.x1 + slack and self.y0 - slack <= y <= self.y1 + slack


@dataclass(frozen=True, slots=True)
class Word(Area):
    """Characters without a space between them; in Chinese often a whole line.

    Attributes:
        size: height of the font's box, comparable within a file.
    """

    text: str
    size: float
    bold: bool = False


@dataclass(frozen=True, slots=True)
class Page:
    """One page as read from the file or by OCR.

    Attributes:
        width: of the page as shown, in points; height likewise.
        runs: words in the order of the file, one run for each stretch on one line.
        rules: thin lines, horizontal or vertical, each as the area it covers.
        frames: rectangles drawn around something.
        dots: small round or square marks.
        images: where pictures stand.
        shapes: number of drawn shapes of any kind.
        turn: degrees by which the page was turned clockwise to be read.
        skew: degrees by which the lines of a scan fall to the right after turning; taken out of all places.
        doubt: why its text layer may not be what one sees, or empty.
        fonts: symbolic fonts of its text with their number of words; such fonts may lack a Unicode map.
        ocr: True when all its text was read from its picture.
        figures: pictures whose words, read by OCR, are labels rather than running text.
        confidence: mean confidence of what OCR read, 0..1; None without OCR.
        remarks: for ParsedPage.
    """

    number: int
    width: float
    height: float
    runs: tuple[tuple[Word, ...], ...]
    rules: tuple[Area, ...] = ()
    frames: tuple[Area, ...] = ()
    dots: tuple[Area, ...] = ()
    images: tuple[Area, ...] = ()
    shapes: int = 0
    turn: Turn = 0
    skew: float = 0.0
    doubt: str = ""
    fonts: tuple[tuple[str, int], ...] = ()
    ocr: bool = False
    figures: tuple[Area, ...] = ()
    confidence: float | None = None
    remarks: tuple[str, ...] = ()

    @property
    def reading_width(self) -> float:
        """Width after turning."""
        return self.height if self.turn in {90, 270} else self.width

    @property
    def reading_height(self) -> float:
        """Height after turning."""
        return self.width if self.turn in {90, 270} else self.height

    @property
    def characters(self) -> int:
        """Number of characters without spaces."""
        return sum(len(word.text) for run in self.runs for word in run)

    @property
    def picture(self) -> float:
        """Share of the page that its largest picture covers, 0..1."""
        largest = max((area.width * area.height for area in self.images), default=0.0)
        return min(1.0, largest / max(1.0, self.width * self.height))

    def box(self, area: Area) -> Box:
        """An area as fractions of the page as shown."""
        corners = [(area.x0, area.y0), (area.x1, area.y1)]
        if self.skew:
            corners += [(area.x0, area.y1), (area.x1, area.y0)]
        xs, ys = zip(*(self._shown(x, y) for x, y in corners), strict=True)
        left, right = _unit(min(xs) / self.width), _unit(max(xs) / self.width)
        top, bottom = _unit(min(ys) / self.height), _unit(max(ys) / self.height)
        return Box(self.number, left, top, right, bottom)

    def place(self, x: float, y: float) -> tuple[float, float]:
        """A point of the page as shown, in points, in reading space."""
        x, y = turned(x, y, self.turn, self.width, self.height)
        return rotated(x, y, -self.skew, self.reading_width / 2, self.reading_height / 2)

    def _shown(self, x: float, y: float) -> tuple[float, float]:
        x, y = rotated(x, y, self.skew, self.reading_width / 2, self.reading_height / 2)
        if self.turn == 90:
            return y, self.height - x
        if self.turn == 180:
            return self.width - x, self.height - y
        if self.turn == 270:
            return self.width - y, x
        return x, y


def turned(x: float, y: float, turn: Turn, width: float, height: float) -> tuple[float, float]:
    """A point of the page as shown -> reading space; width and height are those of the page as shown."""
    if turn == 90:
        return height - y, x
    if turn == 180:
        return width - x, height - y
    if turn == 270:
        return y, width - x
    return x, y


def rotated(x: float, y: float, degrees: float, cx: float, cy: float) -> tuple[float, float]:
    """A point turned clockwise (y runs downwards) around (cx, cy)."""
    if not degrees:
        return x, y
    sine, cosine = math.sin(math.radians(degrees)), math.cos(math.radians(degrees))
    return cx + (x - cx) * cosine - (y - cy) * sine, cy + (x - cx) * sine + (y - cy) * cosine


def around(areas: Iterable[Area]) -> Area:
    """The smallest rectangle around at least one area."""
    rest = iter(areas)
    first = next(rest)
    x0, y0, x1, y1 = first.x0, first.y0, first.x1, first.y1
    # Written out, because it is asked for each stretch of words of each page.
    for area in rest:
        if area.x0 < x0:
            x0 = area.x0
        if area.y0 < y0:
            y0 = area.y0
        if area.x1 > x1:
            x1 = area.x1
        if area.y1 > y1:
            y1 = area.y1
    return Area(x0, y0, x1, y1)


def joined(left: str, right: str) -> str:
    """Two pieces of text with the space between them that their script wants."""
    if not left or not right:
        return left + right
    if CJK.match(left[-1]) and CJK.match(right[0]):
        return left + right
    return f"{left} {right}"


def close_gaps(text: str) -> str:
    """Removes spaces between two Chinese characters, which justified setting leaves behind."""
    return _CJK_GAP.sub("", text)


def _unit(value: float) -> float:
    return round(min(1.0, max(0.0, value)), 4)
