"""Tables are kept row by row, notices are tied: on the demo's sources and, by hand, on two real manuals."""

import re
from functools import lru_cache
from pathlib import Path

import pytest

from assistant.schema import Chunk
from demo.facts import load_machine
from eval.ingestion import (
    ROWS,
    TRUTH,
    NoticeTruth,
    RowTruth,
    measure,
    notices_found,
    order_kept,
    read_notices,
    read_rows,
    rows_kept,
)
from ingest.chunk import Origin, make_chunks
from ingest.parse import parse_file

MANUALS = Path(__file__).parents[1] / "demo" / "built" / "manuals"
SOURCES = Path(__file__).parents[1] / "demo" / "manuals"
DATA = Path(__file__).parents[2] / "shared" / "data"
DEMO = {
    "HP-250": "HP-250_hydraulic-press_rev-C.pdf",
    "TL-42": "TL-42_cnc-lathe_rev-A.pdf",
    "SC-75": "SC-75_screw-compressor_rev-A.pdf",
    "BC-800": "BC-800_belt-conveyor_rev-A.pdf",
    "ZS-160": "ZS-160_注塑机_rev-A.pdf",
}
NOTICE_SOURCES = {
    "SC-75": "compressor.typ",
    "BC-800": "conveyor.typ",
    "ZS-160": "imm.typ",
    "TL-42": "lathe.typ",
}


@lru_cache
def chunks_of(name: str) -> tuple[Chunk, ...]:
    path = MANUALS / name
    parsed = parse_file(path, "pdf", lambda _done, _total: None)
    return tuple(make_chunks(parsed, Origin(name, name, "", "", ()), lambda text: len(text) // 3, 240))


def longest_word(text: str) -> tuple[str, ...]:
    """The longest word of a fact, without markup; a hyphen may fall at the end of a line."""
    plain = re.sub(r"[#@$\\*_~{}<>\"'`]\S*|\(.*?\)|\S*-\S*", " ", text)
    return tuple(sorted(re.findall(r"\w+", plain), key=len, reverse=True)[:1])


@pytest.mark.parametrize("model", sorted(DEMO))
def test_every_fault_of_the_demo_is_one_row_with_its_cause_and_remedy(model: str) -> None:
    truth = [
        RowTruth(DEMO[model], 0, ((name.split()[0],), longest_word(t.cause[0]), longest_word(t.remedy[0])))
        for name, t in load_machine(model).troubles.items()
        if t.cause and t.remedy
    ]
    assert len(truth) >= 20
    kept = rows_kept(truth, chunks_of(DEMO[model]))
    assert kept.right == kept.asked, kept.misses


@pytest.mark.parametrize("model", sorted(NOTICE_SOURCES))
def test_every_notice_of_the_demo_is_found(model: str) -> None:
    source = (SOURCES / NOTICE_SOURCES[model]).read_text(encoding="utf-8")
    found = re.findall(r"#(danger|warning|caution|notice)\[\*?([^\]#.。*]{4,60})[.。]", source)
    truth = [NoticeTruth(DEMO[model], 0, level.upper(), (text.strip(),), ()) for level, text in found]
    assert len(truth) >= 8
    right, _ = notices_found(truth, chunks_of(DEMO[model]))
    assert right.right >= 0.98 * right.asked, right.misses


def row(text: str, page: int = 1, kind: str = "table", **more: object) -> Chunk:
    return Chunk("id", "m.pdf", "r", "m", ("Pump",), page, page, kind, text, **more)  # type: ignore[arg-type]


def test_words_spread_over_two_rows_of_one_passage_are_no_row() -> None:
    truth = [RowTruth("m.pdf", 1, (("noisy",), ("oil",)))]
    assert rows_kept(truth, [row("Symptom: noisy | Remedy: add OIL")]).right == 1
    assert rows_kept(truth, [row("Symptom: noisy | Remedy: stop\nSymptom: hot | Remedy: add oil")]).right == 0
    assert rows_kept(truth, [row("Symptom: noisy | Remedy: boil")]).right == 0
    elsewhere = rows_kept(truth, [row("Symptom: noisy | Remedy: add oil", page=2)])
    assert elsewhere.misses == ("m.pdf p1: noisy | oil",)


def test_a_notice_counts_as_tied_when_a_passage_about_its_task_names_it() -> None:
    truth = [NoticeTruth("m.pdf", 1, "WARNING", ("steam",), ("cap",))]
    notice = row("WARNING\nHot steam.", kind="notice", signal="WARNING")
    task = row("1. Open the cap.", kind="list", notices=("id",))
    assert [share.right for share in notices_found(truth, [notice, task])] == [1, 1]
    assert [share.right for share in notices_found(truth, [notice, row("1. Open the cap.")])] == [1, 0]
    assert [share.right for share in notices_found(truth, [row("WARNING\nHot steam.")])] == [0, 0]


def test_the_order_of_words_is_compared() -> None:
    assert order_kept("one two three four", [row("Pump"), row("one two")]) < 0.8
    assert order_kept("pump one two", [row("one two")]) == 1.0


def test_the_truth_names_rows_and_notices_with_distinguishing_words() -> None:
    rows = [row for name in ROWS for row in read_rows(TRUTH / f"{name}.jsonl")]
    assert len(rows) >= 120 and all(len(row.together) == 3 and all(row.together) for row in rows)
    assert len(read_notices(TRUTH / "notices.jsonl")) >= 50


@pytest.mark.slow
@pytest.mark.skipif(not DATA.is_dir(), reason="the development data is not beside this checkout")
def test_two_real_manuals_as_stored() -> None:
    figures = measure(DATA)
    for name in ROWS:
        assert figures[name]["share"] >= 0.95, figures[name]["misses"]
    assert figures["notices_found"]["share"] >= 0.98, figures["notices_found"]["misses"]
    assert figures["notices_tied"]["share"] >= 0.98, figures["notices_tied"]["misses"]
