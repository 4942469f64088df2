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
