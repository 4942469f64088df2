"""Rows of a table whose rows no rule parts, told by the short entries in its columns.

In a maintenance chart, a parts list or a compatibility table, each mark, number or unit stands on the line of
the row that it belongs to; names over several rows, and text that runs on, stand on lines without any.
"""

from collections.abc import Sequence
from statistics import median

from ingest.lines import Line, words_text
from ingest.page import Word
from ingest.rows import cells_of, height_lines

# Characters in the entry of a mark column: '●', 'X', '0.3', 'ea', '5 gal'.
SHORT = 6
MIN_MARKED = 3
# Share of the marked lines on which a column must hold something to have an entry for each row.
EACH = 0.8
# White space between lines, in line heights, beyond the usual: it parts two entries.
GAP = 0.35


def chart_rows(words: Sequence[Word], bounds: Sequence[float]) -> list[tuple[list[Word], list[Word]]] | None:
    """The rows of a chart.

    Returns:
        For each row the words that it shares with others (group number, name of the assembly) and its own;
        None when the table has no columns of marks that tell its rows.
    """
    lines = height_lines(words)
    cells = [cells_of(line.words, bounds) for line in lines]
    marks = _mark_columns(cells, len(bounds) - 1)
    marked = [index for index, line in enumerate(cells) if marks & line.keys()]
    if len(marked) < MIN_MARKED or _marks_are_centred(lines, cells, marked):
        return None
    own = {
        column
        for column in range(1, len(bounds) - 1)
        if sum(column in cells[index] for index in marked) >= EACH * len(marked)
    }
    if not own - marks:
        return None
    # What stands right of the text of each row belongs to that row, however rarely it is filled.
    own |= marks | set(range(max(own - marks), len(bounds) - 1))
    halves = _is_two_tables(cells, marks)
    rows: list[tuple[list[Word], list[Word]]] = []
    shared: list[Word] = []
    for line in cells:
        names = [word for column, held in line.items() if column not in own for word in held]
        entries = [word for column, held in line.items() if column in own for word in held]
        if 0 in line or halves:
            shared = []
        shared.extend(names)
        starts = bool(marks & line.keys())
        if starts or (0 in line and entries):
            rows.append((shared, entries))
        elif 0 in line:
            rows.append((shared, []))
        elif rows:
            rows[-1][1].extend(entries)
        else:
            rows.append((shared, entries))
    # A name alone on its line opens the rows below it and is none itself.
    named = {id(name) for name, entries in rows if entries}
    return [(name, entries) for name, entries in rows if entries or id(name) not in named]


def _is_two_tables(cells: Sequence[dict[int, list[Word]]], marks: set[int]) -> bool:
    """True when the first two columns end before the others do: a shorter table beside a longer one."""
    first = [0 in line for line in cells if marks & line.keys()]
    together = all((1 in line) == (0 in line) for line in cells if marks & line.keys())
    return 1 in marks and together and 2 * sum(first) > len(first)


def _mark_columns(cells: Sequence[dict[int, list[Word]]], count: int) -> set[int]:
    """Columns, but the first, that hold only short entries."""
    found = set()
    for column in range(1, count):
        texts = [words_text(line[column]) for line in cells if column in line]
        if texts and all(len(text) <= SHORT for text in texts):
            found.add(column)
    return found


def _marks_are_centred(
    lines: Sequence[Line], cells: Sequence[dict[int, list[Word]]], marked: Sequence[int]
) -> bool:
    """True when marks stand beside the middle of their rows: then they do not tell where a row starts."""
    gaps = [0.0, *(b.y0 - a.y1 for a, b in zip(lines, lines[1:], strict=False))]
    usual, size = min(gaps[1:], default=0.0), median(line.height for line in lines)
    opens, centred, start = False, 0, 0
    for index in range(len(lines) + 1):
        if index < len(lines) and (index == 0 or gaps[index] - usual <= GAP * size):
            continue
        block = range(start, index)
        opens = start in marked or 0 in cells[start]
        centred += not opens and any(line in marked for line in block)
        start = index
    return centred * 4 > len(marked)
