"""Pages and parts of pages whose text is only a picture are read."""

import difflib
import re
import unicodedata
from pathlib import Path
from typing import Any

import numpy as np
import pypdfium2 as pdfium
import pytest
from PIL import Image
from pypdf import PdfReader, PdfWriter

from assistant.schema import ParsedPage
from ingest.ocr import PageOcr
from ingest.page import OcrMode
from ingest.parse import parse_file
from ingest.pdf import PdfFile

pytestmark = pytest.mark.slow
DEMO = Path(__file__).parents[1] / "demo" / "built" / "manuals"
PRESS, CHINESE = DEMO / "HP-250_hydraulic-press_rev-B.pdf", DEMO / "ZS-160_注塑机_rev-A.pdf"


def _parsed(path: Path, ocr: OcrMode = "auto") -> tuple[ParsedPage, ...]:
    return parse_file(path, "pdf", lambda _done, _total: None, ocr).pages


def _text(page: ParsedPage) -> str:
    return "\n".join(block.text for block in page.blocks)


def _likeness(one: str, two: str) -> float:
    one, two = re.sub(r"\s", "", one), re.sub(r"\s", "", two)
    return difflib.SequenceMatcher(None, one, two, autojunk=False).ratio()


def _rendered(path: Path, page: int, dpi: int = 150) -> Any:
    with PdfFile(path) as pdf:
        return pdf.picture(page, dpi)


def _with_picture(pdf: pdfium.PdfDocument, page: pdfium.PdfPage, image: Any, box: tuple[float, ...]) -> None:
    """Puts an image on a page; the box is left, bottom, width, height in points."""
    item = pdfium.PdfImage.new(pdf)
    item.set_bitmap(pdfium.PdfBitmap.from_pil(Image.fromarray(image)))
    left, bottom, width, height = box
    item.set_matrix(pdfium.PdfMatrix(width, 0, 0, height, left, bottom))
    page.insert_obj(item)
    page.gen_content()


def _scan(path: Path, image: Any) -> Path:
    """A page that is nothing but the image."""
    pdf = pdfium.PdfDocument.new()
    width, height = image.shape[1] * 72 / 150, image.shape[0] * 72 / 150
    _with_picture(pdf, pdf.new_page(width, height), image, (0, 0, width, height))
    pdf.save(path)
    return path


def _one_page(source: Path, page: int) -> PdfWriter:
    writer = PdfWriter()
    writer.add_page(PdfReader(source).pages[page - 1])
    return writer


def test_a_scanned_page_becomes_text_with_boxes(tmp_path: Path) -> None:
    _one_page(PRESS, len(PdfReader(PRESS).pages)).write(tmp_path / "scan.pdf")
    with PdfFile(tmp_path / "scan.pdf") as pdf:
        assert pdf.page(1).characters == 0
    (page,) = _parsed(tmp_path / "scan.pdf")
    assert page.ocr and page.confidence is not None and page.confidence > 0.9
    assert re.search(r"X1:6\W+B12\W+Rear guard door, channel 2", _text(page))
    last = next(block for block in page.blocks if "Checked" in block.text)
    assert last.boxes[0].y0 > 0.5


def test_a_scan_is_read_whichever_way_up_it_lies(tmp_path: Path) -> None:
    image = _rendered(CHINESE, 12)
    (upright,) = _parsed(_scan(tmp_path / "0.pdf", image))
    assert upright.label == "" and len(_text(upright)) > 200
    for quarters in (1, 2, 3):
        turned = np.ascontiguousarray(np.rot90(image, quarters))
        (page,) = _parsed(_scan(tmp_path / f"{quarters}.pdf", turned))
        assert _likeness(_text(page), _text(upright)) > 0.97
        assert any(f"turned by {90 * quarters}°" in remark for remark in page.remarks)


def test_a_skewed_scan_is_levelled_and_its_boxes_lean_back(tmp_path: Path) -> None:
    image = _rendered(PRESS, 9)
    (straight,) = _parsed(PRESS)[8:9]
    leaning = np.asarray(Image.fromarray(image).rotate(-2.5, fillcolor=(255, 255, 255), resample=2))
    (page,) = _parsed(_scan(tmp_path / "skew.pdf", leaning))
    longest = max(straight.blocks, key=lambda block: len(block.text))
    found = next(block for block in page.blocks if block.text.startswith(longest.text[:80]))
    for side in ("x0", "y0", "x1"):
        assert getattr(found.boxes[0], side) == pytest.approx(getattr(longest.boxes[0], side), abs=0.04)


def test_a_chinese_scan_has_the_characters_of_the_page(tmp_path: Path) -> None:
    with PdfFile(_scan(tmp_path / "zh.pdf", _rendered(CHINESE, 8))) as pdf, PdfFile(CHINESE) as original:
        read, truth = PageOcr(pdf).completed(pdf.page(1)), original.page(8)
    texts = [" ".join(word.text for run in page.runs for word in run) for page in (read, truth)]
    one, two = (unicodedata.normalize("NFKC", text).replace("–", "-") for text in texts)
    assert len(two) > 200
    assert _likeness(one, two) >= 0.97


def test_a_text_layer_without_unicode_map_is_replaced_by_what_one_sees(tmp_path: Path) -> None:
    writer = _one_page(PRESS, 9)
    for font in writer.pages[0]["/Resources"]["/Font"].values():
        font.get_object().pop("/ToUnicode", None)
    writer.write(tmp_path / "no_map.pdf")
    (page,) = _parsed(tmp_path / "no_map.pdf")
    assert page.ocr
    assert any("no Unicode map" in remark for remark in page.remarks)
    assert _likeness(_text(page), _text(_parsed(PRESS, "off")[8])) > 0.9


def _with_plate(tmp_path: Path, pages: int = 1) -> Path:
    """Pages with text, and on them the upper third of another page as a picture."""
    image = _rendered(PRESS, 9, 200)
    plate = np.ascontiguousarray(image[: image.shape[0] // 3])
    pdf = pdfium.PdfDocument.new()
    source = pdfium.PdfDocument(PRESS)
    pdf.import_pages(source, [3] * pages)
    for index in range(pages):
        page = pdf[index]
        width, height = page.get_size()
        _with_picture(
            pdf, page, plate, (60, 40, width - 120, (width - 120) / plate.shape[1] * plate.shape[0])
        )
    pdf.save(tmp_path / "plate.pdf")
    return tmp_path / "plate.pdf"


def test_a_plate_on_a_page_with_text_is_read_where_it_stands(tmp_path: Path) -> None:
    path = _with_plate(tmp_path)
    (before,), (page,) = _parsed(path, "pages"), _parsed(path)
    assert not before.ocr and page.ocr
    assert any("1 picture read by OCR" in remark for remark in page.remarks)
    new = [block for block in page.blocks if block.text not in {b.text for b in before.blocks}]
    wanted = max((b.text for b in _parsed(PRESS, "off")[8].blocks if b.boxes[0].y1 < 0.3), key=len)
    assert any(re.sub(r"\W", "", wanted)[:40] in re.sub(r"\W", "", block.text) for block in new)
    assert all(block.boxes[0].y0 > 0.5 for block in new)


def test_words_that_stand_in_the_text_layer_are_not_read_twice(tmp_path: Path) -> None:
    """A scan of the upper half lies under the text, as copiers with OCR of their own leave it."""
    pdf = pdfium.PdfDocument.new()
    pdf.import_pages(pdfium.PdfDocument(PRESS), [8])
    width, height = pdf[0].get_size()
    image = _rendered(PRESS, 9)
    half = np.ascontiguousarray(image[: image.shape[0] // 2])
    _with_picture(pdf, pdf[0], half, (0, height / 2, width, height / 2))
    pdf.save(tmp_path / "double.pdf")
    (plain,), (page,) = _parsed(tmp_path / "double.pdf", "off"), _parsed(tmp_path / "double.pdf")
    assert _text(page) == _text(plain)
    assert page.remarks == plain.remarks
