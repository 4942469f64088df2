"""Manuals are read as a technician reads them: columns, tables, notices and headings in their order."""

import re
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
import pytest
import typst
from pypdf import PdfWriter

from assistant.schema import Block, ParsedPage
from ingest.layout import read_layout
from ingest.pdf import PdfFile

MANUALS = Path(__file__).parents[1] / "demo" / "built" / "manuals"
PRESS = "HP-250_hydraulic-press_rev-B.pdf"
MOULDER = "ZS-160_注塑机_rev-A.pdf"


@lru_cache
def manual(name: str) -> tuple[ParsedPage, ...]:
    return parsed(MANUALS / name)


def parsed(path: Path) -> tuple[ParsedPage, ...]:
    with PdfFile(path) as pdf:
        pages = [pdf.page(number) for number in range(1, pdf.pages + 1)]
        return read_layout(pages, pdf.structure().outline)


def typeset(tmp_path: Path, source: str) -> list[Block]:
    path = tmp_path / "typeset.pdf"
    path.write_bytes(typst.compile(source.encode()))
    return [block for page in parsed(path) for block in page.blocks]


def blocks(pages: Sequence[ParsedPage]) -> list[Block]:
    return [block for page in pages for block in page.blocks]


def rows(pages: Sequence[ParsedPage], pattern: str) -> list[Block]:
    return [b for b in blocks(pages) if b.kind == "table" and re.match(pattern, b.text)]


def test_every_row_of_a_fault_table_over_pages_carries_its_header() -> None:
    found = rows(manual(PRESS), r"Code: E-\d+ \| Message: .+ \| Cause: .+ \| Remedy: .+")
    codes = [re.findall(r"E-\d+", row.text)[0] for row in found]
    assert len({row.page for row in found}) >= 3
    assert len(codes) == len(set(codes)) >= 50
    assert not [row for row in rows(manual(PRESS), r".*\bE-\d+") if row not in found and "Code" in row.header]


def test_a_chinese_fault_table_is_read_row_by_row() -> None:
    found = rows(manual(MOULDER), r"代码: AL-\d+ \| 显示信息: .+ \| 可能原因: .+ \| 处理方法: .+")
    assert len({re.findall(r"AL-\d+", row.text)[0] for row in found}) >= 40


def test_a_box_marks_the_row_it_belongs_to() -> None:
    first, second = rows(manual(PRESS), r"Code: E-0[12] ")
    assert first.page == second.page and len(first.boxes) == 1
    above, below = first.boxes[0], second.boxes[0]
    assert 0 < above.y0 < above.y1 <= below.y0 + 0.002 < below.y1 < 1
    assert above.x0 < 0.1 and above.x1 > 0.9


def test_headings_follow_the_bookmarks() -> None:
    titles = [(b.text, b.level) for b in blocks(manual(PRESS)) if b.kind == "heading"]
    at = titles.index(("10 Repair procedures", 1))
    assert titles[at + 1] == ("10.1 Discharging, checking and charging the accumulator", 2)


def test_notices_end_with_their_frame() -> None:
    notices = [b for b in blocks(manual(PRESS)) if b.kind == "notice"]
    assert {b.signal for b in notices} == {"DANGER", "WARNING", "CAUTION", "NOTICE"}
    suspended = next(b for b in notices if "Suspended load" in b.text)
    assert suspended.signal == "DANGER"
    assert suspended.text.startswith("DANGER\nSuspended load.")
    assert suspended.text.endswith("keep everybody out of the area below.")


def test_chinese_signal_words_are_mapped() -> None:
    notices = [b for b in blocks(manual(MOULDER)) if b.kind == "notice"]
    assert {b.text.split("\n")[0]: b.signal for b in notices} == {
        "危险": "DANGER",
        "警告": "WARNING",
        "小心": "CAUTION",
        "注意": "NOTICE",
    }


def test_running_heads_page_labels_and_contents_are_left_out() -> None:
    after_the_cover = manual(PRESS)[1:]
    text = "\n".join(b.text for b in blocks(after_the_cover))
    assert "TH-250-EN · Rev. B" not in text
    assert not re.search(r"^(Torvane Presses|\d+-\d+)$", text, re.MULTILINE)
    assert ". . ." not in text


def test_words_in_a_drawing_stay_with_the_drawing() -> None:
    figures = [b.text for b in blocks(manual(PRESS)) if b.kind == "figure"]
    legend = next(text for text in figures if "Crown with main cylinder" in text)
    assert "1 Crown with main cylinder\n" in legend
    assert any(text.startswith("Figure 2: General arrangement") for text in figures)


COLUMNS = """
#set page(width: 400pt, height: 300pt, margin: 30pt)
#set text(size: 9pt)
= Cooling
The water enters at the top of the block and leaves through the thermostat, which opens slowly.
#columns(2, gutter: 16pt)[
  *LEFT* #lorem(60)
  #colbreak()
  *RIGHT* #lorem(60)
]
"""


def test_two_columns_are_read_one_after_the_other(tmp_path: Path) -> None:
    text = "\n".join(block.text for block in typeset(tmp_path, COLUMNS))
    left, right = text.split("RIGHT")
    assert left.index("Cooling") < left.index("LEFT")
    assert len(left) == pytest.approx(len(right), rel=0.5)


LONG_WORDS = "Lubrication recommendations characteristically underestimate transmissions contamination."


def test_words_cut_at_line_ends_are_mended(tmp_path: Path) -> None:
    source = """
    #set page(width: 150pt, height: 300pt, margin: 20pt)
    #set text(size: 10pt, lang: "en", hyphenate: true)
    #set par(justify: true)
    """
    assert " ".join(block.text for block in typeset(tmp_path, source + LONG_WORDS)) == LONG_WORDS


def test_a_table_without_rules_keeps_its_rows(tmp_path: Path) -> None:
    source = """
    #set page(width: 400pt, height: 300pt, margin: 30pt)
    #set text(size: 10pt)
    #table(columns: (90pt, 90pt, 140pt), stroke: none,
      [*Point*], [*Torque*], [*Note*],
      [T-01], [900 Nm], [Dry threads], [T-02], [64 Nm], [Oil the threads], [T-03], [13 Nm], [Class 10.9])
    """
    found = [block.text for block in typeset(tmp_path, source) if block.kind == "table"]
    assert found == [
        "Point: T-01 | Torque: 900 Nm | Note: Dry threads",
        "Point: T-02 | Torque: 64 Nm | Note: Oil the threads",
        "Point: T-03 | Torque: 13 Nm | Note: Class 10.9",
    ]


def test_the_column_of_a_drawn_mark_is_told(tmp_path: Path) -> None:
    source = """
    #set page(width: 400pt, height: 300pt, margin: 30pt)
    #set text(size: 10pt)
    #let dot = align(center, circle(radius: 2pt, fill: black))
    #table(columns: (40pt, 40pt, 200pt),
      [*Daily*], [*Weekly*], [*Check*],
      dot, [], [Oil level], [], dot, [Belt tension], dot, dot, [Leaks], dot, [], [Noise])
    """
    found = [block.text for block in typeset(tmp_path, source) if block.kind == "table"]
    assert found == [
        "Daily: ● | Check: Oil level",
        "Weekly: ● | Check: Belt tension",
        "Daily: ● | Weekly: ● | Check: Leaks",
        "Daily: ● | Check: Noise",
    ]


def test_a_value_list_with_leaders_is_no_table_of_contents(tmp_path: Path) -> None:
    source = """
    #set page(width: 400pt, height: 300pt, margin: 30pt)
    #set text(size: 10pt)
    Weight #box(width: 1fr, repeat[.]) 868 lb \\
    Capacity #box(width: 1fr, repeat[.]) 15 \\
    Stages #box(width: 1fr, repeat[.]) 3 \\
    """
    text = " ".join(block.text for block in typeset(tmp_path, source))
    assert re.search(r"Weight … 868 lb.*Capacity … 15.*Stages … 3", text)


SIDEWAYS = """
#set page(width: 300pt, height: 500pt, margin: 30pt)
#set text(size: 10pt)
#rotate(-90deg, reflow: true, box(width: 400pt)[
  First line of a table that was set sideways. \\ Second line of it, which stands to its right.
])
"""


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
def test_a_page_set_sideways_is_read_and_its_boxes_fit_the_picture(tmp_path: Path, rotation: int) -> None:
    upright, turned = tmp_path / "upright.pdf", tmp_path / "turned.pdf"
    upright.write_bytes(typst.compile(SIDEWAYS.encode()))
    writer = PdfWriter(upright)
    writer.pages[0].rotate(rotation)
    writer.write(turned)
    (block,) = parsed(turned)[0].blocks
    assert block.text == (
        "First line of a table that was set sideways. Second line of it, which stands to its right."
    )
    with PdfFile(turned) as pdf:
        shown = pdf.picture(1, 72)
    inked = np.argwhere(shown.min(axis=2) < 128)
    (top, left), (bottom, right) = inked.min(axis=0) / shown.shape[:2], inked.max(axis=0) / shown.shape[:2]
    box = block.boxes[0]
    assert (box.x0, box.y0, box.x1, box.y1) == pytest.approx((left, top, right, bottom), abs=0.02)


STACKED = """
#set page(width: 400pt, height: 260pt, margin: 30pt)
#set text(size: 10pt)
#let head = [#line(length: 100%)
  #par(leading: 0.3em)[*MALFUNCTION* \\ #h(30pt)*TEST OR INSPECTION* \\ #h(60pt)*CORRECTIVE ACTION*]
  #line(length: 100%)]
#let symptom(body) = block[*#body*]
#let test(body) = block(inset: (left: 20pt), body)
#let action(body) = block(inset: (left: 50pt), body)
#head
#symptom[1. PUMP IS NOISY.]
#test[Step 1. Check the oil level in the tank.]
#action[Add oil if it is low.]
#test[Step 2. Check the suction line.]
#action[Tighten loose fittings.]
#pagebreak()
#head
#symptom[1. PUMP IS NOISY (Cont).]
#test[Step 3. Check the coupling.]
#action[Replace worn inserts.]
#pagebreak()
#head
#symptom[2. PUMP IS HOT.]
#test[Check the cooler.]
#action[Clean the fins.]
= Next chapter
Ordinary text.
"""


def test_a_fault_table_told_by_indentation_comes_out_row_by_row(tmp_path: Path) -> None:
    found = typeset(tmp_path, STACKED)
    assert [block.text for block in found if block.kind == "table"] == [
        "MALFUNCTION: 1. PUMP IS NOISY. | TEST OR INSPECTION: Step 1. Check the oil level in the tank."
        " | CORRECTIVE ACTION: Add oil if it is low.",
        "MALFUNCTION: 1. PUMP IS NOISY. | TEST OR INSPECTION: Step 2. Check the suction line."
        " | CORRECTIVE ACTION: Tighten loose fittings.",
        "MALFUNCTION: 1. PUMP IS NOISY | TEST OR INSPECTION: Step 3. Check the coupling."
        " | CORRECTIVE ACTION: Replace worn inserts.",
        "MALFUNCTION: 2. PUMP IS HOT. | TEST OR INSPECTION: Check the cooler."
        " | CORRECTIVE ACTION: Clean the fins.",
    ]
    assert [block.text for block in found if block.kind != "table"] == ["Next chapter", "Ordinary text."]


LABELLED = """
#set page(width: 400pt, height: 320pt, margin: 30pt)
#set text(size: 10pt)
#let piece(depth, name, body) = block(inset: (left: depth * 12pt))[*#name* \\ #h(8pt)#body]
#piece(0, "SYMPTOM", [Motor does not start.])
#piece(1, "CAUSE", [Breaker is out.])
#piece(2, "REMEDY", [Push it in.])
#piece(1, "CAUSE", [Fuse is blown.])
#piece(2, "REMEDY", [Replace the fuse.])
#piece(0, "SYMPTOM", [Motor stops.])
#block(inset: (left: 12pt))[*CAUSE*]
#pagebreak()
#block(inset: (left: 20pt))[Load is too high.]
#piece(2, "REMEDY", [Reduce the load.])
#piece(0, "SYMPTOM", [Motor is hot.])
#piece(1, "CAUSE", [Fan is blocked.])
#piece(2, "REMEDY", [Clear the fan.])
"""


def test_pieces_under_labels_become_rows_even_over_a_page_break(tmp_path: Path) -> None:
    found = typeset(tmp_path, LABELLED)
    assert [(block.page, block.text) for block in found] == [
        (1, "SYMPTOM: Motor does not start. | CAUSE: Breaker is out. | REMEDY: Push it in."),
        (1, "SYMPTOM: Motor does not start. | CAUSE: Fuse is blown. | REMEDY: Replace the fuse."),
        (2, "SYMPTOM: Motor stops. | CAUSE: Load is too high. | REMEDY: Reduce the load."),
        (2, "SYMPTOM: Motor is hot. | CAUSE: Fan is blocked. | REMEDY: Clear the fan."),
    ]
    assert {box.page for box in found[2].boxes} == {1, 2}


def test_a_notice_between_the_rows_of_a_table_is_a_notice_and_the_rows_keep_their_header(
    tmp_path: Path,
) -> None:
    source = """
    #set page(width: 420pt, height: 300pt, margin: 30pt)
    #set text(size: 10pt)
    #let notice = table.cell(colspan: 3)[#align(center)[*WARNING*] Hot steam escapes when the cap is opened
      while the engine is hot. Let it cool down first, then open the cap slowly.]
    #table(columns: (50pt, 120pt, 190pt),
      [*Item*], [*What*], [*Procedure*],
      notice,
      [1], [Radiator], [Inspect for leaks.], [2], [Hoses], [Inspect for cracks.],
      [3], [Belt], [Check tension.])
    """
    found = typeset(tmp_path, source)
    assert [(block.kind, block.signal) for block in found][:1] == [("notice", "WARNING")]
    assert found[0].text.startswith("WARNING\nHot steam") and found[0].text.endswith("slowly.")
    assert [block.text for block in found[1:]] == [
        "Item: 1 | What: Radiator | Procedure: Inspect for leaks.",
        "Item: 2 | What: Hoses | Procedure: Inspect for cracks.",
        "Item: 3 | What: Belt | Procedure: Check tension.",
    ]


CHART = """
#set page(width: 460pt, height: 300pt, margin: 30pt)
#set text(size: 10pt)
#table(columns: (50pt, 25pt, 25pt, 110pt, 130pt), stroke: none,
  ..range(6).map(x => table.vline(x: x)), table.hline(),
  [*Item*], [*W*], [*M*], [*What*], [*Procedure*], table.hline(),
  [1], [X], [], [Compressor], [Drain water.],
  [], [], [X], [], [Inspect all lines for damage, wear and rust.],
  [2], [], [X], [Engine], [Check mounts.],
  [], [X], [], [], [Check oil.], table.hline())
"""


def test_rows_of_a_chart_without_rules_take_their_marks_and_the_name_over_them(tmp_path: Path) -> None:
    assert [block.text for block in typeset(tmp_path, CHART)] == [
        "Item: 1 | W: X | What: Compressor | Procedure: Drain water.",
        "Item: 1 | M: X | What: Compressor | Procedure: Inspect all lines for damage, wear and rust.",
        "Item: 2 | M: X | What: Engine | Procedure: Check mounts.",
        "Item: 2 | W: X | What: Engine | Procedure: Check oil.",
    ]


def test_two_halves_of_a_table_side_by_side_are_one_table(tmp_path: Path) -> None:
    source = """
    #set page(width: 400pt, height: 300pt, margin: 30pt)
    #set text(size: 10pt)
    #table(columns: (80pt, 70pt, 80pt, 70pt),
      [*Thread*], [*Torque*], [*Thread*], [*Torque*],
      [M6], [10 Nm], [M12], [85 Nm], [M8], [25 Nm], [M16], [210 Nm], [M10], [50 Nm], [M20], [410 Nm])
    """
    assert [block.text for block in typeset(tmp_path, source)] == [
        *("Thread: M6 | Torque: 10 Nm", "Thread: M8 | Torque: 25 Nm", "Thread: M10 | Torque: 50 Nm"),
        *("Thread: M12 | Torque: 85 Nm", "Thread: M16 | Torque: 210 Nm", "Thread: M20 | Torque: 410 Nm"),
    ]


def test_step_numbers_set_apart_from_their_text_stay_steps_in_order(tmp_path: Path) -> None:
    source = """
    #set page(width: 320pt, height: 300pt, margin: 30pt)
    #set text(size: 10pt)
    #grid(columns: (30pt, 210pt), row-gutter: 9pt,
      [(1)], [Remove the two nuts and the cover over the spring (2), both packings (4) and the filter
        element (5) and (6). Discard the packings.],
      [(2)], [Clean the seat.], [(3)], [Install the cover.])
    """
    found = typeset(tmp_path, source)
    assert [block.kind for block in found] == ["list", "list", "list"]
    assert [block.text[:3] for block in found] == ["(1)", "(2)", "(3)"]
    assert found[0].text.endswith("and (6). Discard the packings.")


@pytest.mark.parametrize(
    ("word", "level"), [("危险", "DANGER"), ("警告", "WARNING"), ("小心", "CAUTION"), ("注意", "NOTICE")]
)
def test_chinese_notices_without_a_frame_end_where_the_steps_begin(
    tmp_path: Path, word: str, level: str
) -> None:
    source = f"""
    #set page(width: 320pt, height: 300pt, margin: 30pt)
    #set text(size: 10pt, font: "Noto Sans CJK SC", lang: "zh")
    = 更换滤芯
    #align(center)[*{word}*]
    #pad(x: 30pt)[打开盖子之前必须先卸压，否则压缩空气会喷出伤人。必须佩戴护目镜，并锁定主开关。]
    1. 关闭主阀。

    2. 取下旧滤芯。
    """
    found = typeset(tmp_path, source)
    notices = [block for block in found if block.kind == "notice"]
    assert [(block.signal, block.text.split("\n")[0]) for block in notices] == [(level, word)]
    assert notices[0].text.endswith("并锁定主开关。")
    assert [block.text for block in found if block.kind == "list"] == ["1. 关闭主阀。", "2. 取下旧滤芯。"]


def test_one_word_over_several_warnings_makes_each_a_warning(tmp_path: Path) -> None:
    source = """
    #set page(width: 320pt, height: 300pt, margin: 30pt)
    #set text(size: 10pt)
    #align(center)[*WARNINGS*]

    Never wear loose clothing near running belts.

    Do not refuel while the engine is in operation or hot.

    = Overview
    The set consists of an engine and a pump.
    """
    found = typeset(tmp_path, source)
    assert [(block.kind, block.signal) for block in found] == [
        ("notice", "WARNING"),
        ("notice", "WARNING"),
        ("heading", None),
        ("text", None),
    ]


def test_the_index_of_a_manual_is_left_out(tmp_path: Path) -> None:
    source = """
    #set page(width: 400pt, height: 300pt, margin: 30pt)
    #set text(size: 10pt)
    = Cleaning
    Wipe the panel with a dry cloth.
    #pagebreak()
    #let entry(name, page) = [#name #box(width: 1fr, repeat[.]) #page \\ ]
    #entry("Air cleaner", "12-3") #entry("Alternator", "2-2") #entry("Batteries", "9-2") #entry("Belt", "4-1")
    #entry("Coolant", "12-6") #entry("Dipstick", "2-1") #entry("Engine", "1-3")
    """
    assert [block.text for block in typeset(tmp_path, source)] == [
        "Cleaning",
        "Wipe the panel with a dry cloth.",
    ]
