"""One file -> its pages of blocks; runs inside the sandbox."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from assistant.errors import DocumentError
from assistant.schema import ParsedFile
from ingest.files import FileType
from ingest.page import OcrMode
from ingest.screening import screened

Progress = Callable[[int, int], None]


def parse_file(path: Path, kind: FileType, progress: Progress, ocr: OcrMode = "auto") -> ParsedFile:
    """Parses a file of a known type.

    Args:
        path: the file.
        kind: from file_type().
        progress: called with (pages done, pages in all).
        ocr: what of a PDF is read by OCR, see ingest.ocr.PageOcr.

    Raises:
        DocumentError: damaged, protected, or without any text.
    """
    if kind == "pdf":
        return screened(_parse_pdf(path, progress, ocr))
    parsed = _parse_pageless(path, kind)
    progress(1, 1)
    return screened(parsed)


def _parse_pageless(path: Path, kind: FileType) -> ParsedFile:
    """Each reader is imported only where it is needed: what they need is slow to load."""
    if kind == "docx":
        from ingest.docx import read_docx

        return read_docx(path)
    if kind in {"table", "json"}:
        from ingest.reference import read_records, read_reference

        return read_reference(path) if kind == "table" else read_records(path)
    from ingest.text import read_text_file

    return read_text_file(path, kind)


def _parse_pdf(path: Path, progress: Progress, ocr: OcrMode) -> ParsedFile:
    from ingest.layout import read_layout
    from ingest.ocr import PageOcr
    from ingest.page_labels import printed_labels
    from ingest.pdf import PdfFile

    with PdfFile(path) as pdf:
        pages = []
        reader = PageOcr(pdf, ocr)
        for number in range(1, pdf.pages + 1):
            pages.append(reader.completed(pdf.page(number)))
            progress(number, pdf.pages)
        structure = pdf.structure()
        title = pdf.title
    labels = structure.labels or printed_labels(pages)
    parsed = tuple(
        replace(
            read,
            ocr=page.confidence is not None,
            label=label,
            confidence=page.confidence,
            remarks=(*(structure.remarks if page.number == 1 else ()), *page.remarks, *read.remarks),
        )
        for read, page, label in zip(read_layout(pages, structure.outline), pages, labels, strict=True)
    )
    if not any(block.text for page in parsed for block in page.blocks):
        raise DocumentError(f"{path.name} holds no text to read", "Scan it anew with better contrast.")
    return ParsedFile(title or path.stem, parsed)
