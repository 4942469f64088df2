"""PDF -> pages of words with places, rules and frames, and the file's outline (pypdfium2).

PDFium reads what vendors deliver: AES with an empty user password, damaged cross references, Chinese
encodings.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pypdfium2 as pdfium

from assistant.errors import DocumentError
from ingest.page import Page
from ingest.pdf_text import clean, read_page

MAX_PAGES = 20_000


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
            title = " ".join(clean(mark.get_title()).split())
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
            return read_page(page, number)
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
