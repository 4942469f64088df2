"""PDF -> pages of words with places, rules and frames, and the file's outline (pypdfium2).

PDFium reads what vendors deliver: AES with an empty user password, damaged cross references, Chinese
encodings. Its character boxes are taken at word ends only, which keeps thousands of pages a minute.
"""

import ctypes
import math
import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pypdfium2 as pdfium
import pypdfium2.raw as raw

from assistant.errors import DocumentError
from ingest.page import CJK, Area, Page, Turn, Word, around, turned

MAX_PAGES = 20_000
MAX_PATHS = 20_000
THIN = 3.0
MIN_DOT, MAX_DOT = 1.4, 10.0
_BOLD = re.compile(r"bold|black|heavy|semibold|demi", re.IGNORECASE)
_WORD = re.compile(r"[^\s\x00]+")
# Kangxi radicals and Latin ligatures stand for ordinary characters; U+0002 is PDFium's line-end hyphen.
_ORDINARY = {0x00A0: " ", 0xFB00: "ff", 0xFB01: "fi", 0xFB02: "fl", 0xFB03: "ffi", 0xFB04: "ffl"}
_CONTROLS = dict.fromkeys(
    [*range(0x00, 0x02), *range(0x03, 0x09), *range(0x0E, 0x20), 0xFFFE, 0xFFFF, 0x200B]
)


@dataclass(frozen=True, slots=True)
class OutlineEntry:
    """A bookmark: its title, 1-based page and depth from 1."""

    title: str
    page: int
    level: int


class PdfFile:
    """An open PDF; use as a context manager."""

    def __init__(self, path: Path) -> None:
        """Opens the file.

        Raises:
            DocumentError: password-protected, damaged, without pages or with absurdly many.
        """
        try:
            self._pdf = pdfium.PdfDocument(path)
            self.pages = len(self._pdf)
        except pdfium.PdfiumError as problem:
            raise DocumentError(f"{path.name} {_reason(problem)}", _todo(problem)) from problem
        if not 0 < self.pages <= MAX_PAGES:
            self._pdf.close()
            raise DocumentError(f"{path.name} has {self.pages} pages", f"1 to {MAX_PAGES} can be read.")

    def __enter__(self) -> "PdfFile":
        return self

    def __exit__(self, *_: object) -> None:
        self._pdf.close()

    @property
    def title(self) -> str:
        """The title in the file's properties, or empty."""
        return " ".join(str(self._pdf.get_metadata_value("Title")).split())

    def outline(self) -> tuple[OutlineEntry, ...]:
        """The bookmarks, outermost first; broken ones are left out."""
        entries = []
        for mark in self._pdf.get_toc(max_depth=6):
            target = mark.get_dest()
            page = target.get_index() if target else None
            title = " ".join(_clean(mark.get_title()).split())
            if page is not None and title:
                entries.append(OutlineEntry(title, page + 1, mark.level + 1))
        return tuple(entries)

    def page(self, number: int) -> Page:
        """Reads one page (1-based); a page that PDFium cannot load comes back empty."""
        try:
            page = self._pdf[number - 1]
        except pdfium.PdfiumError:
            return Page(number, 612.0, 792.0, ())
        try:
            return _read_page(page, number)
        finally:
            page.close()

    def picture(self, number: int, dpi: int) -> Any:
        """One page (1-based) as an RGB array, height x width x 3, uint8."""
        page = self._pdf[number - 1]
        try:
            scale = min(dpi / 72, 4000 / max(page.get_size()))
            return page.render(scale=scale, rev_byteorder=True).to_numpy()[:, :, :3].copy()
        finally:
            page.close()


@dataclass(frozen=True, slots=True)
class _Space:
    """From PDF user space to reading space of one page."""

    origin: tuple[float, float]
    across: tuple[float, float]
    down: tuple[float, float]
    width: float
    height: float
    turn: Turn

    def area(self, left: float, bottom: float, right: float, top: float) -> Area:
        """A rectangle of user space in reading space."""
        xa, ya = self._point(left, bottom)
        xb, yb = self._point(right, top)
        return Area(min(xa, xb), min(ya, yb), max(xa, xb), max(ya, yb))

    def _point(self, x: float, y: float) -> tuple[float, float]:
        shown_x = self.origin[0] + x * self.across[0] + y * self.down[0]
        shown_y = self.origin[1] + x * self.across[1] + y * self.down[1]
        return turned(shown_x, shown_y, self.turn, self.width, self.height)


def _read_page(page: Any, number: int) -> Page:
    width, height = page.get_size()
    text_page = page.get_textpage()
    try:
        text = _page_text(text_page)
        turn = _text_turn(text_page, text, page.get_rotation())
        space = _space_of(page, width, height, turn)
        runs = tuple(_runs(text_page, text, space))
        drawn = _drawings(page, space)
    finally:
        text_page.close()
    return Page(
        number,
        width,
        height,
        runs,
        tuple(drawn.rules),
        tuple(drawn.frames),
        tuple(drawn.dots),
        drawn.picture / max(1.0, width * height),
        turn,
    )


def _page_text(text_page: Any) -> str:
    count = text_page.count_chars()
    if not count:
        return ""
    text: str = text_page.get_text_range()
    if len(text) != count:
        # Characters outside the basic plane shift the text; then each is asked for by its index.
        text = "".join(_character(raw.FPDFText_GetUnicode(text_page, index)) for index in range(count))
    return text


def _character(code: int) -> str:
    return chr(code) if 0 < code < 0x110000 and not 0xD800 <= code < 0xE000 else "\0"


def _text_turn(text_page: Any, text: str, rotation: int) -> Turn:
    """The clockwise turn after which most of a sample of the page's characters stand upright."""
    step = max(1, len(text) // 40)
    votes: Counter[Turn] = Counter()
    turns: tuple[Turn, ...] = (0, 270, 180, 90)
    for index in range(0, len(text), step):
        if not text[index].isspace():
            # PDFium measures clockwise, in radians, and before the page's own rotation.
            quarters = round(raw.FPDFText_GetCharAngle(text_page, index) / (math.pi / 2))
            votes[turns[(quarters + rotation // 90) % 4]] += 1
    return votes.most_common(1)[0][0] if votes else 0


def _space_of(page: Any, width: float, height: float, turn: Turn) -> _Space:
    scale = 100
    x, y = ctypes.c_int(), ctypes.c_int()

    def shown(px: float, py: float) -> tuple[float, float]:
        raw.FPDF_PageToDevice(page, 0, 0, round(width * scale), round(height * scale), 0, px, py, x, y)
        return x.value / scale, y.value / scale

    origin, right, up = shown(0, 0), shown(1000, 0), shown(0, 1000)
    across = ((right[0] - origin[0]) / 1000, (right[1] - origin[1]) / 1000)
    down = ((up[0] - origin[0]) / 1000, (up[1] - origin[1]) / 1000)
    return _Space(origin, across, down, width, height, turn)


def _runs(text_page: Any, text: str, space: _Space) -> Iterator[tuple[Word, ...]]:
    rect, flags, name = raw.FS_RECTF(), ctypes.c_int(), ctypes.create_string_buffer(128)

    def box(index: int) -> Area:
        raw.FPDFText_GetLooseCharBox(text_page, index, rect)
        return space.area(rect.left, rect.bottom, rect.right, rect.top)

    for line in re.finditer(r"[^\r\n]+", text):
        words = []
        for match in _WORD.finditer(line.group()):
            start, end = line.start() + match.start(), line.start() + match.end()
            first = box(start)
            last = first if end - start == 1 else box(end - 1)
            raw.FPDFText_GetFontInfo(text_page, start, name, 128, flags)
            weight = raw.FPDFText_GetFontWeight(text_page, start)
            bold = weight >= 600 or bool(_BOLD.search(name.value.decode("utf-8", "replace")))
            pieces = [(start, end, first, last)]
            if CJK.match(match.group()) and _is_stretched(match.group(), first, last):
                pieces = list(_pieces(start, end, box))
            for begin, stop, left, right in pieces:
                content = _clean(text[begin:stop])
                if content:
                    area = around((left, right))
                    size = round(first.height, 1)
                    words.append(Word(area.x0, area.y0, area.x1, area.y1, content, size, bold))
        if words:
            yield tuple(words)


def _is_stretched(text: str, first: Area, last: Area) -> bool:
    """True when Chinese characters take more room than they need: PDFium puts no space into such gaps."""
    full = sum(1 for char in text if CJK.match(char))
    needed = (full + 0.6 * (len(text) - full)) * first.width
    return last.x1 - first.x0 > needed + 0.8 * first.width


def _pieces(start: int, end: int, box: Callable[[int], Area]) -> Iterator[tuple[int, int, Area, Area]]:
    """Cuts characters start..end where a gap opens between two of them."""
    begin, left = start, box(start)
    last = left
    for index in range(start + 1, end):
        here = box(index)
        if here.x0 - last.x1 > 0.5 * here.height:
            yield begin, index, left, last
            begin, left = index, here
        last = here
    yield begin, end, left, last


@dataclass(slots=True)
class _Drawings:
    """What is drawn on a page, apart from text."""

    rules: list[Area] = field(default_factory=list)
    frames: list[Area] = field(default_factory=list)
    dots: list[Area] = field(default_factory=list)
    picture: float = 0.0


def _drawings(page: Any, space: _Space) -> _Drawings:
    """Thin lines, frames, dots, and the area of the largest picture."""
    found = _Drawings()
    kinds = [raw.FPDF_PAGEOBJ_PATH, raw.FPDF_PAGEOBJ_IMAGE]
    for count, item in enumerate(page.get_objects(filter=kinds, max_depth=3)):
        if count >= MAX_PATHS:
            break
        try:
            area = space.area(*item.get_bounds())
        except pdfium.PdfiumError:
            continue
        if item.type == raw.FPDF_PAGEOBJ_IMAGE:
            found.picture = max(found.picture, area.width * area.height)
        elif _is_dot(area):
            found.dots.append(area)
        elif area.width <= THIN or area.height <= THIN:
            if max(area.width, area.height) >= 8:
                found.rules.append(area)
        elif area.width >= 12 and area.height >= 6:
            _add_path(item, area, space, found.rules, found.frames)
    return found


def _is_dot(area: Area) -> bool:
    short, long = sorted((area.width, area.height))
    return MIN_DOT <= short and long <= MAX_DOT and long < 1.5 * short


def _add_path(item: Any, area: Area, space: _Space, rules: list[Area], frames: list[Area]) -> None:
    """A path larger than a line: a frame when it is one rectangle, else its straight pieces as rules."""
    count = raw.FPDFPath_CountSegments(item)
    if count <= 6:
        frames.append(area)
        return
    if count > 2000:
        return
    x, y = ctypes.c_float(), ctypes.c_float()
    matrix = item.get_matrix()
    previous: tuple[float, float] | None = None
    for index in range(count):
        segment = raw.FPDFPath_GetPathSegment(item, index)
        raw.FPDFPathSegment_GetPoint(segment, x, y)
        point = matrix.on_point(x.value, y.value)
        kind = raw.FPDFPathSegment_GetType(segment)
        if kind == raw.FPDF_SEGMENT_LINETO and previous is not None:
            piece = space.area(*previous, *point)
            if min(piece.width, piece.height) <= 1 and max(piece.width, piece.height) >= 8:
                rules.append(piece)
        previous = point


def _clean(text: str) -> str:
    text = text.translate(_CONTROLS)
    if any("\u2e80" <= char <= "\u2fdf" or ord(char) in _ORDINARY for char in text):
        import unicodedata

        text = "".join(
            _ORDINARY.get(ord(c)) or (unicodedata.normalize("NFKC", c) if "\u2e80" <= c <= "\u2fdf" else c)
            for c in text
        )
    return text


def _reason(problem: Exception) -> str:
    text = str(problem).lower()
    if "password" in text:
        return "is protected by a password"
    if "security" in text:
        return "is encrypted in a way that cannot be read"
    return "is damaged or not a PDF"


def _todo(problem: Exception) -> str:
    if "password" in str(problem).lower():
        return "Save a copy without the password and ingest that."
    return "Open and save it anew with a PDF program, or ask its publisher for another copy."
