"""Files made to hurt: each is read or refused in one line, within its limits, and nothing of it is run."""

import json
import re
import time
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from pypdf import PdfWriter

from assistant.errors import DocumentError
from assistant.settings import IngestSettings
from ingest.files import file_type
from ingest.sandbox import parse_in_sandbox
from ingest.worker_memory import ChildrenMemory

SETTINGS = IngestSettings(timeout_s=90)
# The parent looks fifty times a second, so a child may overshoot a little before it is ended.
PEAK_MB = 1536


def pdf(path: Path, *objects: bytes) -> Path:
    """A PDF of numbered objects; the first is the catalogue."""
    body, places = bytearray(b"%PDF-1.7\n"), []
    for number, data in enumerate(objects, start=1):
        places.append(len(body))
        body += b"%d 0 obj\n%s\nendobj\n" % (number, data)
    table = b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    table += b"".join(b"%010d 00000 n \n" % place for place in places)
    trailer = b"trailer\n<< /Root 1 0 R /Size %d >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, len(body))
    path.write_bytes(bytes(body) + table + trailer)
    return path


def stream(dictionary: bytes, data: bytes) -> bytes:
    return b"<< %s /Length %d >>\nstream\n%s\nendstream" % (dictionary, len(data), data)


def zeros(count: int) -> bytes:
    packer = zlib.compressobj(9)
    block = bytes(1_000_000)
    return b"".join(packer.compress(block) for _ in range(count // len(block))) + packer.flush()


CATALOGUE = b"<< /Type /Catalog /Pages 2 0 R >>"
ONE_PAGE = b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>"
PAGE = b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << %s >> >>"


def nested_flate(path: Path) -> Path:
    content = stream(b"/Filter [/FlateDecode /FlateDecode]", zlib.compress(zeros(1_500_000_000)))
    return pdf(path, CATALOGUE, ONE_PAGE, PAGE % b"", content)


def cyclic_pages(path: Path) -> Path:
    kids = b"<< /Type /Pages /Kids [3 0 R 2 0 R 3 0 R] /Count 1000000000 >>"
    return pdf(
        path, CATALOGUE, kids, b"<< /Type /Pages /Parent 2 0 R /Kids [2 0 R 3 0 R] /Count 1000000000 >>"
    )


def deep_objects(path: Path) -> Path:
    return pdf(path, CATALOGUE, ONE_PAGE, PAGE % (b"/X " + b"[" * 200_000 + b"]" * 200_000), stream(b"", b""))


def giant_image(path: Path) -> Path:
    image = b"/Type /XObject /Subtype /Image /Width 30000 /Height 30000 /ColorSpace /DeviceGray"
    image = stream(image + b" /BitsPerComponent 1 /Filter /FlateDecode", zeros(30_000 * 3750))
    drawn = stream(b"", b"595 0 0 842 0 0 cm /I Do")
    return pdf(path, CATALOGUE, ONE_PAGE, PAGE % b"/XObject << /I 5 0 R >>", drawn, image)


def giant_page(path: Path) -> Path:
    page = PAGE.replace(b"595 842", b"200000 200000") % b"/XObject << /I 5 0 R >>"
    image = b"/Type /XObject /Subtype /Image /Width 8 /Height 8 /ColorSpace /DeviceGray /BitsPerComponent 8"
    drawn = stream(b"", b"200000 0 0 200000 0 0 cm /I Do")
    return pdf(path, CATALOGUE, ONE_PAGE, page, drawn, stream(image, bytes(64)))


def many_pages(path: Path) -> Path:
    kids = b" ".join(b"%d 0 R" % n for n in range(5, 10_005))
    tree = b"<< /Type /Pages /Kids [%s] /Count 10000 >>" % kids
    font = b"/Font << /F << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> >>"
    drawn = stream(b"", b"BT /F 12 Tf 72 700 Td (Check the oil level before you start the pump.) Tj ET")
    return pdf(path, CATALOGUE, tree, b"null", drawn, *[PAGE % font] * 10_000)


def million_tags(path: Path) -> Path:
    path.write_text("<html><body>" + "<b><i>x</i></b>" * 500_000, encoding="utf-8")
    return path


def deep_tags(path: Path) -> Path:
    path.write_text("<html><body>" + "<div>x" * 100_000, encoding="utf-8")
    return path


def deep_json(path: Path) -> Path:
    path.write_text('{"a":' * 100_000 + "1" + "}" * 100_000, encoding="utf-8")
    return path


def wide_json(path: Path) -> Path:
    path.write_text(json.dumps([{"code": n, "text": "x" * 400_000} for n in range(100)]), encoding="utf-8")
    return path


def endless_line(path: Path) -> Path:
    path.write_bytes(b"word " * 9_000_000)
    return path


def deep_markdown(path: Path) -> Path:
    path.write_bytes(b"> " * 300_000 + b"x\n\n" + b"[" * 100_000 + b"*" * 100_000)
    return path


def wide_sheet(path: Path) -> Path:
    """Small rows whose last cell stands in the last column that Excel has."""
    main = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
    rel = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml"
    rows = "".join(f'<row r="{n}"><c r="XFD{n}"><v>{n}</v></c></row>' for n in range(1, 20_000))
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(
            "[Content_Types].xml",
            '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
            f'<Override PartName="/xl/workbook.xml" ContentType="{kind}.sheet.main+xml"/>'
            f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{kind}.worksheet+xml"/></Types>',
        )
        package = "http://schemas.openxmlformats.org/package/2006/relationships"
        for name, target, what in (("_rels/.rels", "xl/workbook.xml", "officeDocument"),) + (
            ("xl/_rels/workbook.xml.rels", "worksheets/sheet1.xml", "worksheet"),
        ):
            archive.writestr(
                name,
                f'<Relationships xmlns="{package}">'
                f'<Relationship Id="r1" Type="{rel}/{what}" Target="{target}"/></Relationships>',
            )
        archive.writestr(
            "xl/workbook.xml",
            f'<workbook {main} xmlns:r="{rel}"><sheets>'
            '<sheet name="A" sheetId="1" r:id="r1"/></sheets></workbook>',
        )
        archive.writestr(
            "xl/worksheets/sheet1.xml", f"<worksheet {main}><sheetData>{rows}</sheetData></worksheet>"
        )
    return path


def document_bomb(path: Path) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("word/document.xml", b"<w:document>" + b" " * 150_000_000)
    return path


@pytest.mark.parametrize(
    ("make", "name", "refused"),
    [
        pytest.param(nested_flate, "flate.pdf", None, marks=pytest.mark.slow),
        pytest.param(giant_image, "image.pdf", None, marks=pytest.mark.slow),
        pytest.param(giant_page, "page.pdf", None, marks=pytest.mark.slow),
        pytest.param(many_pages, "pages.pdf", None, marks=pytest.mark.slow),
        (cyclic_pages, "cycle.pdf", None),
        (deep_objects, "deep.pdf", None),
        pytest.param(million_tags, "tags.html", "tags", marks=pytest.mark.slow),
        pytest.param(deep_tags, "deep.html", None, marks=pytest.mark.slow),
        (deep_json, "deep.json", "nested too deeply"),
        pytest.param(wide_json, "wide.json", "holds more than 30,000,000 characters", marks=pytest.mark.slow),
        pytest.param(endless_line, "line.txt", "a paragraph of 4[0-9,]+ characters", marks=pytest.mark.slow),
        (deep_markdown, "deep.md", None),
        pytest.param(wide_sheet, "wide.xlsx", "more than 5,000,000 cells", marks=pytest.mark.slow),
        (document_bomb, "bomb.docx", "packed like a bomb"),
    ],
)
def test_a_file_made_to_hurt_is_read_or_refused_in_one_line(
    tmp_path: Path, make: Callable[[Path], Path], name: str, refused: str | None
) -> None:
    path = make(tmp_path / name)
    begun = time.monotonic()
    told = ""
    with ChildrenMemory("ingest.sandbox") as parsers:
        try:
            parse_in_sandbox(path, file_type(path, 500), SETTINGS, lambda _done, _total: None)
        except DocumentError as problem:
            told = str(problem)
    assert time.monotonic() - begun < SETTINGS.timeout_s + 10
    assert parsers.peak_mb < PEAK_MB
    assert not told or (told.startswith(name) and "\n" not in told and len(told) < 400)
    assert not refused or re.search(refused, told), told


def test_scripts_and_attachments_of_a_pdf_are_left_alone(tmp_path: Path) -> None:
    script = (
        b"app.launchURL('http://127.0.0.1:9/stolen'); this.exportDataObject({cName: 'run.sh', nLaunch: 2});"
    )
    action = b"/OpenAction << /S /JavaScript /JS (%s) >>" % script.replace(b"(", b"\\(").replace(b")", b"\\)")
    catalogue = CATALOGUE.replace(b" >>", b" " + action + b" >>")
    plain = pdf(tmp_path / "plain.pdf", catalogue, ONE_PAGE, PAGE % FONT, stream(b"", SAID))
    writer = PdfWriter(clone_from=plain)
    writer.add_attachment("run.sh", b"#!/bin/sh\ntouch /tmp/owned\n")
    writer.add_attachment("inner.pdf", plain.read_bytes())
    writer.write(tmp_path / "script.pdf")
    assert b"launchURL" in (tmp_path / "script.pdf").read_bytes()
    parsed = parse_in_sandbox(tmp_path / "script.pdf", "pdf", SETTINGS, lambda _done, _total: None)
    assert [block.text for page in parsed.pages for block in page.blocks] == ["Check the oil level."]


FONT = b"/Font << /F << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> >>"
SAID = b"BT /F 12 Tf 72 700 Td (Check the oil level.) Tj ET"
