"""Shop shorthand is written out for search, in English and Chinese; identifiers are never touched."""

import os
from pathlib import Path
from typing import Any

import pytest

from assistant.errors import StorageError
from assistant.retrieve import Retriever
from assistant.schema import Question
from assistant.settings import RetrievalSettings
from assistant.shorthand import (
    Learned,
    PlantShorthand,
    Shorthand,
    general_words,
    keep_learned,
    shorthand_of_orders,
)

GENERAL = Shorthand(general_words())


@pytest.mark.parametrize(
    ("written", "plain"),
    [
        ("c/o brg", "change out bearing"),
        ("hyd hose blown", "hydraulic hose blown"),
        ("INSP/REPL BRGS.", "inspect / replace bearings."),
        ("repl'd L/H cyl, chk'd (vlv)", "replaced left hand cylinder, checked (valve)"),
        ("ｃ／ｏ ｂｒｇ", "change out bearing"),
        ("电磁伐坏，更换轴成", "电磁阀坏,更换轴承"),
        ("马达异音，液压马达正常", "电机异响,液压马达正常"),
        ("用螺丝刀拧紧螺丝", "用螺丝刀拧紧螺栓螺钉"),
        ("润滑油压力低", "润滑油压力低"),
        ("press will not open at low pressure", "press will not open at low pressure"),
    ],
)
def test_shorthand_is_written_out(written: str, plain: str) -> None:
    assert GENERAL.plain(written) == plain


@pytest.mark.parametrize(
    "identifier", ["E-07", "M10", "ALT-4", "CYL1", "44-1650", "brg7", "6ES7-315", "C/O-12", "MTR-01", "A/C2"]
)
def test_identifiers_are_never_touched(identifier: str) -> None:
    assert GENERAL.plain(f"fault {identifier} again") == f"fault {identifier} again"
    assert GENERAL.searched(identifier) == identifier


def test_a_search_keeps_what_was_written_and_adds_only_what_is_new() -> None:
    assert GENERAL.searched("hyd hose on hydraulic press") == "hyd hose on hydraulic press"
    assert GENERAL.searched("c/o brg") == "c/o brg\nchange out bearing"
    assert GENERAL.spoken("REPL HYD HOSE\nCause: Worn") == "replace hydraulic hose\nCause: Worn"


def test_every_chinese_term_is_written_out_once() -> None:
    # A term that holds another entry's variant would be changed again each time the text is read.
    for variant, term in general_words().items():
        if not variant.isascii():
            assert GENERAL.plain(term) == term, variant


def test_what_a_plant_taught_counts_at_once_and_over_the_general_words(tmp_path: Path) -> None:
    questions = PlantShorthand(tmp_path)
    assert questions.current().plain("cond grndr") == "condenser grndr"
    keep_learned(
        tmp_path, "orders.csv", Learned({"cond": "conditioner"}, {"grndr": "grinder", "cyl": "cycle"})
    )
    # What was only guessed from likeness finds orders, but does not touch questions or general words.
    assert questions.current().plain("cond grndr") == "conditioner grndr"
    assert shorthand_of_orders(tmp_path).plain("cond grndr cyl") == "conditioner grinder cylinder"
    # The same file teaches again: what it taught before is gone.
    keep_learned(tmp_path, "orders.csv", Learned({}, {"grndr": "grinder"}))
    assert shorthand_of_orders(tmp_path).plain("cond grndr") == "condenser grinder"
    (tmp_path / "shorthand.json").write_text("[]", encoding="utf-8")
    os.utime(tmp_path / "shorthand.json", ns=(0, 1))
    with pytest.raises(StorageError, match="cannot be read"):
        questions.current()


def test_a_question_in_shorthand_finds_the_manual(workshop: Any) -> None:
    path = workshop.write("fan.md")
    path.write_text(
        "# Fan\n\n## Belt\n\nTighten it.\n\n## Change out bearing\n\nPull it off.\n", encoding="utf-8"
    )
    workshop.ingestor.ingest(path, "fan.md")
    parts = (workshop.store, workshop.embedder, workshop.sparse, workshop.catalogue, RetrievalSettings())
    asked = Question("c/o brg")
    found = Retriever(*parts, PlantShorthand(workshop.home)).pinned().retrieve(asked)
    assert found[0].chunk.section[-1] == "Change out bearing"
    words = workshop.sparse.query(asked.text).indices
    assert not set(words) & set(workshop.sparse.passages([found[0].chunk.text])[0].indices)
