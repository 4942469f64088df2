"""Tables drawn with rules: found, cut into rows and columns, each row kept together with the header."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from ingest.lines import Line, line_of, lines_of, segments_of, words_text
from ingest.notices import stands_alone
from ingest.page import Area, Page, Word, around, joined

Band = tuple[float, float, list[Word]]

SAME = 4.0
MIN_GUTTER = 4.0


@dataclass(frozen=True, slots=True)
class Row(Area):
    """One row: a text for each column, empty where nothing stands."""

    cells: tuple[str, ...]
    bold: bool = False
    indent: float = 0.0


@dataclass(frozen=True, slots=True)
class Table(Area):
    """A table on one page.

    Attributes:
        bounds: x of the column edges, one more than columns.
        header: text over each column, or empty when the table has none.
    """

    bounds: tuple[float, ...]
    header: tuple[str, ...]
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class _Grid:
    """Full-width horizontal rules, one under the other, and the vertical ones between them."""

    x0: float
    x1: float
    levels: tuple[float, ...]
    verticals: tuple[Area, ...]


def ruled_tables(
    page: Page, runs: Sequence[Sequence[Word]], content: Area, drawings: Sequence[Area]
) -> tuple[list[Table], list[tuple[Word, ...]]]:
    """Finds the tables of a page that have at least three full-width rules or a grid.

    Args:
        page: its rules and frames are used.
        runs: the words to look at.
        content: the page without running header and footer.
        drawings: regions whose rules belong to a picture.

    Returns:
        The tables from top to bottom, and the runs of words that stand in none of them.
    """
    words = [word for run in runs for word in run]
    tables: list[Table] = []
    for grid in _grids(page, content, drawings):
        inside = [w for w in words if grid.x0 - SAME <= w.middle[0] <= grid.x1 + SAME]
        tables.extend(_tables_in(grid, inside))
    tables = _largest_apart(tables)
    free = [tuple(w for w in run if not any(_inside(w, table) for table in tables)) for run in runs]
    return sorted(tables, key=lambda t: t.y0), [run for run in free if run]


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
            text = text[:-1] + ("-" if text[-2:-1].isupper() or text[-2:-1].isdigit() else "") + line.text
        else:
            text = joined(text, line.text)
    return text.replace("\x02", "-")


def _grids(page: Page, content: Area, drawings: Sequence[Area]) -> list[_Grid]:
    rules = [r for r in page.rules if not any(d.holds(r) for d in drawings)]
    flat = [(r.x0, r.x1, r.middle[1]) for r in rules if r.width > r.height]
    tall = [(r.y0, r.y1, r.middle[0]) for r in rules if r.height > r.width]
    for frame in (f for f in page.frames if not any(d.holds(f) for d in drawings)):
        flat += [(frame.x0, frame.x1, frame.y0), (frame.x0, frame.x1, frame.y1)]
        tall += [(frame.y0, frame.y1, frame.x0), (frame.y0, frame.y1, frame.x1)]
    # The rule under a running header or over a footer belongs to it, not to a table.
    near = 12.0
    lines = [
        line
        for line in _merged(flat)
        if content.y0 - 1 <= line[2] <= content.y1 + 1
        and not (content.y0 > 0 and line[2] < content.y0 + near and line[1] - line[0] > 0.7 * content.width)
        and not (line[2] > content.y1 - near and content.y1 < page.reading_height)
    ]
    verticals = [Area(x, y0, x, y1) for y0, y1, x in _merged(tall) if y1 - y0 >= 8]
    grids = []
    while lines:
        x0, x1, _ = max(lines, key=lambda line: line[1] - line[0])
        same = [line for line in lines if abs(line[0] - x0) <= SAME and abs(line[1] - x1) <= SAME]
        lines = [line for line in lines if line not in same]
        if len(same) >= 2 and x1 - x0 >= 60:
            between = tuple(v for v in verticals if x0 - SAME <= v.x0 <= x1 + SAME)
            grids.append(_Grid(x0, x1, tuple(sorted(line[2] for line in same)), between))
    return grids


def _merged(lines: Sequence[tuple[float, float, float]]) -> list[tuple[float, float, float]]:
    """Joins collinear pieces (start, end, position) that touch."""
    result: list[tuple[float, float, float]] = []
    levels: list[list[tuple[float, float, float]]] = []
    for line in sorted(lines, key=lambda line: line[2]):
        if levels and line[2] - levels[-1][-1][2] <= 2.0:
            levels[-1].append(line)
        else:
            levels.append([line])
    for level in levels:
        current: tuple[float, float, float] | None = None
        for line in sorted(level):
            if current and line[0] <= current[1] + 3.0:
                current = (current[0], max(current[1], line[1]), current[2])
            else:
                if current:
                    result.append(current)
                current = line
        if current:
            result.append(current)
    return result


def _tables_in(grid: _Grid, words: Sequence[Word]) -> list[Table]:
    """Grows tables downwards, band by band, as long as the columns hold."""
    bands = [
        (top, bottom, [w for w in words if top < w.middle[1] < bottom])
        for top, bottom in zip(grid.levels, grid.levels[1:], strict=False)
    ]
    tables: list[Table] = []
    start = 0
    while start < len(bands):
        end = start
        bounds: tuple[float, ...] = ()
        while end < len(bands):
            if end > start and _breaks(grid, bands, end):
                break
            grown = _bounds(grid, bands[start : end + 1])
            if len(grown) < 3 or (bounds and len(grown) * 2 < len(bounds)):
                break
            end, bounds = end + 1, grown
        table = _table(grid, bands[start:end], bounds) if bounds else None
        if table:
            tables.append(table)
            start = end
        else:
            start += 1
    return tables


def _breaks(grid: _Grid, bands: Sequence[Band], index: int) -> bool:
    """True when a band holds a notice or a heading between two tables: it is larger, or over a new header."""
    top, bottom, words = bands[index]
    above = bands[index - 1][2]
    middle = (top + bottom) / 2
    if any(v.y0 < middle < v.y1 and grid.x0 + SAME < v.x0 < grid.x1 - SAME for v in grid.verticals):
        return False
    if not words or not above:
        return False
    if stands_alone(words_text(words)) or max(w.size for w in words) > 1.1 * max(w.size for w in above):
        return True
    after = bands[index + 1][2] if index + 1 < len(bands) else []
    return all(w.bold for w in words) and bool(after) and all(w.bold for w in after)


def _bounds(grid: _Grid, bands: Sequence[Band]) -> tuple[float, ...]:
    """Column edges from vertical rules, or from the white gaps that all bands share."""
    top, bottom = bands[0][0], bands[-1][1]
    inner = _walls(grid, top, bottom)
    if inner:
        return (grid.x0, *inner, grid.x1)
    words = [word for band in bands for word in band[2]]
    if not words or len(bands) < 2 and bottom - top > 200:
        return ()
    gaps = _white_gaps(words, grid.x0, grid.x1)
    return (grid.x0, *gaps, grid.x1)


def _walls(grid: _Grid, top: float, bottom: float) -> list[float]:
    """Places of vertical rules, or edges of shaded cells, over at least a third of the height."""
    reach: list[tuple[float, float]] = []
    for x, length in sorted((v.x0, min(v.y1, bottom) - max(v.y0, top)) for v in grid.verticals):
        if length <= 0 or not grid.x0 + SAME < x < grid.x1 - SAME:
            continue
        if reach and x - reach[-1][0] <= SAME:
            reach[-1] = (reach[-1][0], reach[-1][1] + length)
        else:
            reach.append((x, length))
    return [x for x, length in reach if length > 0.34 * (bottom - top)]


def _white_gaps(words: Sequence[Word], x0: float, x1: float) -> list[float]:
    """Middle of each vertical strip without words, the outermost excluded."""
    gaps, reach = [], None
    for word in sorted(words, key=lambda w: w.x0):
        if reach is not None and word.x0 - reach >= max(MIN_GUTTER, 0.45 * word.size):
            gaps.append((reach + word.x0) / 2)
        reach = word.x1 if reach is None else max(reach, word.x1)
    return [gap for gap in gaps if x0 < gap < x1]


def _table(grid: _Grid, bands: Sequence[Band], bounds: tuple[float, ...]) -> Table | None:
    if len(bands) < 2 or len(bounds) < 3:
        return None
    rows: list[Row] = []
    for band in bands:
        if not band[2]:
            continue
        groups = [band[2]] if len(bands) >= 5 else _text_rows(band[2], bounds)
        rows += [_row(group, grid, bounds, band, whole=len(groups) == 1) for group in groups]
    wide = sum(1 for row in rows if sum(map(bool, row.cells)) >= 2)
    if len(rows) < 2 or wide < 2 or wide * 4 < len(rows):
        return None
    first_band = next(band for band in bands if band[2])
    header, body = _split_header(rows, first_band, bounds, grid)
    body = _grouped(body)
    area = Area(grid.x0, bands[0][0], grid.x1, bands[-1][1])
    return Table(area.x0, area.y0, area.x1, area.y1, bounds, header, tuple(body)) if body else None


def _row(words: list[Word], grid: _Grid, bounds: tuple[float, ...], band: Band, whole: bool) -> Row:
    cells: list[list[Word]] = [[] for _ in bounds[1:]]
    for word in words:
        cells[_column(word.middle[0] if word.width < 60 else word.x0 + 10, bounds)].append(word)
    area = around(words)
    y0, y1 = (band[0], band[1]) if whole else (area.y0, area.y1)
    first = [w.x0 for w in cells[0]]
    bold = all(word.bold for word in words)
    return Row(grid.x0, y0, grid.x1, y1, tuple(map(cell_text, cells)), bold, min(first, default=0.0))


def _column(x: float, bounds: Sequence[float]) -> int:
    return max(0, min(len(bounds) - 2, sum(1 for bound in bounds[1:-1] if x >= bound)))


def _text_rows(words: list[Word], bounds: tuple[float, ...]) -> list[list[Word]]:
    """Cuts a band without inner rules where white space or the first column tells that a row begins."""
    lines = _height_lines(words)
    if len(lines) < 2:
        return [words]
    gaps = [below.y0 - above.y1 for above, below in zip(lines, lines[1:], strict=False)]
    usual, size = min(gaps), lines[0].height
    spaced = max(gaps) - usual > 0.35 * size
    groups: list[list[Line]] = [[lines[0]]]
    for gap, line in zip(gaps, lines[1:], strict=True):
        keyed = (
            _column(line.x0 + 1, bounds) == 0 and len({_column(w.middle[0], bounds) for w in line.words}) > 1
        )
        if gap - usual > 0.35 * size if spaced else keyed or _only_first(line, bounds):
            groups.append([line])
        else:
            groups[-1].append(line)
    return [[word for line in group for word in line.words] for group in groups]


def _only_first(line: Line, bounds: tuple[float, ...]) -> bool:
    return {_column(word.middle[0], bounds) for word in line.words} == {0}


def _height_lines(words: Sequence[Word]) -> list[Line]:
    """Lines over all columns, even where cells overlap a little in height."""
    lines: list[list[Word]] = []
    for word in sorted(words, key=lambda w: w.middle[1]):
        if lines and abs(lines[-1][0].middle[1] - word.middle[1]) < 0.5 * word.height:
            lines[-1].append(word)
        else:
            lines.append([word])
    return [line_of(segments_of([sorted(line, key=lambda w: w.x0)])) for line in lines]


def _split_header(
    rows: list[Row], first: Band, bounds: tuple[float, ...], grid: _Grid
) -> tuple[tuple[str, ...], list[Row]]:
    """The header cells, and the rows below; a title row over the header is dropped into it."""
    count = next((i for i, row in enumerate(rows) if sum(map(bool, row.cells)) >= 2), 0)
    if count > 2 or not _looks_like_header(rows[count], rows[count + 1 :]):
        return (), rows
    depth = count + 1
    if not count:
        # A header band of several lines (a span over narrow columns) is one header.
        depth = max(1, sum(1 for row in rows if row.y1 <= first[1] + 1))
        return _spanning_header(first[2], bounds, grid), rows[depth:]
    title = [cell for row in rows[:count] for cell in row.cells if cell]
    cells = list(rows[count].cells)
    if title and not cells[0]:
        cells[0] = title[0]
    return tuple(cells), rows[depth:]


def _spanning_header(words: Sequence[Word], bounds: tuple[float, ...], grid: _Grid) -> tuple[str, ...]:
    """Header text of each column; words over a span of columns belong to each of them."""
    columns: list[list[Word]] = [[] for _ in bounds[1:]]
    for word in words:
        x, y = word.middle
        # Where no vertical rule reaches the word's height, its cell spans further columns.
        reaching = sorted(v.x0 for v in grid.verticals if v.y0 - 1 <= y <= v.y1 + 1)
        if reaching:
            left = max((v for v in reaching if v <= x), default=bounds[0])
            right = min((v for v in reaching if v > x), default=bounds[-1])
            inner = [
                i for i, b in enumerate(bounds[:-1]) if left - SAME <= b and bounds[i + 1] <= right + SAME
            ]
        else:
            inner = []
        for index in inner or [_column(x, bounds)]:
            columns[index].append(word)
    return tuple(cell_text(sorted(column, key=lambda w: (round(w.y0), w.x0))) for column in columns)


def _looks_like_header(row: Row, below: Sequence[Row]) -> bool:
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


def _grouped(rows: list[Row]) -> list[Row]:
    """Puts a label that stands alone over indented rows before each of them."""
    result: list[Row] = []
    label: Row | None = None
    for row in rows:
        alone = bool(row.cells[0]) and not any(row.cells[1:])
        if alone and (label is None or row.indent <= label.indent + 2):
            label = row
            continue_with = row
        elif label and row.cells[0] and row.indent > label.indent + 3:
            continue_with = replace(
                row, cells=(f"{label.cells[0].rstrip(':：')} – {row.cells[0]}", *row.cells[1:])
            )
        else:
            label = None if row.cells[0] else label
            continue_with = row
        result.append(continue_with)
    return result


def _largest_apart(tables: list[Table]) -> list[Table]:
    chosen: list[Table] = []
    for table in sorted(tables, key=lambda t: -t.width * t.height):
        if not any(other.holds(table) for other in chosen):
            chosen.append(table)
    return chosen


def _inside(word: Word, table: Table) -> bool:
    x, y = word.middle
    return table.x0 - SAME <= x <= table.x1 + SAME and table.y0 <= y <= table.y1
