"""What disagrees with an answer is shown, and nothing that only looks like it."""

from typing import Any

import pytest

from assistant.conflicts import Conflicts
from assistant.earlier import EarlierRevisions
from assistant.evidence import Evidence
from assistant.schema import Chunk, Conflict, Hit, Question

BEFORE = """# Press

Date 2018-06-18

## 7.2 Settings

| Port | Pressure | Set value |
|---|---|---|
| M1 | Main relief valve | 270 bar |
| M2 | Pilot relief valve | 75 bar |

## 8 Oil

Fill the tank of the press with HLP 68 (ISO VG 68) only.
"""
AFTER = (
    BEFORE.replace("270 bar", "265 bar")
    .replace("2018-06-18", "2023-02-06")
    .replace("HLP 68 (ISO VG 68)", "HVLP 46 (ISO VG 46)")
    .replace("## 7.2", "## 9.3")
)


@pytest.fixture
def press(workshop: Any) -> Any:
    for label, text in (("B", BEFORE), ("C", AFTER)):
        path = workshop.write(f"press_rev-{label}.md")
        path.write_text(text, encoding="utf-8")
        workshop.ingestor.ingest(path, path.name)
    return workshop


def place(press: Any, words: str) -> Evidence:
    hits = press.retriever.retrieve(Question(words))
    hit = next(hit for hit in hits if words in hit.chunk.text)
    line = next(line for line in hit.chunk.text.splitlines() if words in line)
    return Evidence(hit, line, 0.9, (), 0, 0)


def order(text: str, asset: str = "PR-01", date: str = "2025-03-01") -> Hit:
    extra = {"order": "1001", "asset": asset, "date": date}
    return Hit(
        Chunk("o", "orders.csv", "o", "", (), 1, 1, "text", text, source="work_order", extra=extra), 1.0
    )


def found(press: Any, words: str, *orders: Hit, stated: str = "", other: Hit | None = None) -> list[Conflict]:
    evidence = place(press, words)
    conflicts = Conflicts(EarlierRevisions(press.catalogue, press.store))
    beside = [other] if other else []
    return list(conflicts.find([evidence], [evidence.hit], stated=stated, found=beside, orders=orders))


def test_the_revision_in_force_leads_and_the_replaced_one_is_shown_with_its_date(press: Any) -> None:
    (conflict,) = found(press, "Main relief valve")
    assert conflict.kind == "revisions"
    assert "265 bar" in conflict.leading.text and conflict.leading.date == "2023-02-06"
    assert (conflict.leading.citation.revision, conflict.leading.citation.n) == ("C", 1)
    assert "270 bar" in conflict.other.text and conflict.other.date == "2018-06-18"
    assert (conflict.other.citation.revision, conflict.other.citation.n) == ("B", 0)


def test_a_row_that_did_not_change_disagrees_with_nothing(press: Any) -> None:
    assert found(press, "Pilot relief valve") == []


def test_only_what_the_answer_states_is_at_stake(press: Any) -> None:
    assert found(press, "Main relief valve", stated="It is measured at port M1 [1].") == []
    assert len(found(press, "Main relief valve", stated="Set it to 265 bar [1].")) == 1


def test_a_work_order_that_used_another_oil_is_shown(press: Any) -> None:
    conflicts = found(press, "Fill the tank", order("OIL CHG DONE W/ VG68. Press ok."))
    assert [conflict.kind for conflict in conflicts] == ["revisions", "work_order"]
    assert conflicts[1].other.text == "OIL CHG DONE W/ VG68" and conflicts[1].other.date == "2025-03-01"
    assert conflicts[1].other.citation.source == "work_order"


@pytest.mark.parametrize(
    "text",
    [
        "Oil changed, VG 46",
        "Oil leak at the pump. A drum of VG68 stands there.",
        "Gear oil of the feeder changed to CLP 220",
        "Relief valve reads 230 bar, cleaned",
        "Check valve replaced, set to 120 bar",
        "Counterbalance valve set to 85 bar",
        "Relief valve cartridge changed, set to 265 bar",
    ],
)
@pytest.mark.parametrize("words", ["Fill the tank", "Main relief valve"])
def test_orders_that_agree_or_tell_of_something_else_raise_no_alarm(
    press: Any, words: str, text: str
) -> None:
    assert {conflict.kind for conflict in found(press, words, order(text))} == {"revisions"}


def test_the_order_of_the_machine_itself_is_shown_before_that_of_a_sister(press: Any) -> None:
    evidence = place(press, "Main relief valve")
    sister, own = order("Relief valve set to 280 bar", "PR-02"), order("Relief valve set to 275 bar", "PR-01")
    conflicts = Conflicts(EarlierRevisions(press.catalogue, press.store))
    told = conflicts.find([evidence], [evidence.hit], ("pr-01",), orders=[sister, own])
    assert [conflict.other.text for conflict in told if conflict.kind == "work_order"] == [
        "Relief valve set to 275 bar"
    ]


def test_two_manuals_in_force_that_disagree_are_shown_side_by_side(press: Any) -> None:
    row = "Port: M1 | Pressure: Main relief valve | Set value: {} bar"
    for value, expected in ((260, ["revisions", "documents"]), (265, ["revisions"])):
        bulletin = Chunk("b", "bulletin.pdf", "b", "", (), 3, 3, "table", row.format(value))
        conflicts = found(press, "Main relief valve", other=Hit(bulletin, 1.0))
        assert [conflict.kind for conflict in conflicts] == expected
    lathe = Chunk("b", "lathe.pdf", "b", "", (), 3, 3, "table", row.format(260), applies_to=("tl-42",))
    cited = place(press, "Main relief valve")
    assert cited.hit.chunk.applies_to == ()
    assert len(found(press, "Main relief valve", other=Hit(lathe, 1.0))) == 2


def test_a_withdrawn_or_deleted_revision_is_not_shown(press: Any) -> None:
    (before,) = press.catalogue.revisions("retired")
    assert press.catalogue.move(before.id, ["retired"], "withdrawn")
    assert found(press, "Main relief valve") == []
