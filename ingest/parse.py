"""One file -> its pages of blocks; runs inside the sandbox."""

from collections.abc import Callable
from pathlib import Path

from assistant.errors import DocumentError
from assistant.schema import ParsedFile
from ingest.files import FileType

Progress = Callable[[int, int], None]


def parse_file(path: Path, kind: FileType, progress: Progress) -> ParsedFile:
    """Parses a file of a known type.

    Args:
        path: the file.
        kind: from file_type().
        progress: called with (pages done, pages in all).

    Raises:
        DocumentError: damaged, protected, or without any text.
    """
    if kind == "pdf":
        return _parse_pdf(path, progress)
    from ingest.text import read_text_file

    parsed = read_text_file(path, kind)
    progress(1, 1)
    return parsed


def _parse_pdf(path: Path, progress: Progress) -> ParsedFile:
    from ingest.layout import read_layout
    from ingest.ocr import needs_ocr, read_picture
    from ingest.pdf import PdfFile

    with PdfFile(path) as pdf:
        pages = []
        for number in range(1, pdf.pages + 1):
            page = pdf.page(number)
            if needs_ocr(page):
                page = read_picture(pdf, page)
            pages.append(page)
            progress(number, pdf.pages)
        parsed = read_layout(pages, pdf.outline())
        title = pdf.title
    if not any(block.text for page in parsed for block in page.blocks):
        raise DocumentError(f"{path.name} holds no text to read", "Scan it anew with better contrast.")
    return ParsedFile(title or path.stem, parsed)
