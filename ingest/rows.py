"""Rows of a table: their cells, their text, and where one row ends when no rule tells."""

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
    lines = _height_lines(words)
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
    """Puts a label that stands alone over indented rows before each of them."""
    result: list[Row] = []
    label: Row | None = None
    for row in rows:
        shown = row
        if row.cells[0] and row.filled == 1 and (label is None or row.indent <= label.indent + 2):
            label = row
        elif label and row.cells[0] and row.indent > label.indent + 3:
            first = f"{label.cells[0].rstrip(':：')} – {row.cells[0]}"
            shown = replace(row, cells=(first, *row.cells[1:]))
        elif row.cells[0]:
            label = None
        result.append(shown)
    return result


def _begins(line: Line, group: Sequence[Line], bounds: Sequence[float]) -> bool:
    """True when a line starts a new row although no white space tells.

    It must fill its first column, or several; and one of its cells must be seen to begin anew: its first word
    would have fitted at the end of the line above it. A cell that goes on in small letters speaks against it.
    """
    cells = _cells(line.words, bounds)
    if 0 not in cells and len(cells) < 2:
        return False
    above = _cells([word for other in group for word in other.words], bounds)
    shared = [column for column in cells if column in above]
    if any(cells[column][0].text[0].islower() for column in shared):
        return False
    return not shared or any(_fits(cells[column][0], above[column], bounds[column + 1]) for column in shared)


def _fits(word: Word, above: Sequence[Word], edge: float) -> bool:
    """True when a word would have found room at the end of the last line above it."""
    last = max(above, key=lambda other: (round(other.y0), other.x1))
    width = word.size if CJK.match(word.text) else word.width
    return last.x1 + 0.3 * last.size + width <= edge - 0.5 * last.size


def _cells(words: Sequence[Word], bounds: Sequence[float]) -> dict[int, list[Word]]:
    cells: dict[int, list[Word]] = {}
    for word in words:
        cells.setdefault(column_of(word, bounds), []).append(word)
    return cells


def _height_lines(words: Sequence[Word]) -> list[Line]:
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
