"""Notices that an answer must show: in the manual's words, gravest first, few enough to be read."""

from typing import Any

import pytest

from assistant.assets import AssetResolver
from assistant.safety import MOST, SafetyCarrier
from assistant.schema import Asset, Chunk, Question, TriageForm
from assistant.triage.rank import Triage

MANUAL = """# Press

## 10 Repair

WARNING: Stop the press and lock the main switch before any repair.

### 10.1 Replacing the pump

CAUTION: Heavy part. Use a crane.

DANGER: Stored pressure. Open V7 and wait until the gauge shows 0 bar.

1. Loosen the pump flange.
2. Lift the pump out.

### 10.2 Greasing the bearings

1. Grease with 25 g. CAUTION: Never grease a running bearing.

## 11 Faults

### 11.1 How to read a fault

The panel shows the code.

WARNING: After a reset the ram may move at once.

### 11.2 Fault codes

| Code | Cause | Remedy |
|---|---|---|
| E-07 | Oil low | Top up |

## 12 Signal words

DANGER: kills. WARNING: could kill. CAUTION: injures.
"""


@pytest.fixture
def press(workshop: Any) -> Any:
    path = workshop.write("press.md")
    path.write_text(MANUAL, encoding="utf-8")
    assert workshop.ingestor.ingest(path, path.name).status == "ingested"
    return workshop


def passage(press: Any, words: str) -> Chunk:
    hits = press.retriever.retrieve(Question(words))
    return next(hit.chunk for hit in hits if words in hit.chunk.text)


def shown(press: Any, *words: str) -> list[tuple[str, str]]:
    notices = SafetyCarrier(press.store).notices([passage(press, word) for word in words])
    return [(notice.level, notice.text) for notice in notices]


def test_notices_of_the_task_and_of_its_chapter_come_gravest_first_and_verbatim(press: Any) -> None:
    assert shown(press, "Loosen the pump flange") == [
        ("DANGER", "DANGER: Stored pressure. Open V7 and wait until the gauge shows 0 bar."),
        ("WARNING", "WARNING: Stop the press and lock the main switch before any repair."),
        ("CAUTION", "CAUTION: Heavy part. Use a crane."),
    ]


def test_a_notice_inside_a_step_is_shown_too(press: Any) -> None:
    assert ("CAUTION", "CAUTION: Never grease a running bearing.") in shown(press, "Grease with 25 g")


def test_a_notice_that_is_cited_brings_the_others_of_its_task(press: Any) -> None:
    assert [level for level, _ in shown(press, "Heavy part")] == ["DANGER", "WARNING", "CAUTION"]


def test_what_signal_words_mean_is_no_notice(press: Any) -> None:
    explained = Chunk(
        *("c", "press.md", "r", "t", (), 1, 1, "text", "DANGER: kills.\nWARNING: may kill.\nCAUTION: hurts.")
    )
    assert SafetyCarrier(press.store).notices([explained]) == ()


def test_each_notice_is_shown_once_and_never_too_many(press: Any) -> None:
    pump, oil = passage(press, "Loosen the pump flange"), passage(press, "E-07")
    carrier = SafetyCarrier(press.store)
    assert len(carrier.notices([pump, pump, oil])) == 4
    many = "\n".join(f"WARNING: Hazard number {n} of this machine." for n in range(20))
    crowded = Chunk("c", "press.md", "r", "t", (), 1, 1, "text", f"{many}\nDANGER: The worst of all.")
    notices = carrier.notices([crowded, pump])
    assert len(notices) == MOST and notices[0].text == "DANGER: The worst of all."


def test_triage_shows_the_notice_at_the_head_of_the_fault_chapter(press: Any) -> None:
    press.plant.add_assets([Asset("PR-01")])
    resolver = AssetResolver(press.plant, press.catalogue, press.store)
    triage = Triage(resolver, press.retriever, press.plant, press.store, press.sparse)
    result = triage.rank(TriageForm("PR-01", "oil alarm", "E-07"))
    assert [notice.text for notice in result.safety] == ["WARNING: After a reset the ram may move at once."]


def test_a_drawn_icon_before_the_word_makes_it_no_less_a_warning(workshop: Any) -> None:
    path = workshop.write("battery.md")
    path.write_text(
        "# 换电池\n\n- 🔴警告！\n\n- 电池可能会爆炸，请勿充电。\n\n- 打开电池盖。\n", encoding="utf-8"
    )
    workshop.ingestor.ingest(path, path.name)
    (notice,) = SafetyCarrier(workshop.store).notices([passage(workshop, "打开电池盖")])
    assert notice.level == "WARNING" and "爆炸" in notice.text
