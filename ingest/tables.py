"""Tables drawn with rules: found, cut into rows and columns, each row kept together with the header."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from ingest.grids import SAME, Grid, find_grids
from ingest.lines import words_text
from ingest.notices import stands_alone
from ingest.page import Area, Page, Word
from ingest.rows import Row, cell_text, column_of, columns_of, grouped, make_row, text_rows, words_area

MIN_GUTTER = 4.0
# With this many bands between rules, each band is a row; with fewer, a band may hold several.
RULED_ROWS = 4
HEADER_LINES = 4
MARK = "●"


@dataclass(frozen=True, slots=True)
class Table(Area):
    """A table on one page.

    Attributes:
        bounds: x of the column edges, one more than columns.
        header: text over each column, or empty when the table has none.
        drawn: False for a table that only the alignment of its lines tells.
    """

    bounds: tuple[float, ...]
    header: tuple[str, ...]
    rows: tuple[Row, ...]
    drawn: bool = True


@dataclass(frozen=True, slots=True)
class _Band:
    """What stands between two rules."""

    top: float
    bottom: float
    words: tuple[Word, ...]

    @property
    def lines(self) -> float:
        """Height in lines of its text."""
        return (self.bottom - self.top) / max(word.height for word in self.words) if self.words else 0.0


def ruled_tables(
    page: Page, runs: Sequence[Sequence[Word]], drawings: Sequence[Area]
) -> tuple[list[Table], list[tuple[Word, ...]]]:
    """Finds the tables of a page that have at least three full-width rules or a grid.

    Args:
        page: its rules, frames and marks are used.
        runs: the words to look at.
        drawings: regions whose rules belong to a picture.

    Returns:
        The tables from top to bottom, and the runs of words that stand in none of them.
    """
    words = [word for run in runs for word in run]
    tables: list[Table] = []
    for grid in find_grids(page, drawings):
        inside = [w for w in words if grid.x0 - SAME <= w.middle[0] <= grid.x1 + SAME]
        tables.extend(_tables_in(grid, [*inside, *_marks(page, grid, inside)]))
    tables = _largest_apart(tables)
    free = [tuple(w for w in run if not any(t.holds(w, SAME) for t in tables)) for run in runs]
    return sorted(tables, key=lambda t: t.y0), [run for run in free if run]


def looks_like_header(row: Row, below: Sequence[Row]) -> bool:
    """True when a first row names columns: bold, in capitals, or words over numbers."""
    filled = [cell for cell in row.cells if cell]
    if not below or len(filled) * 2 < len(row.cells) or any(len(cell) > 60 for cell in filled):
        return False
    if row.bold:
        return not all(r.bold for r in below)
    text = "".join(filled)
    if re.search(r"[A-Z]", text) and text == text.upper() and not re.search(r"\d", text):
        return True
    digits = sum(1 for r in below if re.search(r"\d", "".join(r.cells)))
    return not re.search(r"\d", text) and digits * 3 >= len(below) * 2


def _marks(page: Page, grid: Grid, words: Sequence[Word]) -> list[Word]:
    """Dots that are drawn, not written: in a maintenance chart the column they stand in is the meaning."""
    size = max((word.size for word in words), default=10.0)
    marks = []
    for dot in page.dots:
        if grid.x0 < dot.middle[0] < grid.x1 and not any(word.holds(dot, 0) for word in words):
            y = dot.middle[1]
            marks.append(Word(dot.x0, y - size / 2, dot.x1, y + size / 2, MARK, size))
    return marks


def _tables_in(grid: Grid, words: Sequence[Word]) -> list[Table]:
    """Grows tables downwards, band by band, as long as the columns hold."""
    bands = [
        _Band(top, bottom, tuple(w for w in words if top < w.middle[1] < bottom))
        for top, bottom in zip(grid.levels, grid.levels[1:], strict=False)
    ]
    tables: list[Table] = []
    start = 0
    while start < len(bands):
        end = start
        bounds: tuple[float, ...] = ()
        while end < len(bands) and not (end > start and _breaks(grid, bands, start, end)):
            grown = _bounds(grid, bands[start : end + 1])
            if len(grown) < 3 or (bounds and len(grown) * 2 < len(bounds)):
                break
            end, bounds = end + 1, grown
        table = _table(grid, bands[start:end], bounds) if bounds else None
        if table:
            tables.append(table)
        start = end if table else start + 1
    return tables


def _breaks(grid: Grid, bands: Sequence[_Band], start: int, index: int) -> bool:
    """True when a band holds a notice or a heading between two tables: it is larger, or over a new header."""
    band = bands[index]
    above = next((b.words for b in reversed(bands[start:index]) if b.words), ())
    if not band.words or not above or not grid.is_open_at((band.top + band.bottom) / 2):
        return False
    if stands_alone(words_text(band.words)):
        return True
    if max(w.size for w in band.words) > 1.1 * max(w.size for w in above):
        return True
    after = bands[index + 1].words if index + 1 < len(bands) else ()
    return all(w.bold for w in band.words) and bool(after) and all(w.bold for w in after)


def _bounds(grid: Grid, bands: Sequence[_Band]) -> tuple[float, ...]:
    """Column edges from vertical rules, or from the white gaps that all bands share."""
    top, bottom = bands[0].top, bands[-1].bottom
    walls = grid.walls(top, bottom)
    if walls:
        return (grid.x0, *walls, grid.x1)
    words = [word for band in bands for word in band.words]
    if not words or (len(bands) < 2 and bottom - top > 200):
        return ()
    return (grid.x0, *_white_gaps(words, grid.x0, grid.x1), grid.x1)


def _white_gaps(words: Sequence[Word], x0: float, x1: float) -> list[float]:
    """Middle of each vertical strip without words, the outermost excluded."""
    gaps, reach = [], None
    for word in sorted(words, key=lambda w: w.x0):
        if reach is not None and word.x0 - reach >= max(MIN_GUTTER, 0.45 * word.size):
            gaps.append((reach + word.x0) / 2)
        reach = word.x1 if reach is None else max(reach, word.x1)
    return [gap for gap in gaps if x0 < gap < x1]


def _table(grid: Grid, bands: Sequence[_Band], bounds: tuple[float, ...]) -> Table | None:
    held = [band for band in bands if band.words]
    if len(held) < 2 or len(bounds) < 3:
        return None
    header, below = _header(grid, held, bounds)
    rows: list[Row] = []
    for band in below:
        groups = [list(band.words)] if len(below) >= RULED_ROWS else text_rows(band.words, bounds)
        # What goes on below an empty first cell, in a band of few lines, is one row with longer cells.
        if band.lines < RULED_ROWS and any(0 not in columns_of(group, bounds) for group in groups):
            groups = [list(band.words)]
        for group in groups:
            strip = words_area(group, grid.x0, grid.x1)
            whole = Area(grid.x0, band.top, grid.x1, band.bottom)
            rows.append(make_row(group, bounds, whole if len(groups) == 1 else strip))
    wide = sum(1 for row in rows if row.filled >= 2)
    if not wide or (wide < 2 and not header) or wide * 4 < len(rows):
        return None
    return Table(grid.x0, bands[0].top, grid.x1, bands[-1].bottom, bounds, header, tuple(grouped(rows)))


def _header(
    grid: Grid, bands: Sequence[_Band], bounds: Sequence[float]
) -> tuple[tuple[str, ...], Sequence[_Band]]:
    """The text over each column, and the bands below; a title band over the header joins its first cell."""
    whole = Area(grid.x0, 0, grid.x1, 0)
    first = [make_row(band.words, bounds, whole) for band in bands]
    at = next((index for index, row in enumerate(first[:3]) if row.filled >= 2), None)
    if at is None or at + 1 >= len(bands) or bands[at].lines > HEADER_LINES + 1:
        return (), bands
    # One short band over one tall band: the rule between them is there for the header.
    ruled_off = len(bands) == 2 and bands[0].lines < 0.5 * bands[1].lines
    if not (ruled_off or looks_like_header(first[at], first[at + 1 :])):
        return (), bands
    header = list(_spanning_header(bands[at].words, bounds, grid))
    title = [cell for row in first[:at] for cell in row.cells if cell]
    if title and not header[0]:
        header[0] = title[0]
    return tuple(header), bands[at + 1 :]


def _spanning_header(words: Sequence[Word], bounds: Sequence[float], grid: Grid) -> tuple[str, ...]:
    """Header text of each column; words over a span of columns belong to each of them."""
    columns: list[list[Word]] = [[] for _ in bounds[1:]]
    for word in words:
        for index in _span(word, bounds, grid) or [column_of(word, bounds)]:
            columns[index].append(word)
    return tuple(cell_text(sorted(column, key=lambda w: (round(w.y0), w.x0))) for column in columns)


def _span(word: Word, bounds: Sequence[float], grid: Grid) -> list[int]:
    """Columns under a word's cell: those between the vertical rules that reach the word's height."""
    x, y = word.middle
    reaching = sorted(v.x0 for v in grid.verticals if v.y0 - 1 <= y <= v.y1 + 1)
    if not reaching:
        return []
    left = max((v for v in reaching if v <= x), default=bounds[0])
    right = min((v for v in reaching if v > x), default=bounds[-1])
    edges = zip(bounds, bounds[1:], strict=False)
    return [i for i, (a, b) in enumerate(edges) if left - SAME <= a and b <= right + SAME]


def _largest_apart(tables: list[Table]) -> list[Table]:
    chosen: list[Table] = []
    for table in sorted(tables, key=lambda t: -t.width * t.height):
        if not any(other.holds(table) for other in chosen):
            chosen.append(table)
    return chosen
