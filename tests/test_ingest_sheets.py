"""Tables come in as their readers see them: whole, every cell as text, codes unharmed."""

import zipfile
from datetime import datetime
from pathlib import Path

import pytest
from openpyxl import Workbook

from assistant.errors import DocumentError
from ingest.cell_text import shown
from ingest.sheets import guess_delimiter, read_table


def save(book: Workbook, path: Path) -> Path:
    book.save(path)
    return path


@pytest.fixture
def workbook(tmp_path: Path) -> Path:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "Alarms"
    for row in (["Alarm list"], ["Code", "Cause", "Torque", None], ["E-07", "low oil", 1.5, 7], [], ["E-08"]):
        sheet.append(row)
    sheet.merge_cells("A1:D1")
    sheet.merge_cells("C2:D2")
    sheet.merge_cells("B5:B6")
    sheet["B5"], sheet["A6"] = "no oil", "E-09"
    sheet["C6"] = "=1+1"
    hidden = book.create_sheet("Lists")
    hidden["A1"], hidden.sheet_state = "internal", "hidden"
    book.create_sheet("Empty")
    book.create_sheet("Parts")["A1"] = "44-1180"
    return save(book, tmp_path / "alarms.xlsx")


def test_a_workbook_gives_its_visible_sheets_with_merged_cells_in_every_row(workbook: Path) -> None:
    alarms, parts = read_table(workbook)
    assert alarms.rows == (
        ("Alarm list",),
        ("Code", "Cause", "Torque", "Torque"),
        ("E-07", "low oil", "1.5", "7"),
        (),
        ("E-08", "no oil"),
        ("E-09", "no oil"),
    )
    assert (alarms.name, parts.name, parts.rows) == ("Alarms", "Parts", (("44-1180",),))
    assert alarms.remarks == ("1 formulas have no stored value: open the file in Excel and save it",)


@pytest.mark.parametrize(
    ("value", "number_format", "text", "doubtful"),
    [
        (7, '"E-"000', "E-007", False),
        (7030, "General", "7030", False),
        (31, "00000", "00031", False),
        (0.1 + 0.2, "General", "0.3", False),
        (1234567.891, "#,##0.00", "1,234,567.89", False),
        (0.5, "0%", "50%", False),
        (-3.5, "0.0;(0.0)", "(3.5)", False),
        (12.0, '0.0# "bar"', "12.0 bar", False),
        (1e5, "0.00E+00", "1.00E+05", True),
        (60401233123456, "General", "60401233123456", False),
        (datetime(2026, 3, 1), "d-mmm", "1-Mar", True),  # noqa: DTZ001 - Excel knows no zones
        (datetime(2007, 9, 1), "mmm-yy", "Sep-07", True),  # noqa: DTZ001
        (datetime(2026, 3, 1), "mm-dd-yy", "2026-03-01", False),  # noqa: DTZ001
        (datetime(2026, 3, 1, 14, 5), "m/d/yy h:mm", "2026-03-01 14:05", False),  # noqa: DTZ001
        (True, "General", "TRUE", False),
        (None, "General", "", False),
    ],
)
def test_a_cell_reads_as_excel_shows_it(value: object, number_format: str, text: str, doubtful: bool) -> None:
    assert shown(value, number_format) == (text, doubtful)


def test_a_code_that_excel_turned_into_a_date_is_remarked(tmp_path: Path) -> None:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet["A1"], sheet["A2"] = "Code", datetime(2026, 3, 1)  # noqa: DTZ001
    sheet["A2"].number_format = "d-mmm"
    (table,) = read_table(save(book, tmp_path / "codes.xlsx"))
    assert table.rows == (("Code",), ("1-Mar",))
    assert table.remarks == ("Excel may have turned codes into dates or powers of ten: A2 '1-Mar'",)


@pytest.mark.parametrize("sign", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "gb18030"])
def test_delimiter_and_encoding_of_a_csv_are_guessed(tmp_path: Path, sign: str, encoding: str) -> None:
    rows = [("代码", "原因", "处理方法"), ("AL-031", "液压油温度过高", "检查冷却器并清洗过滤网")]
    rows += [(f"AL-{n:03}", "伺服驱动器过载", '先断电"再"检查，1,5 bar; 等待') for n in range(32, 40)]
    quoted = ["\r\n".join(sign.join('"' + c.replace('"', '""') + '"' for c in row) for row in rows)]
    path = tmp_path / "list.csv"
    path.write_bytes("".join(quoted).encode(encoding))
    assert read_table(path)[0].rows == tuple(rows)


def test_a_title_above_the_table_and_decimal_commas_do_not_mislead(tmp_path: Path) -> None:
    text = "Torque list, press 1\n\nBolt;Torque;Tool\n" + "M8;24,5;K1\nM10;48,0;K2\n"
    assert guess_delimiter(text) == ";"
    (tmp_path / "t.csv").write_text(text, encoding="utf-8")
    rows = read_table(tmp_path / "t.csv")[0].rows
    assert rows[1:4] == ((), ("Bolt", "Torque", "Tool"), ("M8", "24,5", "K1"))


def test_a_line_break_inside_a_cell_stays_inside_it(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text('code,remedy\nE-1,"stop\nlock"\n', encoding="utf-8")
    assert read_table(tmp_path / "t.csv")[0].rows[1] == ("E-1", "stop\nlock")


def test_the_content_decides_not_the_name(workbook: Path) -> None:
    assert read_table(workbook.rename(workbook.with_suffix(".csv")))[0].name == "Alarms"


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "holds no rows"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "old or protected Excel file"),
        (b"PK\x03\x04 but cut off", "damaged"),
        (b"a,b\0\0\0", "not a CSV file"),
    ],
)
def test_what_is_no_table_is_refused_in_one_line(tmp_path: Path, content: bytes, told: str) -> None:
    path = tmp_path / "x.xlsx"
    path.write_bytes(content)
    with pytest.raises(DocumentError, match=rf"^x\.xlsx .*{told}"):
        read_table(path)


def test_archives_packed_like_bombs_are_refused_before_they_are_unpacked(workbook: Path) -> None:
    with zipfile.ZipFile(workbook, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet9.xml", b" " * 60_000_000)
    with pytest.raises(DocumentError, match=r"packed like a bomb: xl/worksheets/sheet9\.xml"):
        read_table(workbook)
    with zipfile.ZipFile(workbook, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("xl/workbook.xml", b" " * 201_000_000)
    with pytest.raises(DocumentError, match=r"unpacks to 201 MB, more than 200 MB"):
        read_table(workbook)


def test_entities_of_xml_are_not_expanded(workbook: Path, tmp_path: Path) -> None:
    bomb = b'<?xml version="1.0"?><!DOCTYPE w [<!ENTITY a "lol"><!ENTITY b "&a;&a;&a;">]><w>&b;</w>'
    path = tmp_path / "bomb.xlsx"
    with zipfile.ZipFile(workbook) as source, zipfile.ZipFile(path, "w") as target:
        for part in source.namelist():
            target.writestr(part, bomb if part == "xl/workbook.xml" else source.read(part))
    with pytest.raises(DocumentError, match=r"^bomb\.xlsx is damaged or not a workbook"):
        read_table(path)
