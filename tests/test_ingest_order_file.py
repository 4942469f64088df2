"""Columns and dates of an export are guessed, shown before anything changes, corrected and remembered."""

from pathlib import Path

import pytest

from assistant.errors import InputError
from ingest.mapping import choose_columns
from ingest.order_dates import guess_order, to_iso
from ingest.order_file import Choices, OrderFile, open_orders, preview, remember_choices
from ingest.presets import FIELDS, HEADINGS, PRESETS, TEXT_FIELDS


def opened(home: Path, content: str, **choices: str) -> OrderFile:
    (home / "orders.csv").write_text(content, encoding="utf-8")
    return open_orders(home / "orders.csv", home, Choices(**choices))


@pytest.mark.parametrize(
    ("headings", "origin", "wanted"),
    [
        (
            "WONUM DESCRIPTION ASSETNUM LOCATION STATUS WORKTYPE WOPRIORITY REPORTDATE ACTSTART ACTFINISH "
            "FAILURECODE PROBLEMCODE CAUSE REMEDY",
            "looks like maximo",
            {"order": "WONUM", "date": "REPORTDATE", "finished": "ACTFINISH", "problem": "PROBLEMCODE"},
        ),
        (
            "AUFNR QMNUM QMTXT EQUNR TPLNR QMART OTEIL FECOD URCOD",
            "looks like sap-pm",
            {"order": "AUFNR", "location": "TPLNR", "component": "OTEIL", "problem": "FECOD"},
        ),
        (
            "id title description status priority assetId locationId dueDate actualHours category createdAt "
            "completedAt",
            "looks like upkeep",
            {
                "description": "title",
                "details": "description",
                "date": "createdAt",
                "finished": "completedAt",
            },
        ),
        (
            "title description priority status assetId locationId dueDate categories completionNotes",
            "looks like maintainx",
            {"description": "title", "remedy": "completionNotes", "date": "dueDate", "type": "categories"},
        ),
        ("code description asset status dates", "guessed", {"order": "code", "asset": "asset"}),
        (
            "报修单号 设备名称 报修时间 问题描述 故障原因 处理措施 更换零件",
            "guessed",
            {
                "order": "报修单号",
                "asset": "设备名称",
                "date": "报修时间",
                "cause": "故障原因",
                "parts": "更换零件",
            },
        ),
        (
            "Ticket #|Machine|Date reported|What was the problem description|Root Cause|Work done",
            "guessed",
            {"asset": "Machine", "date": "Date reported", "cause": "Root Cause", "remedy": "Work done"},
        ),
    ],
)
def test_exports_are_recognised_by_their_headings(headings: str, origin: str, wanted: dict[str, str]) -> None:
    columns = choose_columns(None, headings.split("|") if "|" in headings else headings.split(), "orders.csv")
    assert columns.origin == origin
    assert {field: columns.of[field][0] for field in wanted} == wanted


def test_every_preset_and_heading_names_fields_that_exist() -> None:
    named = {*HEADINGS, *(field for preset in PRESETS.values() for field in preset), *TEXT_FIELDS}
    assert named == set(FIELDS)


def test_a_list_that_is_not_of_work_orders_is_not_taken_for_one() -> None:
    for headings in (
        ["tag", "name", "description"],
        ["category", "primary_code", "primary_code_description"],
    ):
        with pytest.raises(InputError, match="no column that looks like order number or date"):
            choose_columns(None, headings, "assets.csv")


@pytest.mark.parametrize(
    ("mapping", "message"),
    [
        ("nonsense", r"neither a preset nor a file\. Presets: maximo, sap-pm"),
        ("ordre: WONUM\ndescription: X\n", r"maps unknown field ordre\. Known: order, site, asset"),
        ("order: WONUM\n", r"maps no text"),
        ("- a\n- b\n", r"holds no mapping"),
        ("a: [", r"is not valid YAML or JSON"),
    ],
)
def test_a_faulty_mapping_is_told(tmp_path: Path, mapping: str, message: str) -> None:
    path = tmp_path / "map.yaml"
    path.write_text(mapping, encoding="utf-8")
    with pytest.raises(InputError, match=message):
        choose_columns("nonsense" if mapping == "nonsense" else str(path), ["WONUM"], "orders.csv")


def test_a_correction_is_remembered_for_the_same_headings_until_set_aside(tmp_path: Path) -> None:
    content = "No,Asset,Description,Was,Date\n5,P1,see other column,Pump loud,03/04/2025\n"
    guessed = opened(tmp_path, content)
    assert guessed.columns.of["description"] == ("Description",)
    choices = Choices(mapping="order=No,asset=Asset,description=Was,date=Date", date_order="dmy")
    corrected = open_orders(tmp_path / "orders.csv", tmp_path, choices)
    remember_choices(tmp_path, corrected, choices)
    # Next month the columns stand in another order.
    later = opened(tmp_path, "Date,Was,No,Asset,Description\n01/05/2025,Belt torn,6,P2,see other column\n")
    assert later.columns.origin == "remembered"
    ((_, _, values),) = later.rows()
    assert values == {"order": "6", "asset": "P2", "description": "Belt torn", "date": "2025-05-01"}
    again = Choices(mapping="guess")
    remember_choices(tmp_path, open_orders(tmp_path / "orders.csv", tmp_path, again), again)
    assert opened(tmp_path, content).columns.origin == "guessed"


def test_the_preview_shows_what_becomes_what(tmp_path: Path) -> None:
    shown = preview(opened(tmp_path, "WONUM;DESCRIPTION;REPORTDATE;Cost\n" + "\n".join(
        f"{n};leak {n};{n}/12/2024;{n}.50" for n in range(10, 15)
    )))  # fmt: skip
    assert [(column.column, column.field) for column in shown.columns] == [
        ("WONUM", "order"),
        ("DESCRIPTION", "description"),
        ("REPORTDATE", "date"),
    ]
    assert shown.columns[1].samples == ("leak 10", "leak 11", "leak 12")
    assert [(column.column, column.samples[0]) for column in shown.unused] == [("Cost", "10.50")]
    assert (shown.rows, shown.encoding, shown.delimiter, shown.date_order) == (
        5,
        "utf-8",
        ";",
        {"date": "dmy"},
    )
    assert shown.remarks == (
        "REPORTDATE is read as day/month/year: 2 dates such as 13/12/2024 allow only this",
    )


def test_the_whole_column_tells_the_order_of_day_and_month(tmp_path: Path) -> None:
    assert guess_order(["01/02/2025", "03/04/2025", "25/04/2025"]).order == "dmy"
    assert guess_order(["01/02/25 10:00", "4/25/25 9:15"]).order == "mdy"
    assert guess_order(["13/01/2025", "01/13/2025"]).order == "mixed"
    assert guess_order(["2025-03-01", "2025/3/2"]).order == "ymd"
    assert guess_order(["01/02/2025", "03/04/2025"]).order == "unknown"
    # No number above 12, but read month first the rows follow one another.
    days = [f"{month}/{day}/2025" for month in range(1, 5) for day in range(1, 13)]
    assert guess_order(days).order == "mdy"


@pytest.mark.parametrize(
    ("text", "order", "iso"),
    [
        ("3/4/2025", "dmy", "2025-04-03"),
        ("3/4/2025", "mdy", "2025-03-04"),
        ("3/4/2025", "unknown", None),
        ("25/4/2025", "mixed", "2025-04-25"),
        ("4.3.25 7:05 PM", "dmy", "2025-03-04 19:05"),
        ("2025年3月1日", "ymd", "2025-03-01"),
        ("2010-06-22 14:12:00", "ymd", "2010-06-22 14:12"),
        ("2025-03-01T08:00:00Z", "ymd", "2025-03-01 08:00"),
        ("20250301", "ymd", "2025-03-01"),
        ("1-Mar-99", "ymd", "1999-03-01"),
        ("March 1, 2025", "ymd", "2025-03-01"),
        ("45717.5", "ymd", "2025-03-01 12:00"),
        ("1740830400000", "ymd", "2025-03-01 12:00"),
        ("2025-13-01", "ymd", None),
        ("last week", "dmy", None),
    ],
)
def test_dates_become_iso_or_stay_as_written(text: str, order: str, iso: str | None) -> None:
    assert to_iso(text, order) == iso  # type: ignore[arg-type]
