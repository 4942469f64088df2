"""Files of work orders are read as they are: any encoding, Excel, JSON; what is wrong with them is told."""

import json
from datetime import date, datetime
from pathlib import Path

import pytest
from openpyxl import Workbook

from assistant.errors import InputError
from ingest.mapping import known_headings
from ingest.order_table import Table, read_orders

CHINESE = "工单号,设备,日期,故障描述,处理方法\n77,IM-01,2025-05-01,料筒温度低，报警,更换加热圈\n"


def read(folder: Path, content: str | bytes, name: str = "orders.csv", sheet: str | None = None) -> Table:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_orders(path, known_headings(None), sheet)


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "gb18030", "gbk"]
)
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_chinese_files_of_any_encoding_and_delimiter_are_guessed(
    tmp_path: Path, encoding: str, delimiter: str
) -> None:
    table = read(tmp_path, CHINESE.replace(",", delimiter).encode(encoding))
    assert table.delimiter == delimiter
    assert table.rows[0][1] == {
        "工单号": "77",
        "设备": "IM-01",
        "日期": "2025-05-01",
        "故障描述": "料筒温度低，报警",
        "处理方法": "更换加热圈",
    }


@pytest.mark.parametrize(
    ("encoding", "told", "text"),
    [
        ("cp1252", "cp1252", "Kühlmittelpumpe läuft heiß, Öl über 80 °C, Überdruck"),
        ("cp1252", "cp1252", "Réducteur bruyant, roulement cassé à l'entrée, vérifié"),
        ("gb18030", "gb18030", "液压泵异响，更换轴承后正常，油温50℃"),
        ("big5", "big5", "液壓泵異音，更換軸承後恢復正常，檢查油溫與油位"),
        ("cp1251", "cp1251", "Насос шумит, заменить подшипник и проверить уровень масла"),
    ],
)
def test_legacy_encodings_are_told_apart(tmp_path: Path, encoding: str, told: str, text: str) -> None:
    table = read(tmp_path, f"WONUM;DESCRIPTION\n1;{text}\n".encode(encoding))
    assert (table.encoding, table.rows[0][1]["DESCRIPTION"]) == (told, text)


def test_headings_are_found_below_a_title_and_made_unique(tmp_path: Path) -> None:
    table = read(
        tmp_path, "Work order report,,,\nPrinted 2025-03-01,,,\n\nWO No.,Date,Date,Description\n1,a,b,c\n"
    )
    assert table.headings == ("WO No.", "Date", "Date (2)", "Description")
    assert (table.heading_row, table.rows[0][0]) == (4, 1)


def test_rows_that_would_shift_or_run_together_are_rejected_not_cut(tmp_path: Path) -> None:
    table = read(
        tmp_path,
        "WONUM,DESCRIPTION,ASSETNUM\n1,fine,P1\n2,leak, badly,P1\n3,short\nWONUM,DESCRIPTION,ASSETNUM\n"
        '4,"open,P1\n5,swallowed,P2\n6,"closes",P3\n7,"5"" hose",P1\n',
    )
    assert [(row.row, row.reason.split(":")[0]) for row in table.rejected] == [
        (2, "4 cells under 3 headings"),
        (4, "repeats the headings"),
        (5, "a cell holds whole rows"),
    ]
    assert [cells["DESCRIPTION"] for _, cells in table.rows] == ["fine", "short", '5" hose']


def test_a_column_without_a_heading_is_no_reason_to_reject(tmp_path: Path) -> None:
    table = read(tmp_path, "WONUM,DESCRIPTION\n1,leak,x\n2,noise,y\n")
    assert table.headings == ("WONUM", "DESCRIPTION", "column 3") and not table.rejected


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b"  \n\n", "is empty"),
        (b"\xef\xbb\xbf", "is empty"),
        (b"WONUM,DESCRIPTION\n", "holds headings but no rows"),
        (b"\x00\x01\x02\x03" * 10, "is not a CSV file, nor XLSX or JSON"),
        (b"PK\x03\x04\x00\x00", "damaged"),
        (b"\xd0\xcf\x11\xe0old", "old or protected Excel file"),
        (b'WONUM,DESCRIPTION\n1,"leak\n2,noise\n', "a quotation mark opened in line 2 is never closed"),
        (b"x" * 2_000_000, "its first line is 2,000,000 characters long"),
        (b'{"a": ', "is not valid JSON"),
        (b"[]", "holds no list of records"),
        (b"[1, 2]", "holds no list of records"),
        (b'{"a": [{"b": 1}], "c": [{"d": 1}]}', "holds several lists: a, c"),
        (b"[" * 200_000, "is nested too deeply|is not valid JSON"),
    ],
)
def test_what_is_no_table_is_refused_in_one_line(tmp_path: Path, content: bytes, message: str) -> None:
    with pytest.raises(InputError, match=message) as refused:
        read(tmp_path, content)
    assert "\n" not in str(refused.value) and len(str(refused.value)) < 250
    assert refused.value.exit_code == 2


def test_a_line_of_100_mb_is_refused_quickly(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="first line is 100,000,000 characters long"):
        read(tmp_path, b"a" * 100_000_000)


def test_one_endless_cell_costs_its_row_only(tmp_path: Path) -> None:
    table = read(tmp_path, f"WONUM,DESCRIPTION\n1,leak\n2,{'x' * 300_000}\n3,noise\n")
    assert [number for number, _ in table.rows] == [1, 3]
    assert table.rejected[0].reason == "a cell is longer than 200,000 characters"


def test_excel_cells_are_read_as_they_are_shown(tmp_path: Path) -> None:
    book = Workbook()
    book.active.title = "Cover"
    book.active["A1"] = "Maintenance"
    sheet = book.create_sheet("Orders")
    sheet.append(["Work orders of March"])
    sheet.append(["WONUM", "REPORTDATE", "DESCRIPTION", "PROBLEMCODE", "Serial"])
    sheet.append([1001, datetime.fromisoformat("2025-03-01T14:30"), "Press down", date(2025, 2, 1), 42])
    sheet.append(["0012", date(2025, 3, 2), "Leak", "FE-1", 7.5])
    sheet["B3"].number_format, sheet["B4"].number_format = "yyyy-mm-dd hh:mm", "dd/mm/yyyy"
    sheet["D3"].number_format, sheet["E3"].number_format = "d-mmm", "00000"
    book.save(tmp_path / "orders.xlsx")
    table = read_orders(tmp_path / "orders.xlsx", known_headings(None))
    assert (table.form, table.sheet, table.heading_row) == ("xlsx", "Orders", 2)
    first, second = (cells for _, cells in table.rows)
    assert first == {
        "WONUM": "1001",
        "REPORTDATE": "2025-03-01 14:30",
        "DESCRIPTION": "Press down",
        "PROBLEMCODE": "1-Feb",
        "Serial": "00042",
    }
    assert (second["WONUM"], second["REPORTDATE"], second["PROBLEMCODE"]) == ("0012", "2025-03-02", "FE-1")
    # Nobody can know that 1 February was FE-1, but the supervisor is told where to look.
    assert "D3 '1-Feb'" in table.remarks[0]
    with pytest.raises(InputError, match="has no sheet 'May'. It has: Cover, Orders"):
        read_orders(tmp_path / "orders.xlsx", known_headings(None), "May")


RECORDS = [
    {"id": 7, "title": "Leak", "asset": {"id": "P1", "tags": ["a", "b"]}, "open": True, "note": None},
    {"id": "0010", "title": "Noise", "cost": 1.50},
]


@pytest.mark.parametrize(
    "text",
    [
        json.dumps(RECORDS),
        json.dumps({"count": 2, "data": {"workOrders": RECORDS, "errors": []}}),
        "\n".join(map(json.dumps, RECORDS)),
    ],
)
def test_json_is_a_list_an_object_with_one_or_a_record_a_line(tmp_path: Path, text: str) -> None:
    table = read(tmp_path, text, "orders.json")
    first, second = (cells for _, cells in table.rows)
    assert first == {
        "id": "7",
        "title": "Leak",
        "asset.id": "P1",
        "asset.tags": "a; b",
        "open": "true",
        "note": "",
    }
    assert second == {"id": "0010", "title": "Noise", "cost": "1.5"}


def test_numbers_of_json_stay_as_they_are_written_and_odd_lines_are_rejected(tmp_path: Path) -> None:
    table = read(tmp_path, '{"id": 12345678901234567890, "x": 1E5}\nnonsense\n{"id": 1.50}\n', "orders.jsonl")
    assert [cells["id"] for _, cells in table.rows] == ["12345678901234567890", "1.50"]
    assert table.rows[0][1]["x"] == "1E5"
    assert (table.rejected[0].row, table.rejected[0].cells) == (2, {"content": "nonsense"})
