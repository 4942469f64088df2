"""What a PDF says of itself beside its pages: bookmarks, printed page labels, attachments (pypdf).

PDFium opens the file first and tells in microseconds whether there is anything of that kind; pypdf is asked
only then. Where pypdf fails or takes too long on a damaged file, PDFium's answer stands, so that it never
costs a readable file.
"""

import logging
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pypdfium2 as pdfium
import pypdfium2.raw as raw

from ingest.pdf_text import clean

PATIENCE_S = 5.0
MAX_DEPTH = 6
MAX_ENTRIES = 20_000
MAX_LABEL = 24


@dataclass(frozen=True, slots=True)
class OutlineEntry:
    """A bookmark: its title, 1-based page and depth from 1."""

    title: str
    page: int
    level: int


@dataclass(frozen=True, slots=True)
class Structure:
    """What the file says of itself.

    Attributes:
        outline: bookmarks in order, outermost first; broken ones are left out.
        labels: printed number of each page, or nothing when the file tells none.
        remarks: what a supervisor should know of the file, one line each.
    """

    outline: tuple[OutlineEntry, ...] = ()
    labels: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()


def read_structure(path: Path, pdf: pdfium.PdfDocument) -> Structure:
    """Reads the structure of a file that PDFium has open."""
    count = len(pdf)
    has_outline = bool(raw.FPDFBookmark_GetFirstChild(pdf, None))
    # The first page may go without a label, so the last is asked too.
    has_labels = any(pdf.get_page_label(index) for index in {0, count // 2, count - 1})
    attachments = max(0, raw.FPDFDoc_GetAttachmentCount(pdf))
    scripts = max(0, raw.FPDFDoc_GetJavaScriptActionCount(pdf))
    outline: tuple[OutlineEntry, ...] = ()
    labels: tuple[str, ...] = ()
    failed = False
    if has_outline or has_labels:
        try:
            with _within(PATIENCE_S):
                outline, labels = _from_pypdf(path, count, has_outline, has_labels)
        except (Exception, RecursionError):
            # Whatever a damaged file does to pypdf, PDFium has opened it: the file stays readable.
            failed = True
            outline, labels = (), ()
    outline = outline or (_pdfium_outline(pdf) if has_outline else ())
    if has_labels and not any(labels):
        labels = tuple(_label(pdf.get_page_label(index)) for index in range(count))
    return Structure(outline, labels, _remarks(pdf, attachments, scripts, failed))


def _remarks(pdf: pdfium.PdfDocument, attachments: int, scripts: int, failed: bool) -> tuple[str, ...]:
    found = []
    if attachments:
        found.append(f"{attachments} attached {'file' if attachments == 1 else 'files'} not read")
    if scripts:
        found.append("holds JavaScript, which is never run")
    if raw.FPDF_GetSecurityHandlerRevision(pdf) > 0:
        found.append("encrypted, opens without a password")
    if failed:
        found.append("bookmarks or page labels are damaged")
    return tuple(found)


def _from_pypdf(
    path: Path, count: int, has_outline: bool, has_labels: bool
) -> tuple[tuple[OutlineEntry, ...], tuple[str, ...]]:
    import pypdf

    # Its warnings on damaged files would fill the log; the remarks say what matters.
    logging.getLogger("pypdf").setLevel(logging.CRITICAL)
    with pypdf.PdfReader(path) as reader:
        if len(reader.pages) != count:
            raise ValueError("the two parsers count different pages")
        outline = tuple(_entries(reader, reader.outline, 1)) if has_outline else ()
        labels = tuple(_label(label) for label in reader.page_labels) if has_labels else ()
    return outline[:MAX_ENTRIES], labels


def _entries(reader: Any, marks: list[Any], level: int) -> Iterator[OutlineEntry]:
    """The bookmarks below one follow it as a list of their own."""
    for mark in marks:
        if isinstance(mark, list):
            if level < MAX_DEPTH:
                yield from _entries(reader, mark, level + 1)
            continue
        title = " ".join(clean(str(mark.title or "")).split())
        page = reader.get_destination_page_number(mark)
        if title and page is not None and page >= 0:
            yield OutlineEntry(title, page + 1, level)


def _pdfium_outline(pdf: pdfium.PdfDocument) -> tuple[OutlineEntry, ...]:
    entries = []
    for mark in pdf.get_toc(max_depth=MAX_DEPTH):
        target = mark.get_dest()
        page = target.get_index() if target else None
        title = " ".join(clean(mark.get_title()).split())
        if page is not None and title:
            entries.append(OutlineEntry(title, page + 1, mark.level + 1))
        if len(entries) >= MAX_ENTRIES:
            break
    return tuple(entries)


def _label(label: object) -> str:
    return " ".join(clean(str(label or "")).split())[:MAX_LABEL]


@contextmanager
def _within(seconds: float) -> Iterator[None]:
    """Ends the block with a TimeoutError when it takes longer; only a main thread can be interrupted so."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(_signal: int, _frame: object) -> None:
        raise TimeoutError

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


class FontMaps:
    """Tells which fonts of a page have no Unicode map; opens the file only when first asked."""

    def __init__(self, path: Path) -> None:
        """Takes the file that PDFium reads."""
        self._path = path
        self._reader: Any = None
        self._broken = False

    def unmapped(self, page: int) -> frozenset[str]:
        """Names of the page's fonts whose codes nothing translates to characters; empty where pypdf fails.

        Such is a symbolic TrueType font without an encoding, or a composite font of the writer's own glyph
        numbers, when neither has a ToUnicode table (PDF 32000-1, 9.10.2).

        Args:
            page: 1-based.
        """
        if self._broken:
            return frozenset()
        try:
            with _within(PATIENCE_S):
                return frozenset(self._names(page))
        except (Exception, RecursionError):
            # The text layer then stays as it would without this check.
            self._broken = True
            return frozenset()

    def _names(self, page: int) -> Iterator[str]:
        import pypdf

        if self._reader is None:
            logging.getLogger("pypdf").setLevel(logging.CRITICAL)
            self._reader = pypdf.PdfReader(self._path)
        resources = self._reader.pages[page - 1].get("/Resources", {}).get_object()
        for font in resources.get("/Font", {}).get_object().values():
            font = font.get_object()
            if _is_unmapped(font):
                # PDFium leaves out the mark of a subset, "ABCDEF+".
                yield str(font.get("/BaseFont", "")).lstrip("/").split("+")[-1]


def _is_unmapped(font: Any) -> bool:
    if "/ToUnicode" in font:
        return False
    if font.get("/Subtype") == "/TrueType":
        descriptor = font.get("/FontDescriptor", {})
        return "/Encoding" not in font and "/FontFile2" in descriptor
    if font.get("/Subtype") == "/Type0":
        inner = font["/DescendantFonts"][0].get_object()
        ordering = str(inner.get("/CIDSystemInfo", {}).get("/Ordering", "Identity"))
        return str(font.get("/Encoding")) in {"/Identity-H", "/Identity-V"} and ordering == "Identity"
    return False
