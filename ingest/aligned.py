"""Tables without rules: lines whose pieces start at the same places."""

from collections.abc import Sequence

from ingest.contents import LEADER
from ingest.headings import is_step
from ingest.lines import Line, words_text
from ingest.notices import signal_of
from ingest.page import Word, around, joined
from ingest.rows import Row
from ingest.tables import Table, looks_like_header

MIN_ROWS = 2
NEAR = 6.0
# Within a line, a cell may begin after a gap of this many font heights.
MIN_GAP = 0.35


def aligned_table(lines: Sequence[Line], start: int) -> tuple[int, Table] | None:
    """The table that begins with this line, if one does.

    Returns:
        Index of its last line, and the table; a line that leaves its first column empty goes on with the row
        above it.
    """
    first = lines[start]
    if len(first.segments) < 2 or LEADER.search(first.text):
        return None
    if len(first.segments) == 2 and is_step(f"{first.segments[0].text} x"):
        # Not a column of markers but steps with their numbers set apart.
        return None
    starts = [segment.x0 for segment in first.segments]
    group: list[Line] = []
    cells: list[list[list[Word]]] = []
    for line in lines[start:]:
        found = _cells(line, starts)
        if group and line.y0 - group[-1].y1 > 2.0 * line.height:
            break
        if found is None or signal_of(line.text) or sum(map(bool, found)) < (2 if found[0] else 1):
            break
        group.append(line)
        cells.append(found)
    rows = _rows(group, cells)
    if len(rows) < MIN_ROWS:
        return None
    area = around(group)
    header: tuple[str, ...] = ()
    if rows[0].bold and all(rows[0].cells) and looks_like_header(rows[0], rows[1:]):
        header, rows = rows[0].cells, rows[1:]
    bounds = (*starts, area.x1)
    table = Table(area.x0, area.y0, area.x1, area.y1, bounds, header, tuple(rows), drawn=False)
    return start + len(group) - 1, table


def _cells(line: Line, starts: Sequence[float]) -> list[list[Word]] | None:
    """The words of a line by column; None when a wide gap ends where no column starts."""
    if any(min(abs(segment.x0 - x) for x in starts) > NEAR for segment in line.segments):
        return None
    cells: list[list[Word]] = [[] for _ in starts]
    column, last = -1, None
    for word in line.words:
        gap = word.x0 - last.x1 if last else float("inf")
        begun = [i for i, x in enumerate(starts) if i > column and abs(word.x0 - x) <= NEAR]
        if begun and gap > MIN_GAP * word.size:
            column = begun[0]
        if column < 0:
            return None
        cells[column].append(word)
        last = word
    return cells


def _rows(lines: Sequence[Line], cells: Sequence[Sequence[Sequence[Word]]]) -> list[Row]:
    rows: list[Row] = []
    for line, columns in zip(lines, cells, strict=True):
        texts = tuple(words_text(words) for words in columns)
        if rows and not texts[0]:
            last = rows[-1]
            merged = tuple(joined(above, below) for above, below in zip(last.cells, texts, strict=True))
            rows[-1] = Row(last.x0, last.y0, max(last.x1, line.x1), line.y1, merged, last.bold)
        else:
            rows.append(Row(line.x0, line.y0, line.x1, line.y1, texts, line.bold))
    return rows
