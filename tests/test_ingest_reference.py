"""Reference tables: every row one passage with its headings, whatever file it comes in."""

import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from openpyxl import Workbook

from assistant.errors import DocumentError
from assistant.schema import Block, Chunk, ParsedFile
from ingest.chunk import Origin, make_chunks
from ingest.headers import find_header
from ingest.reference import read_records, read_reference


def blocks(parsed: ParsedFile) -> list[Block]:
    return [block for page in parsed.pages for block in page.blocks]


def chunks(parsed: ParsedFile) -> list[Chunk]:
    return make_chunks(parsed, Origin("d", "r", "", parsed.title, ()), lambda text: len(text.split()), 200)


def records(folder: Path, data: object, name: str = "alarm_list.json") -> ParsedFile:
    (folder / name).write_text(json.dumps(data, ensure_ascii=False), encoding="utf-8")
    return read_records(folder / name)


def test_each_row_of_a_workbook_carries_its_header_and_its_sheet(tmp_path: Path) -> None:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "Alarms"
    for cells in (
        ["Alarm list of press 1"],
        [],
        ["Code", "Meaning", "Remedy"],
        ["Hydraulics"],
        ["E-07", "Low oil", "Top up"],
        ["E-08", "", "Stop\nand lock"],
        ["E-09"],
    ):
        sheet.append(cells)
    book.save(tmp_path / "press.xlsx")
    parsed = read_reference(tmp_path / "press.xlsx")
    assert [(b.kind, b.text) for b in blocks(parsed)] == [
        ("heading", "press"),
        ("heading", "Alarms"),
        ("text", "Alarm list of press 1"),
        ("heading", "Hydraulics"),
        ("table", "Code: E-07 | Meaning: Low oil | Remedy: Top up"),
        ("table", "Code: E-08 | Remedy: Stop and lock"),
        ("table", "Code: E-09"),
    ]
    rows = [c for c in chunks(parsed) if c.kind == "table"]
    assert [(c.section, c.identifiers) for c in rows] == [
        (("press", "Alarms", "Hydraulics"), (code,)) for code in ("e07", "e08", "e09")
    ]


def test_a_csv_without_a_header_keeps_its_first_row(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("E-1,no oil\nE-2,no air\n", encoding="utf-8")
    rows = [b.text for b in blocks(read_reference(tmp_path / "t.csv")) if b.kind == "table"]
    assert rows == ["E-1 | no oil", "E-2 | no air"]


@pytest.mark.parametrize(
    ("rows", "at"),
    [
        ([["Code", "Cause"], ["E-1", "x"]], 0),
        ([["Torque list"], [], ["Bolt", "Nm"], ["M8", "24"]], 2),
        ([["M8", "24"], ["M10", "48"]], None),
        ([["2026-01-01", "12.5"], ["2026-01-02", "3"]], None),
        ([["代码", "处理方法"], ["7030", "检查"]], 0),
        ([["only"]], None),
    ],
)
def test_the_header_row_is_found_below_titles_and_not_made_up(
    rows: Sequence[list[str]], at: int | None
) -> None:
    assert find_header(rows) == at


def test_each_record_is_one_passage_with_both_languages_and_its_number_is_a_code(tmp_path: Path) -> None:
    parsed = records(
        tmp_path,
        [
            {"level": 5, "id": 16, "en": {"text": "Too close", "cause": ""}, "zh_CN": {"text": "过近"}},
            {"level": 0, "id": 17, "en": {"text": "No solution"}, "zh_CN": {"text": "无解"}},
        ],
    )
    found = chunks(parsed)
    assert [chunk.text for chunk in found] == [
        "id: 16 | level: 5 | en text: Too close | zh_CN text: 过近",
        "id: 17 | level: 0 | en text: No solution | zh_CN text: 无解",
    ]
    assert ["16" in chunk.identifiers for chunk in found] == [True, False]


def test_lists_inside_objects_are_sections_and_objects_of_objects_are_records(tmp_path: Path) -> None:
    parsed = records(tmp_path, {"plant": {"alarms": [{"code": "E-1", "steps": ["stop", "lock"]}]}, "v": 2})
    assert [b.text for b in blocks(parsed)] == ["alarm_list", "plant alarms", "code: E-1 | steps: stop; lock"]
    parsed = records(tmp_path, {"7030": {"text": "signal"}, "7032": {"text": "noise"}})
    assert [b.text for b in blocks(parsed)][1:] == ["7030 | text: signal", "7032 | text: noise"]
    assert "7030" in chunks(parsed)[0].identifiers


def test_a_record_of_prose_becomes_a_section_that_can_be_cut(tmp_path: Path) -> None:
    (found,) = {c.section for c in chunks(records(tmp_path, [{"title": "Care", "text": "Oil it. " * 300}]))}
    assert found == ("alarm_list", "title: Care")


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("[" * 100_000 + "]" * 100_000, "nested too deeply"),
        ('{"a": 1}', "holds no list of records"),
        ("[1, 2]", "holds no list of records"),
        ("{", "is not JSON"),
    ],
)
def test_json_without_records_is_refused_in_one_line(tmp_path: Path, content: str, told: str) -> None:
    (tmp_path / "a.json").write_text(content, encoding="utf-8")
    with pytest.raises(DocumentError, match=rf"^a\.json .*{told}"):
        read_records(tmp_path / "a.json")
