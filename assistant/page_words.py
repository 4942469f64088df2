"""Where on a page of a PDF the words of a quoted place stand: the mark covers no more than they do."""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from assistant.schema import Box

# A place is found when this share of its words stands together.
ENOUGH = 0.6
# How far outside its passage a word may reach, and how wide a gap parts two marks, as fractions of the page.
MARGIN, GAP = 0.01, 0.04
# How the cells of a row are parted in a chunk, and each from the words of its header.
CELLS, LABELLED = " | ", ": "
_WORD = re.compile(r"[\u3400-\u9fff]|[^\W_]+")


@dataclass(frozen=True, slots=True)
class PageWord:
    """A word (or one Chinese character) in normal form, and where it stands."""

    text: str
    box: Box


def narrowed(sheet: Any, page: int, boxes: Sequence[Box], texts: Sequence[str]) -> list[Box]:
    """The parts of boxes that texts take up; all of them when a text is not found (a scan, say).

    Args:
        sheet: an open page of pypdfium2; the caller holds PDFium's lock.
        page: its 1-based number.
        boxes: of the passage on this page.
        texts: what is quoted from the passage.
    """
    if not texts or not boxes or sheet.get_rotation():
        return list(boxes)
    words = [word for word in _words_of(sheet, page) if _within(word.box, boxes)]
    found = [_place(words, _normal(text)) for text in texts]
    if not all(found):
        return list(boxes)
    return [mark for place in found for mark in _lines(place)]


def _place(words: Sequence[PageWord], wanted: Sequence[str]) -> list[PageWord]:
    """The stretch of words that holds most of what is wanted; empty when that is too little."""
    if not wanted:
        return []
    size, needed = len(wanted), Counter(wanted)
    best, best_start = 0, 0
    seen: Counter[str] = Counter()
    overlap = 0
    for end, word in enumerate(words):
        seen[word.text] += 1
        overlap += seen[word.text] <= needed[word.text]
        if end >= size:
            left = words[end - size].text
            overlap -= seen[left] <= needed[left]
            seen[left] -= 1
        if overlap > best:
            best, best_start = overlap, max(end - size + 1, 0)
    if best < ENOUGH * size:
        return []
    stretch = words[best_start : best_start + size]
    matched = [index for index, word in enumerate(stretch) if word.text in needed]
    return list(stretch[matched[0] : matched[-1] + 1])


def _lines(words: Sequence[PageWord]) -> Iterator[Box]:
    """One box for each line of words; a wide gap, as between cells, begins another."""
    line: Box | None = None
    for word in words:
        box = word.box
        if line and box.y0 < line.y1 and box.y1 > line.y0 and -GAP < box.x0 - line.x1 < GAP:
            line = Box(
                line.page,
                min(line.x0, box.x0),
                min(line.y0, box.y0),
                max(line.x1, box.x1),
                max(line.y1, box.y1),
            )
            continue
        if line:
            yield line
        line = box
    if line:
        yield line


def _words_of(sheet: Any, page: int) -> list[PageWord]:
    """The words of the page's text layer in its order."""
    from pypdfium2 import raw

    layer = sheet.get_textpage()
    try:
        count = layer.count_chars()
        signs = [chr(raw.FPDFText_GetUnicode(layer, index) or 32) for index in range(count)]
        text = "".join(signs)
        left, bottom, right, top = sheet.get_cropbox()
        width, height = max(right - left, 1.0), max(top - bottom, 1.0)
        words = []
        for match in _WORD.finditer(text):
            corners = [layer.get_charbox(index, loose=True) for index in range(match.start(), match.end())]
            words.append(
                PageWord(
                    _fold(match.group()),
                    Box(
                        page,
                        (min(corner[0] for corner in corners) - left) / width,
                        (top - max(corner[3] for corner in corners)) / height,
                        (max(corner[2] for corner in corners) - left) / width,
                        (top - min(corner[1] for corner in corners)) / height,
                    ),
                )
            )
        return words
    finally:
        layer.close()


def _within(word: Box, boxes: Sequence[Box]) -> bool:
    x, y = (word.x0 + word.x1) / 2, (word.y0 + word.y1) / 2
    return any(
        box.x0 - MARGIN <= x <= box.x1 + MARGIN and box.y0 - MARGIN <= y <= box.y1 + MARGIN for box in boxes
    )


def _normal(text: str) -> list[str]:
    """The words of a text as the page has them: the cells of a row without the words of their header."""
    cells = text.split(CELLS)
    if len(cells) > 1:
        text = " ".join(cell.partition(LABELLED)[2] or cell for cell in cells)
    return [_fold(word) for word in _WORD.findall(text)]


def _fold(word: str) -> str:
    return unicodedata.normalize("NFKC", word).casefold()
