"""How well scans are read, measured on real files; prints its figures.

pytest -s tests/test_ingest_ocr_data.py
"""

import difflib
import re
import resource
import sys
import time
import unicodedata
from pathlib import Path

import pypdfium2 as pdfium
import pytest

from assistant.errors import DocumentError
from assistant.schema import ParsedFile
from assistant.settings import IngestSettings
from ingest.ocr import PageOcr
from ingest.page import Page
from ingest.pdf import PdfFile
from ingest.sandbox import parse_in_sandbox
from ingest.worker_memory import ChildrenMemory

DATA = Path(__file__).parents[1] / ".." / "shared" / "data"
MANUALS, SCANS = DATA / "manuals", DATA / "robustness" / "scanned_pdf"
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not SCANS.is_dir(), reason="the development data ../shared/data is not here"),
]
# The pages of the manual that the excerpt shows, in its order.
EXCERPT_PAGES = (42, 43, 44, 45, 46, 47, 48, 4)
# What two plates of the generator say and no text of the manual does.
PLATE_FACTS = {64: "2000", 65: "15.75"}


def _tell(line: str) -> None:
    sys.stdout.write(f"{line}\n")


def _plain(text: str) -> str:
    """No white space or leaders of dots, one form of each character."""
    text = unicodedata.normalize("NFKC", text)
    text = text.translate(str.maketrans("‘’“”—–‐−•●·", "''\"\"----***"))
    return re.sub(r"\s+|\.{2,}", "", text)


def _likeness(one: str, two: str) -> float:
    """Share of equal characters in equal order (Ratcliff and Obershelp), 0..1."""
    return difflib.SequenceMatcher(None, _plain(one), _plain(two), autojunk=False).ratio()


def _words(page: Page) -> str:
    return " ".join(word.text for run in page.runs for word in run)


def _sandboxed(path: Path) -> ParsedFile:
    return parse_in_sandbox(path, "pdf", IngestSettings(), lambda _done, _total: None)


def test_the_excerpt_without_text_layer_has_the_characters_of_the_text_version() -> None:
    (path,) = MANUALS.glob("*_image_only_*.pdf")
    shares, lengths = [], []
    with PdfFile(path) as scan, PdfFile(MANUALS / "TM-5-4310-387-14.pdf") as manual:
        reader = PageOcr(scan)
        for number, page in enumerate(EXCERPT_PAGES, start=1):
            truth, read = _words(manual.page(page)), _words(reader.completed(scan.page(number)))
            shares.append(_likeness(truth, read))
            lengths.append(len(_plain(truth)))
            _tell(f"page {page}: {lengths[-1]} characters, likeness {shares[-1]:.4f}")
    share = sum(s * n for s, n in zip(shares, lengths, strict=True)) / sum(lengths)
    _tell(f"excerpt: {share:.4f}")
    assert share >= 0.97


def test_the_two_column_leaflet_is_read_in_order() -> None:
    (page,) = _sandboxed(SCANS / "linn.pdf").pages
    share = _likeness(
        (SCANS / "linn.txt").read_text(encoding="utf-8"), "\n".join(b.text for b in page.blocks)
    )
    _tell(f"linn.pdf in order: {share:.4f}")
    assert share >= 0.97


def test_every_scan_is_read_or_refused_with_a_reason_within_memory() -> None:
    with ChildrenMemory("ingest.sandbox") as memory:
        ends = {path.name: _end(path) for path in sorted(SCANS.glob("*.pdf"))}
    _tell(f"peak of a worker: {memory.peak_mb} MB")
    assert {name for name, end in ends.items() if end == "refused"} == {"invalid.pdf", "no_contents.pdf"}
    assert 100 <= memory.peak_mb <= 1536


def _end(path: Path) -> str:
    started = time.monotonic()
    try:
        pages = _sandboxed(path).pages
        end, told = "read", "; ".join(dict.fromkeys(remark for page in pages for remark in page.remarks))
    except DocumentError as problem:
        end, told = "refused", str(problem)
    _tell(f"{path.name}: {end}, {time.monotonic() - started:.1f} s, {told}")
    return end


def test_what_only_plates_say_is_in_the_text_of_their_pages(tmp_path: Path) -> None:
    pdf = pdfium.PdfDocument.new()
    pdf.import_pages(pdfium.PdfDocument(MANUALS / "TM-9-6115-641-10.pdf"), [n - 1 for n in PLATE_FACTS])
    pdf.save(tmp_path / "plates.pdf")
    for page, fact in zip(_sandboxed(tmp_path / "plates.pdf").pages, PLATE_FACTS.values(), strict=True):
        text = "\n".join(block.text for block in page.blocks)
        _tell(f"{fact}: {'found' if fact in text else 'missing'} ({'; '.join(page.remarks)})")
        assert fact in text


def test_ocr_takes_at_most_three_and_a_half_seconds_a_page_on_two_cores() -> None:
    """In processor time, which other programs on the machine change less than the clock."""
    (path,) = MANUALS.glob("*_image_only_*.pdf")
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    pages = len(_sandboxed(path).pages)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    clock = time.monotonic() - started
    _tell(f"OCR with start: {cpu / pages:.2f} s of processor and {clock / pages:.2f} s a page")
    assert cpu / pages <= 2 * 3.5
