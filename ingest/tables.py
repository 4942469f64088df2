"""Tables drawn with rules: found, cut into rows and columns, each row kept together with the header."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from ingest.charts import chart_rows
from ingest.grids import SAME, Grid, find_grids
from ingest.gutters import crosses, unruled_edges, white_gaps
from ingest.lines import words_text
from ingest.notices import stands_alone
from ingest.page import Area, Page, Word
from ingest.rows import (
    Row,
    cell_text,
    column_of,
    columns_of,
    grouped,
    height_lines,
    make_row,
    text_rows,
    words_area,
)

# With this many bands between rules, each band is a row; with fewer, a band may hold several.
RULED_ROWS = 4
HEADER_LINES = 4
MARK = "●"
_NUMBER = re.compile(r"\W{0,2}[A-Za-z]{0,3}[-–. ]?\d")


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
    tables: list[Table] = []
    grids = find_grids(page, drawings)
    words = [word for run in runs for word in run] if grids else []
    for grid in grids:
        inside = [w for w in words if grid.x0 - SAME <= w.middle[0] <= grid.x1 + SAME]
        tables.extend(_tables_in(grid, [*inside, *_marks(page, grid, inside)]))
    if not tables:
        return [], [tuple(run) for run in runs if run]
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
    columns = zip(*(r.cells for r in below), strict=True)
    return not re.search(r"\d", text) and any(_is_numeric(column) for column in columns)


def _is_numeric(column: Sequence[str]) -> bool:
    """True when most cells of a column are numbers, or names that are numbered."""
    held = [cell for cell in column if cell]
    return bool(held) and sum(1 for cell in held if _NUMBER.match(cell)) * 3 >= len(column) * 2


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
    """Grows tables downwards, band by band, as long as the columns hold.

    Text set across the columns, a notice say, cuts a table into parts that share their header.
    """
    bands = [
        _Band(top, bottom, tuple(w for w in words if top < w.middle[1] < bottom))
        for top, bottom in zip(grid.levels, grid.levels[1:], strict=False)
    ]
    bands = [piece for band in bands for piece in _without_remark(grid, band)]
    parts: list[tuple[tuple[float, ...], list[_Band]]] = []
    start = 0
    while start < len(bands):
        end = start
        bounds: tuple[float, ...] = ()
        while end < len(bands) and not _breaks(grid, bands, start, end):
            grown = _bounds(grid, bands[start : end + 1])
            if len(grown) < 3 or (bounds and len(grown) * 2 < len(bounds)):
                break
            end, bounds = end + 1, grown
        held = [band for band in bands[start:end] if band.words]
        if len(bounds) >= 3 and held:
            parts.append((bounds, held))
        start = max(end, start + 1)
    tables: list[Table] = []
    while parts:
        bounds = parts[0][0]
        count = next((i for i, part in enumerate(parts) if part[0] != bounds), len(parts))
        tables.extend(_table(grid, [held for _, held in parts[:count]], bounds))
        parts = parts[count:]
    return tables


def _without_remark(grid: Grid, band: _Band) -> Iterator[_Band]:
    """Cuts off a notice or remark that stands below the rows, across the columns, with no rule before it."""
    for line in height_lines(band.words) if len(band.words) > 12 else ():
        across = grid.is_open_at(line.middle[1]) and not grid.is_open_at((band.top + line.y0) / 2)
        if across and stands_alone(line.text):
            yield _Band(band.top, line.y0 - 1, tuple(w for w in band.words if w.middle[1] < line.y0 - 1))
            yield _Band(line.y0 - 1, band.bottom, tuple(w for w in band.words if w.middle[1] >= line.y0 - 1))
            return
    yield band


def _breaks(grid: Grid, bands: Sequence[_Band], start: int, index: int) -> bool:
    """True when a band holds a notice, a title or a heading between two tables.

    It is set across the columns, larger than what stands over it, or bold over a new header.
    """
    band = bands[index]
    if stands_alone(words_text([word for word in band.words if word.text != MARK])):
        return True
    middle = (band.top + band.bottom) / 2
    if not band.words or not grid.is_open_at(middle):
        return False
    if grid.is_crossed(band.words, middle):
        return True
    above = next((b.words for b in reversed(bands[start:index]) if b.words), ())
    if not above:
        return False
    if max(w.size for w in band.words) > 1.1 * max(w.size for w in above):
        return True
    after = bands[index + 1].words if index + 1 < len(bands) else ()
    return all(w.bold for w in band.words) and bool(after) and all(w.bold for w in after)


def _bounds(grid: Grid, bands: Sequence[_Band]) -> tuple[float, ...]:
    """Column edges from vertical rules, or from the white gaps that all bands share."""
    top, bottom = bands[0].top, bands[-1].bottom
    walls = grid.walls(top, bottom)
    words = [word for band in bands for word in band.words]
    if walls:
        edges = (grid.x0, *walls, grid.x1)
        inner = [x for a, b in zip(edges, edges[1:], strict=False) for x in unruled_edges(words, a, b)]
        return tuple(sorted((*edges, *inner)))
    if not words or (len(bands) < 2 and bottom - top > 200):
        return ()
    bounds = (grid.x0, *white_gaps(words, grid.x0, grid.x1), grid.x1)
    return () if any(crosses(band.words, bounds) for band in bands) else bounds


def _table(grid: Grid, parts: Sequence[Sequence[_Band]], bounds: tuple[float, ...]) -> Iterator[Table]:
    """The parts of a table with the header of the first; none when the bands turn out to be no table."""
    held = [band for part in parts for band in part]
    if len(held) < 2:
        return
    header, below = _header(grid, held, bounds)
    ruled = len(below) >= RULED_ROWS or (
        len(below) > 1 and all(band.lines < RULED_ROWS + 1 for band in below)
    )
    tables = []
    for part in parts:
        bands = [band for band in part if band in below]
        rows = [row for band in bands for row in _rows_of(grid, band, bounds, ruled)]
        names, rows = _one_beside_the_other(header, grouped(rows))
        top, bottom = part[0].top, part[-1].bottom
        tables.append(Table(grid.x0, top, grid.x1, bottom, bounds, names, tuple(rows)))
    every = [row for table in tables for row in table.rows]
    wide = sum(1 for row in every if row.filled >= 2)
    if wide and (wide > 1 or header) and wide * 4 >= len(every):
        yield from tables


def _rows_of(grid: Grid, band: _Band, bounds: Sequence[float], ruled: bool) -> Iterator[Row]:
    """The rows of a band: one when rules part the rows, else as its marks or its white space tell."""
    chart = chart_rows(band.words, bounds) if band.lines >= RULED_ROWS else None
    if chart:
        for shared, own in chart:
            yield make_row([*shared, *own], bounds, words_area(own or shared, grid.x0, grid.x1))
        return
    groups = [list(band.words)] if ruled else text_rows(band.words, bounds)
    # What goes on below an empty first cell, in a band of few lines, is one row with longer cells.
    if band.lines < RULED_ROWS and any(0 not in columns_of(group, bounds) for group in groups):
        groups = [list(band.words)]
    whole = Area(grid.x0, band.top, grid.x1, band.bottom)
    for group in groups:
        yield make_row(group, bounds, whole if len(groups) == 1 else words_area(group, grid.x0, grid.x1))


def _one_beside_the_other(header: tuple[str, ...], rows: list[Row]) -> tuple[tuple[str, ...], list[Row]]:
    """A table set in two halves side by side, each with the same header, as one."""
    half, odd = divmod(len(header), 2)
    if odd or half < 2 or header[:half] != header[half:] or not any(header):
        return header, rows
    left = [replace(row, cells=row.cells[:half]) for row in rows if any(row.cells[:half])]
    right = [replace(row, cells=row.cells[half:]) for row in rows if any(row.cells[half:])]
    return header[:half], [*left, *right]


def _header(
    grid: Grid, bands: Sequence[_Band], bounds: Sequence[float]
) -> tuple[tuple[str, ...], Sequence[_Band]]:
    """The text over each column, and the bands below; a title band over the header joins its first cell."""
    whole = Area(grid.x0, 0, grid.x1, 0)
    first = [make_row(band.words, bounds, whole) for band in bands]
    at = next((index for index, row in enumerate(first[:3]) if row.filled >= 2), None)
    if at is None or at + 1 >= len(bands):
        return (), bands
    # One short band over one tall band: the rule between them is there for the header.
    ruled_off = len(bands) == 2 and bands[0].lines < 0.5 * bands[1].lines
    if bands[at].lines > HEADER_LINES + (4 if ruled_off else 1):
        return (), bands
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
    # Columns that no rule parts have each its own header, unless the header itself runs over both.
    ruled = [x for x in bounds if any(abs(v.x0 - x) <= SAME for v in grid.verticals)]
    apart = not crosses(words, bounds)
    for word in words:
        own = [column_of(word, bounds)]
        span = _span(word, bounds, grid) or own
        inner = [bounds[index] for index in span[1:]]
        columns_under = own if apart and inner and not any(x in ruled for x in inner) else span
        for index in columns_under:
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
