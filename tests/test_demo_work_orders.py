"""The plant's work orders and stock list agree with its manuals and can be written again at any time."""

import csv
import re
import subprocess
import sys
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

DEMO = Path(__file__).resolve().parents[1] / "demo"
BUILT = DEMO / "built"
PLANT = yaml.safe_load((DEMO / "plant.yaml").read_text(encoding="utf-8"))
MODEL_OF = {asset["tag"]: asset["model"] for asset in PLANT["assets"]}
# How each model's codes and part numbers look, also when typed in a hurry: E07, alm4011.
CODE = {
    "HP-250": r"\bE-?(\d{2,3})\b",
    "TL-42": r"\bALM ?(\d{4})\b",
    "SC-75": r"\bF-?(\d{3})\b",
    "BC-800": r"\bC(\d{2})\b",
    "ZS-160": r"AL-?(\d{3})",
}
PART = {
    "HP-250": r"\b44-\d{4}\b",
    "TL-42": r"\b71-\d{4}\b",
    "SC-75": r"\b62\d{2}-\d{4}\b",
    "BC-800": r"BC8-\d{3}-\d{2}",
    "ZS-160": r"ZS16-\d{4}",
}
SOURCES = {
    "HP-250": ["press.yaml", "press-rev-c.yaml"],
    "TL-42": ["lathe.yaml"],
    "SC-75": ["compressor.yaml"],
    "BC-800": ["conveyor.yaml"],
    "ZS-160": ["imm.yaml"],
}
OPEN = {"WAPPR", "APPR", "WMATL", "INPRG"}


def rows(name: str) -> list[dict[str, str]]:
    with (BUILT / name).open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


@pytest.fixture(scope="module")
def orders() -> list[dict[str, str]]:
    return rows("work_orders.csv")


@cache
def source(model: str) -> Any:
    return yaml.safe_load((DEMO / "manuals" / SOURCES[model][0]).read_text(encoding="utf-8"))


@cache
def part_numbers(model: str) -> set[str]:
    numbers = {part["part-no"] for group in source(model)["parts"].values() for part in group}
    for file in SOURCES[model][1:]:
        revision = yaml.safe_load((DEMO / "manuals" / file).read_text(encoding="utf-8"))
        numbers |= {c["value"] for c in revision["changes"] if c["path"].endswith(".part-no")}
    return numbers


def faults(model: str) -> list[dict[str, Any]]:
    return source(model).get("faults") or source(model)["alarms"]


def test_committed_files_are_what_the_generators_write(tmp_path: Path) -> None:
    for script, name in (("work_orders.py", "work_orders.csv"), ("stock.py", "stock.csv")):
        subprocess.run([sys.executable, DEMO / script, "--out", tmp_path], check=True, capture_output=True)
        assert (tmp_path / name).read_bytes() == (BUILT / name).read_bytes()


def test_two_years_on_every_asset(orders: list[dict[str, str]]) -> None:
    assert len(orders) >= 600
    assert {order["ASSETNUM"] for order in orders} == set(MODEL_OF)
    assert len({order["WONUM"] for order in orders}) == len(orders)
    assert {"PM", "CM"} <= {order["WORKTYPE"] for order in orders}
    locations = {asset["tag"]: asset["location"] for asset in PLANT["assets"]}
    assert all(order["LOCATION"] == locations[order["ASSETNUM"]] for order in orders)


def test_codes_and_parts_are_the_models_own(orders: list[dict[str, str]]) -> None:
    for order in orders:
        model = MODEL_OF[order["ASSETNUM"]]
        text = " ".join(order.values())
        codes = {re.search(r"\d+$", fault["code"])[0] for fault in faults(model)}  # type: ignore[index]
        assert set(re.findall(CODE[model], text, re.IGNORECASE)) <= codes, order
        assert set(re.findall(PART[model], text)) <= part_numbers(model), order
        strangers = [pattern for other, pattern in PART.items() if other != model]
        assert not any(re.search(pattern, text) for pattern in strangers), order


def test_cause_is_one_the_manual_gives_for_the_code(orders: list[dict[str, str]]) -> None:
    by_code = {fault["code"]: fault for model in SOURCES for fault in faults(model)}
    checked = 0
    for order in orders:
        fault = by_code.get(order["PROBLEMCODE"])
        if fault and order["CAUSE"]:
            # A {path} in the source stands for a value in the row.
            patterns = [re.sub(r"\\\{.*?\\\}", ".+", re.escape(cause)) for cause in fault["cause"]]
            assert any(re.fullmatch(pattern, order["CAUSE"]) for pattern in patterns), order
            checked += 1
    assert checked > 300
    assert not any("{" in value for order in orders for value in order.values())


def test_times_run_forward_and_open_orders_have_no_finish(orders: list[dict[str, str]]) -> None:
    for order in orders:
        times = [order[name] for name in ("REPORTDATE", "ACTSTART", "ACTFINISH") if order[name]]
        assert times == sorted(times)
        assert "2024-11-01" <= times[0] and times[-1] < "2026-11-01"
        still_open = order["STATUS"] in OPEN
        assert still_open == (not order["ACTFINISH"]) == (not order["LABORHRS"])
        if still_open:
            assert not order["CAUSE"]
    share = sum(order["STATUS"] in OPEN for order in orders) / len(orders)
    assert 0.03 < share < 0.08


def test_the_shop_does_not_write_from_a_form(orders: list[dict[str, str]]) -> None:
    repairs = [order for order in orders if order["WORKTYPE"] != "PM"]
    assert len({order["DESCRIPTION"] for order in repairs}) > 0.7 * len(repairs)
    chinese = re.compile(r"[\u4e00-\u9fff]")
    for order in orders:
        is_chinese = bool(chinese.search(order["LONGDESCRIPTION"]))
        assert is_chinese == (MODEL_OF[order["ASSETNUM"]] == "ZS-160"), order


def test_some_assets_have_a_recurring_trouble(orders: list[dict[str, str]]) -> None:
    troubles = Counter((order["ASSETNUM"], order["PROBLEMCODE"]) for order in orders if order["PROBLEMCODE"])
    assert sum(count >= 5 for count in troubles.values()) >= 8


def test_stores_hold_every_part_of_the_manuals() -> None:
    stock = {row["Part no."]: row for row in rows("stock.csv")}
    for model in SOURCES:
        assert part_numbers(model) <= set(stock)
        assert {stock[number]["Model"] for number in part_numbers(model)} == {model}
    assert all(int(row["On hand"]) >= 0 for row in stock.values())
    bins = [row["Bin"] for row in stock.values() if not row["Bin"].endswith("-99")]
    assert len(set(bins)) == len(bins)
