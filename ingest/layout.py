"""Pages of words -> blocks in reading order: headings, paragraphs, steps, notices, tables, figures."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from assistant.schema import Block, ParsedPage
from ingest.columns import reading_order
from ingest.figures import drawing_areas
from ingest.furniture import content_areas, without_border
from ingest.headings import CAPTION_LEVEL, Style, style_of
from ingest.lines import Line, Segment, lines_of, segments_of, words_text
from ingest.page import Area, Page, Word
from ingest.paragraphs import ColumnReader
from ingest.pdf import OutlineEntry
from ingest.rows import row_text
from ingest.stacked import StackReader
from ingest.tables import Table, ruled_tables

# Columns of a table on the next page may stand this many points apart.
SHIFT = 12.0


@dataclass(frozen=True, slots=True)
class Figure(Area):
    """A drawing and the words in it, line by line."""

    text: str


def read_layout(pages: Sequence[Page], outline: Sequence[OutlineEntry] = ()) -> tuple[ParsedPage, ...]:
    """Understands the layout of all pages of one file.

    Args:
        pages: in order; those read by OCR among them.
        outline: the file's bookmarks, if any.
    """
    pages = [without_border(page) for page in pages]
    lines = [lines_of(segments_of(page.runs)) for page in pages]
    style = style_of([found for page, found in zip(pages, lines, strict=True) if not page.ocr], outline)
    reader = _Layout(style)
    blocks: dict[int, list[Block]] = {page.number: [] for page in pages}
    for page, found, content in zip(pages, lines, content_areas(pages, lines), strict=True):
        for block in reader.blocks(page, found, content):
            # A row of a stacked table is complete only when the next page is read.
            blocks[block.page].append(block)
    for block in reader.rest():
        blocks[block.page].append(block)
    return tuple(ParsedPage(page.number, tuple(blocks[page.number]), page.ocr) for page in pages)


class _Layout:
    """Reads page after page; remembers the table that the page before ended with."""

    def __init__(self, style: Style) -> None:
        self._style = style
        self._last: Table | None = None
        self._stack = StackReader(style)

    def rest(self) -> Iterator[Block]:
        """What is left after the last page."""
        yield from self._stack.close()

    def blocks(self, page: Page, lines: Sequence[Line], content: Area) -> Iterator[Block]:
        """What stands on one page, in reading order; a table that goes on is finished with the page after."""
        # Heights of lines read by OCR scatter too much to tell headings.
        style = replace(self._style, body=float("inf")) if page.ocr else self._style
        figures, runs = _figures(page, content)
        tables, runs = ruled_tables(page, runs, figures)
        if tables or figures:
            elements: list[Area] = [*segments_of(runs), *tables, *figures]
        else:
            every = (segment for line in lines for segment in line.segments)
            elements = [s for s in every if content.y0 <= s.middle[1] <= content.y1]
        first = True
        for group in reading_order(elements):
            for part in _parts(group, page, style, self._stack):
                if isinstance(part, Figure):
                    yield Block("figure", part.text, page.number, (page.box(part),))
                elif isinstance(part, Table):
                    table = self._continued(part) if first else part
                    yield from _table_blocks(table, page)
                    self._last = table
                else:
                    yield part
                    if part.kind != "heading" or part.level < CAPTION_LEVEL:
                        self._last = None
                # A caption repeated over the next part of a table does not separate the two.
                first = first and isinstance(part, Block) and part.kind == "heading"

    def _continued(self, table: Table) -> Table:
        """A table at the head of a page that goes on from the page before takes over its header and key."""
        last = self._last
        if last is None or len(last.bounds) != len(table.bounds):
            return table
        apart = max(abs(a - b) for a, b in zip(last.bounds[:-1], table.bounds[:-1], strict=True))
        if apart > SHIFT or (table.header and table.header != last.header):
            return table
        rows = table.rows
        if rows and not rows[0].cells[0] and last.rows:
            key = last.rows[-1].cells[0]
            rows = (replace(rows[0], cells=(key, *rows[0].cells[1:])), *rows[1:])
        return replace(table, header=last.header, rows=rows)


def _figures(page: Page, content: Area) -> tuple[list[Figure], list[tuple[Word, ...]]]:
    """The drawings of a page with the words in them, and the runs that remain."""
    runs = list(page.runs)
    if content.y0 > 0 or content.y1 < page.reading_height:
        top, bottom = 2 * content.y0, 2 * content.y1
        runs = [tuple(w for w in run if top <= w.y0 + w.y1 <= bottom) for run in runs]
    figures = []
    for area in drawing_areas(page, content):
        inside = [tuple(w for w in run if area.holds(w, slack=0)) for run in runs]
        runs = [tuple(w for w in run if not area.holds(w, slack=0)) for run in runs]
        text = "\n".join(_legend(line) for line in lines_of(segments_of(inside)))
        if text:
            figures.append(Figure(area.x0, area.y0, area.x1, area.y1, text))
    return figures, [run for run in runs if run]


def _legend(line: Line) -> str:
    """Labels on one height; the entries of a key ('1 Crown  6 Light curtain') each on a line of its own."""
    text = ""
    for segment in line.segments:
        piece = words_text(segment.words)
        number = re.fullmatch(r"\(?\d{1,3}[.)]?|[A-Z]", piece)
        text += piece + (" " if number else "\n")
    return text.strip()


def _parts(
    group: Sequence[Area], page: Page, style: Style, stack: StackReader
) -> Iterator[Table | Figure | Block]:
    """Tables and drawings one by one, and between them what the lines hold."""
    segments: list[Segment] = []
    for item in group:
        if isinstance(item, Segment):
            segments.append(item)
            continue
        yield from ColumnReader(lines_of(segments), page, style, stack).parts()
        segments = []
        if isinstance(item, (Table, Figure)):
            yield from stack.flush() if isinstance(item, Figure) else stack.close()
            yield item
    yield from ColumnReader(lines_of(segments), page, style, stack).parts()


def _table_blocks(table: Table, page: Page) -> Iterator[Block]:
    header = " | ".join(cell for cell in table.header if cell)
    # Two aligned columns without a header are labels and values: text that belongs to what follows.
    kind = "table" if table.drawn or header or len(table.bounds) > 3 else "text"
    for row in table.rows:
        text = row_text(table.header, row)
        if text:
            yield Block(kind, text, page.number, (page.box(row),), header=header)  # type: ignore[arg-type]
