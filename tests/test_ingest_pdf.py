"""What a PDF tells of itself and of its pages, with files made here."""

from pathlib import Path
from typing import Any

import pytest
from pypdf import PageObject, PdfReader, PdfWriter
from pypdf.actions import JavaScript
from pypdf.constants import PageLabelStyle
from pypdf.generic import DecodedStreamObject, DictionaryObject, NameObject, NumberObject

from assistant.schema import ParsedFile
from ingest.page import Page, Word
from ingest.page_labels import printed_labels
from ingest.parse import parse_file
from ingest.pdf import PdfFile

DEMO = Path(__file__).parents[1] / "demo" / "built" / "manuals"
PRESS = DEMO / "HP-250_hydraulic-press_rev-B.pdf"


def _parsed(path: Path) -> ParsedFile:
    return parse_file(path, "pdf", lambda _done, _total: None, "off")


def _writer(pages: int) -> PdfWriter:
    writer = PdfWriter()
    source = PdfReader(PRESS)
    for index in range(pages):
        writer.add_page(source.pages[index + 4])
    return writer


def test_page_labels_and_bookmarks_of_the_file_are_kept(tmp_path: Path) -> None:
    writer = _writer(4)
    writer.set_page_label(0, 1, style=PageLabelStyle.LOWERCASE_ROMAN)
    writer.set_page_label(2, 3, style=PageLabelStyle.DECIMAL, prefix="3-", start=14)
    chapter = writer.add_outline_item(title="3  Drives", page_number=2)
    writer.add_outline_item(title="3.1  Belt", page_number=3, parent=chapter)
    writer.write(tmp_path / "labels.pdf")
    assert [page.label for page in _parsed(tmp_path / "labels.pdf").pages] == ["i", "ii", "3-14", "3-15"]
    with PdfFile(tmp_path / "labels.pdf") as pdf:
        outline = pdf.structure().outline
    assert [(entry.title, entry.page, entry.level) for entry in outline] == [
        ("3 Drives", 3, 1),
        ("3.1 Belt", 4, 2),
    ]


def test_attachments_scripts_and_encryption_are_told_and_not_used(tmp_path: Path) -> None:
    writer = _writer(1)
    writer.add_attachment("settings.txt", b"password 1234")
    writer.add_open_action(JavaScript("app.alert('hello')"))
    writer.encrypt("", "owner", algorithm="AES-256")
    writer.write(tmp_path / "more.pdf")
    (page,) = _parsed(tmp_path / "more.pdf").pages
    assert any("attached file not read" in remark for remark in page.remarks)
    assert any("JavaScript" in remark for remark in page.remarks)
    assert any("encrypted" in remark for remark in page.remarks)
    assert not any("1234" in block.text or "hello" in block.text for block in page.blocks)


def test_a_file_that_pypdf_cannot_read_is_read_all_the_same(tmp_path: Path) -> None:
    writer = _writer(2)
    writer.set_page_label(0, 1, style=PageLabelStyle.UPPERCASE_LETTER)
    writer.write(tmp_path / "whole.pdf")
    data = (tmp_path / "whole.pdf").read_bytes()
    # PDFium rebuilds the cross references of a file that was cut off; so the labels come from it.
    (tmp_path / "cut.pdf").write_bytes(data[: data.rindex(b"xref")])
    assert len(_parsed(tmp_path / "cut.pdf").pages) == 2


def _numbered(texts: list[tuple[str, str]]) -> list[Page]:
    """Pages with a header and a footer."""
    pages = []
    for index, (header, footer) in enumerate(texts):
        words = [Word(280, y, 320, y + 10, text, 10.0) for y, text in ((30, header), (760, footer)) if text]
        pages.append(Page(index + 1, 612, 792, tuple((word,) for word in words)))
    return pages


def test_printed_numbers_are_found_where_they_go_on_counting() -> None:
    footers = ["", "i", "ii", "iii", "1-1", "1-2", "", "1-4", "2-1", "2-2"]
    assert printed_labels(_numbered([("MT-387-14", f) for f in footers])) == tuple(footers)


def test_neither_chapter_nor_manual_numbers_are_page_labels() -> None:
    pages = _numbered([("0005", "5-1"), ("0005", "5-2"), ("0006", "6-1"), ("0007", "7-1"), ("0007", "2000")])
    assert printed_labels(pages) == ("5-1", "5-2", "6-1", "7-1", "")


def _text_page(tmp_path: Path, content: str, font: DictionaryObject) -> Path:
    writer = PdfWriter()
    page: PageObject = writer.add_blank_page(400, 200)
    stream = DecodedStreamObject()
    stream.set_data(content.encode("latin-1"))
    page[NameObject("/Contents")] = writer._add_object(stream)
    fonts = DictionaryObject({NameObject("/F1"): writer._add_object(font)})
    page[NameObject("/Resources")] = DictionaryObject({NameObject("/Font"): fonts})
    writer.write(tmp_path / "text.pdf")
    return tmp_path / "text.pdf"


def _font(**more: Any) -> DictionaryObject:
    font = {"/Type": "/Font", "/Subtype": "/Type1", "/BaseFont": "/Helvetica"}
    return DictionaryObject({NameObject(k): NameObject(v) for k, v in font.items()} | more)


@pytest.mark.parametrize(
    "text", ["44-1180 0x3F #12 97.5% 8/10 <=> {7} [5] (4)", "E-21 AB12CD 5KW 60HZ M8x1.25 7390-01"]
)
def test_code_tables_and_part_lists_are_not_taken_for_garbage(tmp_path: Path, text: str) -> None:
    shown = text.replace("(", r"\(").replace(")", r"\)")
    path = _text_page(tmp_path, f"BT /F1 12 Tf 20 100 Td ({shown}) Tj ET", _font())
    with PdfFile(path) as pdf:
        page = pdf.page(1)
        assert page.doubt == ""
        assert pdf.fonts.unmapped(1) == frozenset()
    assert " ".join(word.text for run in page.runs for word in run) == text


@pytest.mark.parametrize("name", ["ZS-160_注塑机_rev-A.pdf", "TL-42_cnc-lathe_rev-A.pdf"])
def test_no_page_of_a_sound_manual_is_doubted(name: str) -> None:
    with PdfFile(DEMO / name) as pdf:
        assert [n for n in range(1, pdf.pages + 1) if pdf.page(n).doubt] == []


def test_words_stand_where_they_are_shown_on_turned_pages(tmp_path: Path) -> None:
    reader = PdfReader(PRESS)
    writer = PdfWriter()
    writer.add_page(reader.pages[6])
    writer.pages[0][NameObject("/Rotate")] = NumberObject(90)
    writer.write(tmp_path / "turned.pdf")
    upright, turned = _parsed(PRESS).pages[6], _parsed(tmp_path / "turned.pdf").pages[0]
    texts = {block.text: block for block in upright.blocks}
    pairs = [(texts[block.text], block) for block in turned.blocks if block.text in texts]
    assert len(pairs) > 3
    for one, two in pairs:
        assert two.boxes[0].y0 == pytest.approx(one.boxes[0].x0, abs=0.02)
