"""Pages that are pictures are read."""

import re
from pathlib import Path

import pytest

from ingest.parse import parse_file
from ingest.pdf import PdfFile

pytestmark = pytest.mark.slow
PRESS = Path(__file__).parents[1] / "demo" / "built" / "manuals" / "HP-250_hydraulic-press_rev-B.pdf"


def test_a_scanned_page_becomes_text_with_boxes(tmp_path: Path) -> None:
    from pypdf import PdfReader, PdfWriter

    writer = PdfWriter()
    writer.add_page(PdfReader(PRESS).pages[-1])
    writer.write(tmp_path / "scan.pdf")
    with PdfFile(tmp_path / "scan.pdf") as pdf:
        assert pdf.page(1).characters == 0
    (page,) = parse_file(tmp_path / "scan.pdf", "pdf", lambda _done, _total: None).pages
    text = "\n".join(block.text for block in page.blocks)
    assert page.ocr
    assert re.search(r"X1:6\W+B12\W+Rear guard door, channel 2", text)
    last = next(block for block in page.blocks if "Checked" in block.text)
    assert last.boxes[0].y0 > 0.5
