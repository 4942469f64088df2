"""Rows of a table: their cells, their text, and where one row ends when no rule tells."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import median

from ingest.lines import Line, line_of, lines_of, segments_of
from ingest.page import CJK, Area, Word, around, joined

# White space between lines, beyond the usual and in line heights, that separates two rows.
ROW_GAP = 0.35


@dataclass(frozen=True, slots=True)
class Row(Area):
    """One row: a text for each column, empty where nothing stands.

    Attributes:
        indent: where the text of the first column starts.
    """

    cells: tuple[str, ...]
    bold: bool = False
    indent: float = 0.0

    @property
    def filled(self) -> int:
        """Number of cells that hold something."""
        return sum(map(bool, self.cells))


def row_text(header: Sequence[str], row: Row) -> str:
    """A row as 'header: cell | header: cell'; empty cells are left out."""
    if header and len(header) == len(row.cells):
        pairs = zip(header, row.cells, strict=True)
        return " | ".join(f"{h}: {c}" if h else c for h, c in pairs if c)
    return " | ".join(cell for cell in row.cells if cell)


def cell_text(words: Sequence[Word]) -> str:
    """Words of one cell in reading order."""
    text = ""
    for line in lines_of(segments_of([words])):
        if text.endswith("\x02"):
            code = text[-2:-1].isupper() or text[-2:-1].isdigit()
            text = text[:-1] + ("-" if code else "") + line.text
        else:
            text = joined(text, line.text)
    return text.replace("\x02", "-")


def make_row(words: Sequence[Word], bounds: Sequence[float], area: Area) -> Row:
    """A row over `area` whose words are sorted into columns by where they stand."""
    cells: list[list[Word]] = [[] for _ in bounds[1:]]
    for word in words:
        cells[column_of(word, bounds)].append(word)
    indent = min((word.x0 for word in cells[0]), default=0.0)
    bold = all(word.bold for word in words)
    texts = tuple(cell_text(cell) for cell in cells)
    return Row(area.x0, area.y0, area.x1, area.y1, texts, bold, indent)


def column_of(word: Word, bounds: Sequence[float]) -> int:
    """Index of the column in which a word starts, or stands if it is short."""
    x = word.middle[0] if word.width < 60 else word.x0 + 10
    return max(0, min(len(bounds) - 2, sum(1 for bound in bounds[1:-1] if x >= bound)))


def columns_of(words: Sequence[Word], bounds: Sequence[float]) -> set[int]:
    """Indexes of the columns in which some words stand."""
    return {column_of(word, bounds) for word in words}


def text_rows(words: Sequence[Word], bounds: Sequence[float]) -> list[list[Word]]:
    """Cuts what stands between two rules into rows, by white space and by cells that begin anew."""
    lines = height_lines(words)
    if len(lines) < 2:
        return [list(words)]
    gaps = [below.y0 - above.y1 for above, below in zip(lines, lines[1:], strict=False)]
    usual, size = min(gaps), median(line.height for line in lines)
    groups: list[list[Line]] = [[lines[0]]]
    for gap, line in zip(gaps, lines[1:], strict=True):
        if gap - usual > ROW_GAP * size or _begins(line, groups[-1], bounds):
            groups.append([line])
        else:
            groups[-1].append(line)
    return [[word for line in group for word in line.words] for group in groups]


def grouped(rows: Sequence[Row]) -> list[Row]:
    """Puts labels that stand alone over a group of rows before the name of each row of the group.

    A group is indented under its label, or its label is numbered or ends with a colon.
    """
    result: list[Row] = []
    labels: list[Row] = []
    for row in rows:
        name = row.cells[0]
        alone = bool(name) and row.filled == 1
        if name:
            labels = [label for label in labels if _is_under(row, label, alone)]
        if alone:
            # A label over nothing but the next label is a row of its own no longer.
            labels.append(row)
        elif labels and name:
            path = " – ".join(label.cells[0].rstrip(":：. ") for label in labels)
            row = replace(row, cells=(f"{path} – {name}", *row.cells[1:]))
        result.append(row)
    used = {id(row) for index, row in enumerate(result[:-1]) if row.filled == 1 and _leads(result, index)}
    return [row for row in result if id(row) not in used]


def _leads(rows: Sequence[Row], index: int) -> bool:
    """True when a label's words stand in a row below it."""
    label = rows[index].cells[0].rstrip(":：. ")
    return any(row.filled > 1 and label in row.cells[0] for row in rows[index + 1 :])


def _is_under(row: Row, label: Row, alone: bool) -> bool:
    if row.indent > label.indent + 2:
        return True
    if abs(row.indent - label.indent) > 2:
        return False
    numbered, colon = re.match(r"\d+\.\s", label.cells[0]), label.cells[0].endswith((":", "："))
    if alone:
        return bool(numbered) and not re.match(r"\d+\.\s", row.cells[0])
    return bool(numbered or colon)


def _begins(line: Line, group: Sequence[Line], bounds: Sequence[float]) -> bool:
    """True when a line starts a new row although no white space tells.

    It must fill its first column, or several; and one of its cells must be seen to begin anew: its first word
    would have fitted at the end of the line above it. A cell that goes on in small letters speaks against it.
    """
    cells = cells_of(line.words, bounds)
    if 0 not in cells and len(cells) < 2:
        return False
    above = cells_of([word for other in group for word in other.words], bounds)
    shared = [column for column in cells if column in above]
    if any(cells[column][0].text[0].islower() for column in shared):
        return False
    return not shared or any(_fits(cells[column][0], above[column], bounds[column + 1]) for column in shared)


def _fits(word: Word, above: Sequence[Word], edge: float) -> bool:
    """True when a word would have found room at the end of the last line above it."""
    last = max(above, key=lambda other: (round(other.y0), other.x1))
    width = word.size if CJK.match(word.text) else word.width
    return last.x1 + 0.3 * last.size + width <= edge - 0.5 * last.size


def cells_of(words: Sequence[Word], bounds: Sequence[float]) -> dict[int, list[Word]]:
    """The words of one line by the column they stand in."""
    cells: dict[int, list[Word]] = {}
    for word in words:
        cells.setdefault(column_of(word, bounds), []).append(word)
    return cells


def height_lines(words: Sequence[Word]) -> list[Line]:
    """Lines over all columns, even where cells overlap a little in height."""
    lines: list[list[Word]] = []
    for word in sorted(words, key=lambda w: w.middle[1]):
        if lines and abs(lines[-1][0].middle[1] - word.middle[1]) < 0.5 * word.height:
            lines[-1].append(word)
        else:
            lines.append([word])
    return [line_of(segments_of([sorted(line, key=lambda w: w.x0)])) for line in lines]


def words_area(words: Sequence[Word], x0: float, x1: float) -> Area:
    """The strip from x0 to x1 over the height of some words."""
    area = around(words)
    return Area(x0, area.y0, x1, area.y1)
