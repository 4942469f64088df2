"""PDF -> pages of words with places, rules and frames, and pictures of pages (pypdfium2).

PDFium reads what vendors deliver: AES with an empty user password, damaged cross references, Chinese
encodings.
"""

from pathlib import Path
from typing import Any

import pypdfium2 as pdfium

from assistant.errors import DocumentError
from ingest.page import Area, Page
from ingest.pdf_structure import FontMaps, OutlineEntry, Structure, read_structure
from ingest.pdf_text import read_page

__all__ = ["MAX_PAGES", "OutlineEntry", "PdfFile"]
MAX_PAGES = 20_000
# Pixels of a rendered page or part: an A4 page at 150 dpi. OCR takes about 400 MB for each million.
MAX_PIXELS = 2_200_000


class PdfFile:
    """An open PDF; use as a context manager."""

    def __init__(self, path: Path) -> None:
        """Opens the file.

        Raises:
            DocumentError: password-protected, damaged, without pages or with absurdly many.
        """
        self._path = path
        self.fonts = FontMaps(path)
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

    def structure(self) -> Structure:
        """Bookmarks, printed page labels, and what is remarkable about the file."""
        return read_structure(self._path, self._pdf)

    def page(self, number: int) -> Page:
        """Reads one page (1-based); a page that PDFium cannot load comes back empty."""
        try:
            page = self._pdf[number - 1]
        except pdfium.PdfiumError:
            return Page(number, 612.0, 792.0, ())
        try:
            return read_page(page, number)
        finally:
            page.close()

    def picture(self, number: int, dpi: float, part: Area | None = None) -> Any:
        """One page (1-based), or a part of it, as an RGB array, height x width x 3, uint8.

        Args:
            number: of the page.
            dpi: wanted; less where the picture would get larger than MAX_PIXELS.
            part: in points of the page as shown, y downwards.
        """
        page = self._pdf[number - 1]
        try:
            width, height = page.get_size()
            part = part or Area(0, 0, width, height)
            scale = min(dpi / 72, (MAX_PIXELS / max(1.0, part.width * part.height)) ** 0.5)
            crop = tuple(max(0.0, cut) for cut in (part.x0, height - part.y1, width - part.x1, part.y0))
            image = page.render(scale=scale, crop=crop, rev_byteorder=True).to_numpy()
            return image[:, :, :3].copy()
        finally:
            page.close()


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
