"""The words of a PDF page with their places.

Character boxes are asked for at word ends only, which keeps thousands of pages a minute.
"""

import ctypes
import math
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any

import pypdfium2.raw as raw

from ingest.page import CJK, Area, Page, Turn, Word
from ingest.pdf_drawings import read_drawings
from ingest.pdf_space import Space, space_of
from ingest.text_doubt import doubt_of

# Flag of a font that has an encoding of its own (PDF 32000-1, table 123).
SYMBOLIC = 4

_BOLD = re.compile(r"bold|black|heavy|semibold|demi", re.IGNORECASE)
_LINE = re.compile(r"[^\r\n]+")
_WORD = re.compile(r"[^\s\x00]+")
# Kangxi radicals and Latin ligatures stand for ordinary characters; U+0002 is PDFium's line-end hyphen.
_ORDINARY = {0x00A0: " ", 0xFB00: "ff", 0xFB01: "fi", 0xFB02: "fl", 0xFB03: "ffi", 0xFB04: "ffl"}
_CONTROLS = dict.fromkeys([0, 1, *range(0x03, 0x09), *range(0x0E, 0x20), 0xFFFE, 0xFFFF, 0x200B])


def read_page(page: Any, number: int) -> Page:
    """Reads an open PDFium page; `number` is 1-based."""
    width, height = page.get_size()
    text_page = page.get_textpage()
    try:
        text = _page_text(text_page)
        turn = _text_turn(text_page, text, page.get_rotation())
        space = space_of(page, width, height, turn)
        fonts: Counter[str] = Counter()
        runs = tuple(_runs(text_page, text, space, fonts))
        doubt = doubt_of(text_page, text)
        drawn = read_drawings(page, space)
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
        tuple(drawn.images),
        drawn.shapes,
        turn,
        doubt=doubt,
        fonts=tuple(fonts.items()),
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


def _runs(text_page: Any, text: str, space: Space, fonts: Counter[str]) -> Iterator[tuple[Word, ...]]:
    """The words line by line; counts the words in symbolic fonts by the font's name."""
    rect, flags, name = raw.FS_RECTF(), ctypes.c_int(), ctypes.create_string_buffer(128)
    # The helper would be turned into this handle at every one of thousands of calls.
    text_page = text_page.raw
    bold_fonts: dict[bytes, bool] = {}

    def box(index: int) -> Area:
        raw.FPDFText_GetLooseCharBox(text_page, index, rect)
        return space.area(rect.left, rect.bottom, rect.right, rect.top)

    def is_bold(index: int) -> bool:
        raw.FPDFText_GetFontInfo(text_page, index, name, 128, flags)
        if flags.value & SYMBOLIC:
            fonts[_decoded(name.value)] += 1
        font = name.value
        if font not in bold_fonts:
            bold_fonts[font] = _names_bold(font) or raw.FPDFText_GetFontWeight(text_page, index) >= 600
        return bold_fonts[font]

    for line in _LINE.finditer(text):
        words = []
        for match in _WORD.finditer(text, line.start(), line.end()):
            start, end = match.span()
            first = box(start)
            last = first if end - start == 1 else box(end - 1)
            bold, size = is_bold(start), round(first.height, 1)
            if CJK.match(match.group()) and _is_stretched(match.group(), first, last):
                pieces = _pieces(start, end, box)
            else:
                pieces = iter(((start, end, first, last),))
            for begin, stop, left, right in pieces:
                content = clean(text[begin:stop])
                if content:
                    words.append(_word(content, left, right, size, bold))
        if words:
            yield tuple(words)


def _word(text: str, first: Area, last: Area, size: float, bold: bool) -> Word:
    """A word from the boxes of its outer characters; right-to-left text has its first on the right."""
    left, right = (first, last) if first.x0 <= last.x0 else (last, first)
    return Word(left.x0, min(left.y0, right.y0), right.x1, max(left.y1, right.y1), text, size, bold)


@lru_cache(maxsize=256)
def _decoded(font: bytes) -> str:
    return font.decode("utf-8", "replace")


@lru_cache(maxsize=256)
def _names_bold(font: bytes) -> bool:
    return bool(_BOLD.search(font.decode("utf-8", "replace")))


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


def clean(text: str) -> str:
    """Text without control characters, with ordinary characters for ligatures and radicals."""
    if text.isascii() and text.isprintable():
        return text
    text = text.translate(_CONTROLS)
    if any("\u2e80" <= char <= "\u2fdf" or ord(char) in _ORDINARY for char in text):
        text = "".join(
            _ORDINARY.get(ord(c)) or (unicodedata.normalize("NFKC", c) if "\u2e80" <= c <= "\u2fdf" else c)
            for c in text
        )
    return text
