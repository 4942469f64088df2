"""Pages and parts of pages whose text is only a picture, read by OCR.

Three cases: pages without a text layer, pages whose text layer is not what one sees, and pictures (plates,
labels, tables) on pages that have text elsewhere.
"""

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from ingest.page import CJK, Area, OcrMode, Page, Word, around
from ingest.pdf import PdfFile
from ingest.pictures import picture_areas
from ingest.reading import Corners, Reading, TextLine
from ingest.text_doubt import NO_MAP, looks_scrambled

if TYPE_CHECKING:
    from ingest.ocr_engine import Picture, TextReader

DPI, SMALL_PAGE_DPI = 150, 200
# Points; a smaller page is a label or a photograph rather than paper.
SMALL_PAGE = 500
# A page with fewer characters than this that is mostly picture or drawing has no text layer worth the name.
FEW_CHARACTERS = 30
COVERED = 0.5
MANY_SHAPES = 200
PART_DPI = 200
# A picture with no line of so many letters (Chinese ones count twice), read as surely, tells nothing.
FEW_LETTERS, SURE = 3, 0.8
# A text layer that agrees with OCR to this share stays.
AGREES = 0.7
# A line covered by words of the text layer to this share stands there already.
DOUBLE = 0.3
# Of the characters in a picture, those in lines this long make it running text.
RUNNING_SHARE, RUNNING_LINE, RUNNING_LINES = 0.6, 30, 5


class PageOcr:
    """Reads the pages of one file; pictures that repeat are read once."""

    def __init__(self, pdf: PdfFile, mode: OcrMode = "auto") -> None:
        """Takes the open file; loads no model before a picture wants it.

        Args:
            pdf: whose pages are to be read.
            mode: "auto" reads pages and pictures, "pages" leaves pictures on pages with text alone, "off"
                reads nothing.
        """
        self._pdf = pdf
        self._mode = mode
        self._seen: dict[bytes, Reading] = {}

    def completed(self, page: Page) -> Page:
        """The page with what only its picture tells.

        Raises:
            MissingExtraError: OCR is needed and its packages are not installed.
        """
        if self._mode == "off":
            return page
        if needs_ocr(page):
            return self._whole(page, "no text layer, read by OCR")
        doubt = self._doubt(page)
        if doubt:
            read = self._whole(page, f"{doubt}, read by OCR")
            if read.characters and not _agree(page, read):
                return read
        if self._mode == "pages":
            return page
        return self._with_pictures(page)

    @staticmethod
    def _reader() -> "TextReader":
        # Loads numpy, OpenVINO and the models: only for files that need them.
        from ingest.ocr_engine import text_reader

        return text_reader()

    def _doubt(self, page: Page) -> str:
        if page.doubt or not page.fonts:
            return page.doubt
        if not looks_scrambled(" ".join(word.text for run in page.runs for word in run)):
            return ""
        unmapped = self._pdf.fonts.unmapped(page.number)
        words = sum(count for name, count in page.fonts if name in unmapped)
        return NO_MAP if 2 * words > sum(len(run) for run in page.runs) else ""

    def _whole(self, page: Page, remark: str) -> Page:
        dpi = DPI if max(page.width, page.height) >= SMALL_PAGE else SMALL_PAGE_DPI
        picture = self._pdf.picture(page.number, dpi)
        reading = self._reader().read(picture)
        remarks = [*page.remarks, remark if reading.lines else "no text found in its picture"]
        if reading.turn:
            remarks.append(f"turned by {reading.turn}°")
        # Rules and frames hold for the page as PDFium reads it, which may be turned otherwise.
        bare = Page(page.number, page.width, page.height, (), shapes=page.shapes)
        if page.turn == reading.turn and not reading.skew:
            bare = replace(bare, rules=page.rules, frames=page.frames, images=page.images)
        bare = replace(bare, turn=reading.turn, skew=reading.skew)
        scale = page.width / picture.shape[1], page.height / picture.shape[0]
        return replace(
            bare,
            runs=tuple(_run(line, bare, scale, (0.0, 0.0)) for line in reading.lines),
            ocr=True,
            confidence=_confidence(reading.lines),
            remarks=tuple(remarks),
        )

    def _with_pictures(self, page: Page) -> Page:
        found: list[tuple[Word, ...]] = []
        figures: list[Area] = []
        lines: list[TextLine] = []
        read = 0
        for area in picture_areas(page):
            runs, held = self._picture(page, area)
            if not runs:
                continue
            read += 1
            lines += held
            if _is_running_text(held):
                size = _usual_size(page)
                runs = [tuple(replace(word, size=size or word.size) for word in run) for run in runs]
            else:
                figures.append(area)
            found += runs
        if not read:
            return page
        return replace(
            page,
            runs=(*page.runs, *found),
            figures=tuple(figures),
            confidence=_confidence(lines),
            remarks=(*page.remarks, f"{read} {'picture' if read == 1 else 'pictures'} read by OCR"),
        )

    def _picture(self, page: Page, area: Area) -> tuple[list[tuple[Word, ...]], list[TextLine]]:
        """The words in one picture that the text layer lacks, as runs and as read."""
        shown = _shown(page, area)
        picture = self._pdf.picture(page.number, PART_DPI, shown)
        scale = shown.width / picture.shape[1], shown.height / picture.shape[0]
        layer = [word for run in page.runs for word in run if area.holds(word)]
        key = hashlib.sha256(picture.tobytes()).digest()
        if key not in self._seen:
            self._seen[key] = self._reading(picture, page, layer, scale, (shown.x0, shown.y0))
        reading = self._seen[key]
        runs, lines = [], []
        # What stands sideways in a picture on an upright page is placed as the page is read.
        for line in reading.lines:
            run = _run(line, page, scale, (shown.x0, shown.y0))
            if run and not _covered(around(run), layer):
                runs.append(run)
                lines.append(line)
        return (runs, lines) if any(_is_telling(line) for line in lines) else ([], [])

    def _reading(
        self,
        picture: "Picture",
        page: Page,
        layer: Sequence[Word],
        scale: tuple[float, float],
        origin: tuple[float, float],
    ) -> Reading:
        """Reads a picture only when a glance at it finds a word that the text layer lacks."""
        words = [_placed(corners, page, scale, origin) for corners in self._reader().glance(picture)]
        return self._reader().read(picture) if any(not _covered(word, layer) for word in words) else Reading()


def needs_ocr(page: Page) -> bool:
    """True for a page that shows a picture, or letters drawn as shapes, where its text should be."""
    return page.characters < FEW_CHARACTERS and (page.picture >= COVERED or page.shapes >= MANY_SHAPES)


def _run(
    line: TextLine, page: Page, scale: tuple[float, float], origin: tuple[float, float]
) -> tuple[Word, ...]:
    """One word for each piece between spaces, placed in proportion to its letters."""
    area = _placed(line.corners, page, scale, origin)
    unit = area.width / max(1, len(line.text))
    words, at = [], 0
    for piece in line.text.split(" "):
        if piece:
            start = area.x0 + at * unit
            words.append(
                Word(start, area.y0, start + len(piece) * unit, area.y1, piece, round(area.height, 1))
            )
        at += len(piece) + 1
    return tuple(words)


def _placed(corners: Corners, page: Page, scale: tuple[float, float], origin: tuple[float, float]) -> Area:
    points = [page.place(origin[0] + x * scale[0], origin[1] + y * scale[1]) for x, y in corners]
    return around(Area(x, y, x, y) for x, y in points)


def _shown(page: Page, area: Area) -> Area:
    box = page.box(area)
    return Area(box.x0 * page.width, box.y0 * page.height, box.x1 * page.width, box.y1 * page.height)


def _covered(area: Area, layer: Sequence[Word]) -> bool:
    shared = 0.0
    for word in layer:
        across = min(area.x1, word.x1) - max(area.x0, word.x0)
        down = min(area.y1, word.y1) - max(area.y0, word.y0)
        shared += max(0.0, across) * max(0.0, down)
    return shared > DOUBLE * area.width * area.height


def _is_telling(line: TextLine) -> bool:
    """False for bare numbers: callouts mean nothing without the drawing."""
    letters = sum(2 if CJK.match(char) else 1 for char in line.text if char.isalpha())
    return letters >= FEW_LETTERS and line.confidence >= SURE


def _is_running_text(lines: Sequence[TextLine]) -> bool:
    full = [len(line.text) for line in lines if len(line.text) >= RUNNING_LINE]
    return len(full) >= RUNNING_LINES and sum(full) >= RUNNING_SHARE * sum(len(line.text) for line in lines)


def _usual_size(page: Page) -> float:
    sizes = sorted(word.size for run in page.runs for word in run)
    return sizes[len(sizes) // 2] if sizes else 0.0


def _confidence(lines: Sequence[TextLine]) -> float | None:
    characters = sum(len(line.text) for line in lines)
    if not characters:
        return None
    return round(sum(line.confidence * len(line.text) for line in lines) / characters, 3)


def _agree(layer: Page, read: Page) -> bool:
    """True when the text layer says what OCR sees, compared by the characters on the page."""
    one, two = (Counter("".join(w.text for run in page.runs for w in run)) for page in (layer, read))
    return 2 * (one & two).total() >= AGREES * (one.total() + two.total())
