"""Word documents come in as they are printed: numbers, tables, notices; without what was struck out."""

import zipfile
from pathlib import Path

import pytest

from assistant.errors import DocumentError
from assistant.schema import Block, ParsedFile
from ingest.docx import read_docx
from ingest.docx_numbering import spelled

W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
STYLES = f"""<w:styles {W}>
<w:style w:type="paragraph" w:styleId="T"><w:name w:val="Title"/></w:style>
<w:style w:type="paragraph" w:styleId="1"><w:name w:val="heading 1"/>
 <w:pPr><w:numPr><w:numId w:val="1"/></w:numPr><w:outlineLvl w:val="0"/></w:pPr></w:style>
<w:style w:type="paragraph" w:styleId="2"><w:name w:val="heading 2"/>
 <w:pPr><w:numPr><w:ilvl w:val="1"/><w:numId w:val="1"/></w:numPr><w:outlineLvl w:val="1"/></w:pPr></w:style>
<w:style w:type="paragraph" w:styleId="Own"><w:name w:val="Plant heading"/><w:basedOn w:val="1"/></w:style>
<w:style w:type="paragraph" w:styleId="C"><w:name w:val="toc 1"/></w:style>
</w:styles>"""
NUMBERING = f"""<w:numbering {W}>
<w:abstractNum w:abstractNumId="5">
 <w:lvl w:ilvl="0"><w:start w:val="1"/><w:numFmt w:val="decimal"/><w:lvlText w:val="%1"/></w:lvl>
 <w:lvl w:ilvl="1"><w:start w:val="1"/><w:numFmt w:val="decimal"/><w:lvlText w:val="%1.%2"/></w:lvl>
</w:abstractNum>
<w:abstractNum w:abstractNumId="6">
 <w:lvl w:ilvl="0"><w:start w:val="1"/><w:numFmt w:val="decimal"/><w:lvlText w:val="%1."/></w:lvl>
 <w:lvl w:ilvl="1"><w:start w:val="1"/><w:numFmt w:val="lowerLetter"/><w:lvlText w:val="%2)"/></w:lvl>
</w:abstractNum>
<w:abstractNum w:abstractNumId="7">
 <w:lvl w:ilvl="0"><w:numFmt w:val="bullet"/><w:lvlText w:val="&#61623;"/></w:lvl>
</w:abstractNum>
<w:num w:numId="1"><w:abstractNumId w:val="5"/></w:num>
<w:num w:numId="2"><w:abstractNumId w:val="6"/></w:num>
<w:num w:numId="3"><w:abstractNumId w:val="6"/>
 <w:lvlOverride w:ilvl="0"><w:startOverride w:val="1"/></w:lvlOverride></w:num>
<w:num w:numId="4"><w:abstractNumId w:val="7"/></w:num>
</w:numbering>"""


def p(text: str, style: str = "", listed: tuple[int, int] | None = None) -> str:
    inner = f'<w:pStyle w:val="{style}"/>' if style else ""
    if listed:
        inner += f'<w:numPr><w:ilvl w:val="{listed[1]}"/><w:numId w:val="{listed[0]}"/></w:numPr>'
    run = text if text.startswith("<") else f"<w:r><w:t>{text}</w:t></w:r>"
    return f"<w:p><w:pPr>{inner}</w:pPr>{run}</w:p>"


def cell(text: str, properties: str = "") -> str:
    return f"<w:tc><w:tcPr>{properties}</w:tcPr>{text if text.startswith('<w:p') else p(text)}</w:tc>"


def row(*cells: str, header: bool = False) -> str:
    return f"<w:tr><w:trPr>{'<w:tblHeader/>' if header else ''}</w:trPr>{''.join(cells)}</w:tr>"


def table(*rows: str) -> str:
    return f"<w:tbl><w:tblPr/><w:tblGrid/>{''.join(rows)}</w:tbl>"


def read(folder: Path, body: str, name: str = "press.docx", **parts: str) -> ParsedFile:
    path = folder / name
    document = f"<w:document {W}><w:body>{body}<w:sectPr/></w:body></w:document>"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        written = {"document": document, "styles": STYLES, "numbering": NUMBERING} | parts
        for part, xml in written.items():
            archive.writestr(f"word/{part}.xml", xml)
    return read_docx(path)


def blocks(parsed: ParsedFile) -> list[Block]:
    (page,) = parsed.pages
    return list(page.blocks)


def texts(parsed: ParsedFile, kind: str) -> list[str]:
    return [block.text for block in blocks(parsed) if block.kind == kind]


def test_headings_are_known_by_style_and_carry_the_numbers_that_word_counts(tmp_path: Path) -> None:
    body = p("HP-250 press", "T") + p("Contents line 3", "C") + p("Safety", "1") + p("Text.")
    body += p("Care", "Own") + p("Oil", "2") + p("Use oil.") + p("Filter", "2") + p("Change it.")
    parsed = read(tmp_path, body)
    assert parsed.title == "HP-250 press"
    assert [(b.text, b.level) for b in blocks(parsed) if b.kind == "heading"] == [
        ("HP-250 press", 1),
        ("1 Safety", 2),
        ("2 Care", 2),
        ("2.1 Oil", 3),
        ("2.2 Filter", 3),
    ]
    assert texts(parsed, "text") == ["Text.", "Use oil.", "Change it."]


def test_steps_go_on_counting_after_a_warning_and_start_anew_where_word_does(tmp_path: Path) -> None:
    body = p("Work", "T") + p("Stop.", listed=(2, 0)) + p("Wait.", listed=(2, 1)) + p("WARNING: Hot oil.")
    body += p("Drain.", listed=(2, 0)) + p("Fill.", listed=(3, 0)) + p("Gloves", listed=(4, 0))
    parsed = read(tmp_path, body)
    assert texts(parsed, "list") == ["1. Stop.", "a) Wait.", "2. Drain.", "1. Fill.", "• Gloves"]
    (notice,) = [b for b in blocks(parsed) if b.kind == "notice"]
    assert (notice.signal, notice.text) == ("WARNING", "WARNING: Hot oil.")


def test_a_table_keeps_its_header_and_merged_cells(tmp_path: Path) -> None:
    down, on = '<w:vMerge w:val="restart"/>', "<w:vMerge/>"
    fault = table(
        row(cell("Code"), cell("Cause"), cell("Torque", '<w:gridSpan w:val="2"/>'), header=True),
        row(cell(""), cell(""), cell("Nm"), cell("lbf ft"), header=True),
        row(cell("E-07", down), cell("Low oil"), cell("24"), cell("18")),
        row(cell("", on), cell("No oil"), cell("check both", '<w:gridSpan w:val="2"/>')),
    )
    rows = [b for b in blocks(read(tmp_path, fault)) if b.kind == "table"]
    assert [b.text for b in rows] == [
        "Code: E-07 | Cause: Low oil | Torque Nm: 24 | Torque lbf ft: 18",
        "Code: E-07 | Cause: No oil | Torque Nm: check both",
    ]
    assert {b.header for b in rows} == {"Code | Cause | Torque Nm | Torque lbf ft"}


def test_a_header_row_is_found_where_word_does_not_mark_it(tmp_path: Path) -> None:
    named = table(row(cell("代码"), cell("原因")), row(cell("AL-031"), cell("油温过高")))
    bare = table(row(cell("E-1"), cell("no oil")), row(cell("E-2"), cell("no air")))
    parsed = read(tmp_path, named + bare)
    assert texts(parsed, "table") == ["代码: AL-031 | 原因: 油温过高", "E-1 | no oil", "E-2 | no air"]


def test_a_frame_around_a_warning_is_a_notice_and_no_table(tmp_path: Path) -> None:
    framed = table(row(cell(p("WARNING") + p("Hot surface."))))
    beside = table(row(cell(""), cell(p("危险：高压。"))))
    notices = [b for b in blocks(read(tmp_path, framed + beside)) if b.kind == "notice"]
    assert [(b.signal, b.text) for b in notices] == [
        ("WARNING", "WARNING\nHot surface."),
        ("DANGER", "危险：高压。"),
    ]


def test_deletions_hidden_text_and_field_codes_are_left_out_and_insertions_kept(tmp_path: Path) -> None:
    run = (
        "<w:r><w:t>Tighten to </w:t></w:r><w:del><w:r><w:delText>30</w:delText></w:r></w:del>"
        "<w:ins><w:r><w:t>24 Nm</w:t></w:r></w:ins><w:r><w:rPr><w:vanish/></w:rPr><w:t> secret</w:t></w:r>"
        "<w:r><w:instrText>PAGEREF x</w:instrText></w:r><w:hyperlink><w:r><w:t>.</w:t></w:r></w:hyperlink>"
    )
    assert texts(read(tmp_path, p(run)), "text") == ["Tighten to 24 Nm."]


def test_pictures_text_boxes_and_footnotes_are_read(tmp_path: Path) -> None:
    drawing = (
        '<w:r><w:drawing><wp:docPr xmlns:wp="x" id="1" descr="Valve V3, from the left"/></w:drawing></w:r>'
    )
    box = "<w:r><w:pict><w:txbxContent>" + p("Keep dry.") + "</w:txbxContent></w:pict></w:r>"
    note = '<w:r><w:t>Bleed it.</w:t><w:footnoteReference w:id="2"/></w:r>'
    footnotes = f'<w:footnotes {W}><w:footnote w:id="2">{p("At 5 bar.")}</w:footnote></w:footnotes>'
    parsed = read(tmp_path, p(drawing + box + note), footnotes=footnotes)
    assert texts(parsed, "figure") == ["Valve V3, from the left"]
    assert texts(parsed, "text") == ["Bleed it.", "Keep dry.", "At 5 bar."]


def test_headers_and_footers_are_left_out(tmp_path: Path) -> None:
    header = f"<w:hdr {W}>{p('Confidential')}</w:hdr>"
    assert texts(read(tmp_path, p("Text."), header1=header), "text") == ["Text."]


def test_without_a_title_the_single_first_heading_is_it(tmp_path: Path) -> None:
    assert read(tmp_path, p("Pump", "1") + p("Text.") + p("Care", "2")).title == "1 Pump"
    assert read(tmp_path, p("Text."), "rules.docx").title == "rules"


@pytest.mark.parametrize(
    ("number", "kind", "written"),
    [
        (3, "upperRoman", "III"),
        (28, "lowerLetter", "bb"),
        (21, "chineseCounting", "二十一"),
        (7, "decimalZero", "07"),
    ],
)
def test_counts_are_spelled_as_word_spells_them(number: int, kind: str, written: str) -> None:
    assert spelled(number, kind) == written


def test_entities_external_parts_and_damage_are_refused_in_one_line(tmp_path: Path) -> None:
    bomb = '<!DOCTYPE d [<!ENTITY a "ha"><!ENTITY x SYSTEM "file:///etc/passwd">]>'
    for xml in (f"{bomb}<w:document {W}><w:body>&a;&x;</w:body></w:document>", "<w:document", "<other/>"):
        with pytest.raises(DocumentError, match=r"^press\.docx is damaged or not a Word document"):
            read(tmp_path, "", document=xml)
    with pytest.raises(DocumentError, match=r"press\.docx holds no text"):
        read(tmp_path, p(""))
