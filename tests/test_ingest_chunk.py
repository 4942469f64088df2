"""Chunks keep what belongs together, and nothing but the source's words."""

from assistant.schema import Block, Box, Chunk, ParsedFile, ParsedPage
from ingest.chunk import Origin, embedding_text, make_chunks

ORIGIN = Origin("press.pdf", "0123456789abcdef", "C", "Press", ("hp-250",))
FAULTS = "Code | Message | Cause | Remedy"
PARTS = "Item | Part no. | Qty"


def words(text: str) -> int:
    return len(text.split())


def chunks(*blocks: Block, limit: int = 40) -> list[Chunk]:
    return make_chunks(ParsedFile("Press", (ParsedPage(1, blocks),)), ORIGIN, words, limit)


def heading(text: str, level: int = 1) -> Block:
    return Block("heading", text, 1, level=level)


def paragraph(text: str, page: int = 1) -> Block:
    return Block("text", text, page, (Box(page, 0.1, 0.2, 0.9, 0.3),))


def step(number: int, text: str = "Turn the screw.") -> Block:
    return Block("list", f"{number}. {text}", 1)


def row(text: str, header: str) -> Block:
    return Block("table", text, 1, header=header)


def test_a_chunk_knows_where_it_stands() -> None:
    (chunk,) = chunks(
        heading("10 Repair"), heading("10.1 Pump", 2), paragraph("Stop.", 3), paragraph("Go on.", 4)
    )
    assert chunk.section == ("10 Repair", "10.1 Pump")
    assert (chunk.page, chunk.page_last) == (3, 4)
    assert chunk.text == "Stop.\nGo on."
    assert {box.page for box in chunk.boxes} == {3, 4}
    assert (chunk.revision_label, chunk.applies_to) == ("C", ("hp-250",))
    assert embedding_text(chunk) == "10 Repair › 10.1 Pump\nStop.\nGo on."


def test_text_never_runs_over_a_heading_and_no_heading_stands_alone() -> None:
    found = chunks(heading("A"), paragraph("One."), heading("B"), heading("C"), paragraph("Two."))
    assert [(c.section, c.text) for c in found] == [(("A",), "One."), (("C",), "Two.")]


def test_a_heading_without_text_that_names_a_code_can_still_be_found() -> None:
    found = chunks(
        heading("Faults"), heading("E-17 reserved", 2), heading("E-18 Pump", 2), paragraph("No oil.")
    )
    assert [(c.text, c.section) for c in found] == [
        ("E-17 reserved", ("Faults",)),
        ("No oil.", ("Faults", "E-18 Pump")),
    ]
    assert "e17" in found[0].identifiers and "e18" in found[1].identifiers


def test_the_range_in_a_title_makes_no_code_of_its_ends() -> None:
    (chunk,) = chunks(heading("Alarms 7000 - 7999"), paragraph("See 7032."))
    assert chunk.identifiers == ("7032",)


def test_fault_rows_stand_alone_and_part_rows_are_gathered() -> None:
    found = chunks(
        heading("Tables"),
        row("Code: E-1 | Cause: x", FAULTS),
        row("Code: E-2 | Cause: y", FAULTS),
        row("Item: 1 | Part no.: 44-1180", PARTS),
        row("Item: 2 | Part no.: 44-1181", PARTS),
    )
    assert [c.text for c in found] == [
        "Code: E-1 | Cause: x",
        "Code: E-2 | Cause: y",
        "Item: 1 | Part no.: 44-1180\nItem: 2 | Part no.: 44-1181",
    ]


def test_rows_are_never_cut_and_never_exceed_the_limit_together() -> None:
    long = "Item: 1 | Note: " + "word " * 60
    found = chunks(heading("T"), row(long, PARTS), row("Item: 2 | Note: short", PARTS))
    assert [c.text for c in found] == [long, "Item: 2 | Note: short"]


def test_notices_are_tied_to_the_steps_that_follow_in_their_section() -> None:
    danger = Block("notice", "DANGER\nCrushing.", 1, signal="DANGER")
    found = chunks(
        heading("Before"),
        step(1),
        heading("Pump"),
        danger,
        step(1),
        step(2),
        heading("After"),
        paragraph("Done."),
    )
    before, notice, procedure, after = found
    assert notice.kind == "notice" and notice.signal == "DANGER"
    assert procedure.notices == (notice.id,) and procedure.kind == "list"
    assert before.notices == after.notices == ()


def test_a_title_repeated_over_the_next_part_goes_on_with_the_section() -> None:
    found = chunks(
        heading("Table 3-2", 6), heading("7. Hot", 7), step(1), heading("Table 3-2", 6), step(2), limit=5
    )
    assert {c.section for c in found} == {("Table 3-2", "7. Hot")}


def test_long_text_is_cut_at_sentence_ends_within_the_limit() -> None:
    found = chunks(paragraph("One two three four five. " * 20), limit=12)
    assert all(words(c.text) <= 12 and c.text.endswith(".") for c in found)
    assert sum(words(c.text) for c in found) == 100


def test_text_without_any_sentence_end_is_cut_too() -> None:
    found = make_chunks(ParsedFile("t", (ParsedPage(1, (Block("text", "油" * 1000, 1),)),)), ORIGIN, len, 240)
    assert all(len(c.text) <= 240 for c in found)
    assert sum(len(c.text) for c in found) == 1000


def test_a_second_run_gives_the_same_ids() -> None:
    first = chunks(heading("A"), paragraph("One."), row("Code: E-1", FAULTS))
    assert [c.id for c in first] == [
        c.id for c in chunks(heading("A"), paragraph("One."), row("Code: E-1", FAULTS))
    ]
    assert len({c.id for c in first}) == len(first)


def test_steps_below_a_table_among_them_go_on_with_their_section() -> None:
    found = chunks(
        heading("Flush"), step(1), heading("Table 2 Flow", 6), row("Pipe: 1/4 | Flow: 2", PARTS), step(2)
    )
    assert [(c.section, c.kind) for c in found] == [
        (("Flush",), "list"),
        (("Flush", "Table 2 Flow"), "table"),
        (("Flush",), "list"),
    ]


def test_a_notice_among_rows_holds_for_the_rows_up_to_the_next_one() -> None:
    steam, acid = (Block("notice", f"WARNING\n{name}.", 1, signal="WARNING") for name in ("Steam", "Acid"))
    found = chunks(
        heading("Checks"),
        *(steam, row("Code: 1 | Cause: x", FAULTS), row("Code: 2 | Cause: y", FAULTS)),
        *(acid, row("Code: 3 | Cause: z", FAULTS)),
    )
    first, second = found[0].id, found[3].id
    assert [chunk.notices for chunk in found if chunk.kind == "table"] == [(first,), (first,), (second,)]


def test_notices_at_the_head_of_a_section_hold_for_the_tasks_under_it() -> None:
    danger = Block("notice", "DANGER\nHigh voltage.", 1, signal="DANGER")
    found = chunks(heading("Operation"), danger, heading("Start", 2), step(1), heading("Stop", 2), step(1))
    assert [chunk.notices for chunk in found[1:]] == [(found[0].id,), (found[0].id,)]


def test_a_row_says_what_kind_of_table_it_is_from() -> None:
    (fault, torque) = chunks(
        heading("Faults"),
        row("Code: E-1 | Cause: x", FAULTS),
        heading("Torque values"),
        row("Size: M8 | Value: 20 Nm", "Size | Value"),
    )
    assert (fault.extra, torque.extra) == ({"table": "fault"}, {"table": "torque"})
