"""Pages of words -> blocks in reading order: headings, paragraphs, steps, notices, tables, figures."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from assistant.schema import Block, ParsedPage
from ingest.columns import reading_order
from ingest.figures import drawing_areas
from ingest.furniture import content_areas
from ingest.headings import (
    LABEL_LEVEL,
    Style,
    heading_level,
    is_figure_caption,
    is_step,
    run_in_heading,
    squeezed,
    style_of,
)
from ingest.lines import Line, Segment, lines_of, segments_of
from ingest.notices import notice_at
from ingest.page import Area, Page, Word, around, joined
from ingest.pdf import OutlineEntry
from ingest.tables import Table, row_text, ruled_tables

_LEADER = re.compile(r"(?:\s*\.){4,}\s*|\s*…{2,}\s*|\s*[·‧]{4,}\s*|\s*_{4,}\s*")
_PAGE_LABEL = re.compile(r"(?:[A-Z]{1,3}[-.]?)?\d{1,4}(?:[-–.]\d{1,4})?$|\b[ivxlc]{1,7}$")
_CONTINUED = re.compile(
    r"\s*[-–—(（]*\s*(?:continued|cont\.?|cont'd|续表?|续上表)\s*[)）.]*\s*$",
    re.IGNORECASE,
)


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
    style = style_of(pages, outline)
    parsed: list[ParsedPage] = []
    last: Table | None = None
    for page, content in zip(pages, content_areas(pages), strict=True):
        blocks: list[Block] = []
        figures, runs = _figures(page, content)
        tables, runs = ruled_tables(page, runs, content, figures)
        elements: list[Area] = [*segments_of(runs), *tables, *figures]
        first = True
        for group in reading_order(elements):
            for part in _parts(group):
                if isinstance(part, Figure):
                    blocks.append(Block("figure", part.text, page.number, (page.box(part),)))
                elif isinstance(part, Table):
                    table = _continued(part, last) if first else part
                    blocks.extend(_table_blocks(table, page))
                    last = table
                else:
                    found = list(_Reader(part, page, style).blocks())
                    blocks.extend(found)
                    if any(block.kind != "heading" or block.level < 6 for block in found):
                        last = None
                first = first and not blocks
        parsed.append(ParsedPage(page.number, tuple(blocks), page.ocr))
    return tuple(parsed)


def _figures(page: Page, content: Area) -> tuple[list[Figure], list[tuple[Word, ...]]]:
    """The drawings of a page with the words in them, and the runs that remain."""
    runs = [tuple(w for w in run if content.y0 <= w.middle[1] <= content.y1) for run in page.runs]
    figures = []
    for area in drawing_areas(page, content):
        inside = [tuple(w for w in run if area.holds(w, slack=0)) for run in runs]
        runs = [tuple(w for w in run if not area.holds(w, slack=0)) for run in runs]
        lines = lines_of(segments_of(inside))
        text = "\n".join(lines_text([line]) for line in lines)
        if text:
            figures.append(Figure(area.x0, area.y0, area.x1, area.y1, text))
    return figures, [run for run in runs if run]


def _parts(group: Sequence[Area]) -> Iterator[Table | Figure | list[Line]]:
    """Tables and drawings one by one, and between them the lines."""
    segments: list[Segment] = []
    for item in group:
        if isinstance(item, (Table, Figure)):
            if segments:
                yield lines_of(segments)
            segments = []
            yield item
        elif isinstance(item, Segment):
            segments.append(item)
    if segments:
        yield lines_of(segments)


def _continued(table: Table, last: Table | None) -> Table:
    """A table at the head of a page that goes on from the page before takes over its header."""
    if last is None or len(last.bounds) != len(table.bounds):
        return table
    apart = max(abs(a - b) for a, b in zip(last.bounds, table.bounds, strict=True))
    if table.header or apart > 12:
        return table
    rows = table.rows
    if last.header and rows and rows[0].cells == last.header:
        rows = rows[1:]
    return replace(table, header=last.header, rows=rows)


def _table_blocks(table: Table, page: Page) -> Iterator[Block]:
    header = " | ".join(cell for cell in table.header if cell)
    for row in table.rows:
        text = row_text(table.header, row)
        if text:
            yield Block("table", text, page.number, (page.box(row),), header=header)


class _Reader:
    """Walks down the lines of one column."""

    def __init__(self, lines: list[Line], page: Page, style: Style) -> None:
        self._lines = _without_contents(lines)
        self._page = page
        self._style = style
        self._next = 0

    def blocks(self) -> Iterator[Block]:
        """Everything in the column, top to bottom."""
        while self._next < len(self._lines):
            start = self._next
            yield from self._block()
            if self._next == start:
                raise AssertionError("a line was not consumed")

    def _block(self) -> Iterator[Block]:
        lines, at = self._lines, self._next
        notice = notice_at(lines, at, self._page.frames)
        if notice:
            self._next = notice.last + 1
            body = lines[notice.first : notice.last + 1]
            yield replace(self._make("notice", body), signal=notice.signal)
            return
        heading = self._heading()
        if heading:
            yield heading
            return
        title = run_in_heading(lines[at])
        if title:
            yield Block("heading", title, self._page.number, (self._page.box(lines[at]),), level=4)
        body = self._paragraph()
        kind = "list" if is_step(body[0].text) else "figure" if is_figure_caption(body[0].text) else "text"
        yield self._make(kind, body)

    def _heading(self) -> Block | None:
        lines, at = self._lines, self._next
        line = lines[at]
        if squeezed(line.text) in self._style.labels:
            if squeezed(line.text) != self._style.opener or at + 1 >= len(lines):
                return None
            self._next = at + 1
            body = [line, *self._paragraph()]
            return replace(self._make("heading", body), level=LABEL_LEVEL)
        isolated = at == 0 or line.y0 - lines[at - 1].y1 > 0.35 * line.height
        for count in (3, 2, 1):
            group = lines[at : at + count]
            if len(group) < count or not _one_title(group):
                continue
            text = lines_text(group)
            level = heading_level(line, text, self._page.number, self._style, isolated)
            if level and (count == 1 or not self._goes_on(group)):
                self._next = at + count
                return replace(self._make("heading", group), text=_CONTINUED.sub("", text), level=level)
        return None

    def _goes_on(self, group: list[Line]) -> bool:
        """True when more lines of the same style follow directly: then it is a bold paragraph."""
        after = self._next + len(group)
        return after < len(self._lines) and _one_title([group[-1], self._lines[after]])

    def _paragraph(self) -> list[Line]:
        lines, at = self._lines, self._next
        body = [lines[at]]
        label = squeezed(lines[at].text) in self._style.labels
        while at + len(body) < len(lines):
            index = at + len(body)
            if not (label and len(body) == 1) and not self._joins(body, index):
                break
            body.append(lines[index])
        self._next = at + len(body)
        return body

    def _joins(self, body: list[Line], index: int) -> bool:
        previous, line = body[-1], self._lines[index]
        if line.y0 - previous.y1 > 0.42 * previous.height or line.y0 < previous.y0:
            return False
        if is_step(line.text) or squeezed(line.text) in self._style.labels:
            return False
        if abs(line.size - previous.size) > 0.12 * previous.size or run_in_heading(line):
            return False
        if line.bold and not previous.bold:
            isolated = line.y0 - previous.y1 > 0.35 * line.height
            if heading_level(line, line.text, self._page.number, self._style, isolated):
                return False
        return notice_at(self._lines, index, self._page.frames) is None

    def _make(self, kind: str, lines: Sequence[Line]) -> Block:
        box = self._page.box(around(lines))
        return Block(kind, lines_text(lines), self._page.number, (box,))  # type: ignore[arg-type]


def lines_text(lines: Sequence[Line]) -> str:
    """Lines of one paragraph as running text, words cut at line ends mended."""
    text = ""
    for line in lines:
        piece = _LEADER.sub(" … ", line.text).strip()
        if text.endswith(("\x02", "\u00ad")):
            code = text[-2:-1].isupper() or text[-2:-1].isdigit()
            text = text[:-1] + ("-" if code else "") + piece
        else:
            text = joined(text, piece)
    return text.replace("\x02", "-").replace("\u00ad", "")


def _one_title(group: Sequence[Line]) -> bool:
    """True when lines follow each other closely in one style."""
    return all(
        below.y0 - above.y1 < 0.3 * above.height
        and abs(below.size - above.size) < 0.05 * above.size
        and below.bold == above.bold
        and not is_step(below.text)
        for above, below in zip(group, group[1:], strict=False)
    )


def _without_contents(lines: list[Line]) -> list[Line]:
    """Drops tables of contents: lines with leaders that end in ascending page labels."""
    kept: list[Line] = []
    entries: list[Line] = []
    for line in [*lines, None]:
        if line is not None and _LEADER.search(line.text) and _PAGE_LABEL.search(line.text):
            entries.append(line)
            continue
        if entries:
            if _ascending(entries):
                while kept and re.search(r"(?:\bpage|页码?|页次)$", kept[-1].text.strip(), re.IGNORECASE):
                    kept.pop()
            else:
                kept.extend(entries)
            entries = []
        if line is not None:
            kept.append(line)
    return kept


def _ascending(entries: Sequence[Line]) -> bool:
    labels = [_PAGE_LABEL.search(line.text) for line in entries]
    numbers = [[int(n) for n in re.findall(r"\d+", match.group())] for match in labels if match]
    ordered = sum(1 for a, b in zip(numbers, numbers[1:], strict=False) if a <= b)
    return len(entries) >= 2 and ordered >= 0.8 * (len(numbers) - 1)
