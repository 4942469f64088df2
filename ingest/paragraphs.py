"""The lines of one column -> headings, paragraphs, steps, notices and captions."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from assistant.schema import Block, BlockKind
from ingest.aligned import aligned_table
from ingest.contents import LEADER, without_contents
from ingest.headings import (
    CAPTION_LEVEL,
    RUN_IN_LEVEL,
    TASK_LEVEL,
    Style,
    follows_step,
    heading_level,
    is_figure_caption,
    is_number_only,
    is_numbered,
    is_step,
    is_task,
    run_in_heading,
    squeezed,
    without_continued,
)
from ingest.lines import Line
from ingest.notices import NoticeSpan, notice_at, stands_alone
from ingest.page import Page, around, joined
from ingest.stacked import StackReader
from ingest.tables import Table

# White space above a line, in line heights: more ends a paragraph; less cannot stand above a heading.
PARAGRAPH_GAP = 0.42
HEADING_GAP = 0.35
TITLE_LINES = 4
# Between 'CHAPTER 5' and its title, in line heights; and how near the middle of the page is centred.
TITLE_GAP = 3.0
CENTRE = 0.03
_ENDS = ".:;!?。：；！？"


class ColumnReader:
    """Walks down the lines of one column."""

    def __init__(self, lines: Sequence[Line], page: Page, style: Style, stack: StackReader) -> None:
        """Reads lines from top to bottom of one column of a page; a stacked table may go on over columns."""
        self._lines = without_contents(lines)
        self._page = page
        self._style = style
        self._stack = stack
        self._next = 0

    def parts(self) -> Iterator[Block | Table]:
        """Everything in the column; tables without rules as such."""
        while self._next < len(self._lines):
            yield from self._part()

    def _part(self) -> Iterator[Block | Table]:
        lines, at = self._lines, self._next
        head = self._stack.head_at(lines, at)
        if head:
            self._next = at + head
            return
        notice = notice_at(lines, at, self._page.frames)
        if notice:
            yield from self._stack.flush()
            self._next = notice.last + 1
            yield from self._notice(notice, lines[at : self._next])
            return
        if self._stack.is_label(lines[at]):
            self._next = at + 1
            yield from self._stack.label_at(lines[at], self._page)
            return
        heading = self._heading()
        if self._stack.is_open:
            if self._stack.goes_on(lines[at], heading.level if heading else 0, self._page):
                body = lines[at : self._next] if heading else self._paragraph()
                yield from self._stack.take(body, self._page)
                return
            # A caption repeated at the top of a page does not end the table.
            yield from (
                self._stack.flush() if heading and heading.level == CAPTION_LEVEL else self._stack.close()
            )
        if heading:
            yield heading
            return
        table = aligned_table(lines, at)
        if table:
            self._next = table[0] + 1
            yield table[1]
            return
        title = run_in_heading(lines[at])
        if title:
            box = self._page.box(lines[at])
            yield Block("heading", title, self._page.number, (box,), level=RUN_IN_LEVEL)
        body = self._paragraph()
        text = lines_text(body)
        kind: BlockKind = "list" if is_step(text) else "figure" if is_figure_caption(text) else "text"
        yield self._make(kind, body)

    def _notice(self, notice: NoticeSpan, lines: Sequence[Line]) -> Iterator[Block]:
        """One block; where one signal word stands over several notices, one for each paragraph."""
        kind: BlockKind = "notice" if notice.signal else "text"
        if not stands_alone(lines[0].text):
            yield replace(self._make(kind, lines), signal=notice.signal)
            return
        body = [lines[1:]]
        if notice.several:
            ends = [
                i
                for i in range(2, len(lines))
                if lines[i].y0 - lines[i - 1].y1 > PARAGRAPH_GAP * lines[i].height
            ]
            body = [lines[a:b] for a, b in zip((1, *ends), (*ends, len(lines)), strict=True)]
        for paragraph in body:
            text = f"{lines[0].text}\n{lines_text(paragraph)}"
            block = self._make(kind, lines if len(body) == 1 else paragraph)
            yield replace(block, text=text, signal=notice.signal)

    def _heading(self) -> Block | None:
        lines, at = self._lines, self._next
        line = lines[at]
        if self._is_label(line) or is_figure_caption(line.text):
            return None
        end = at + 1
        while end < len(lines) and end - at <= TITLE_LINES and _same_title(lines[end - 1], lines[end]):
            end += 1
        if is_task(line.text, lines[at + 1].text if at + 1 < len(lines) else ""):
            self._next = at + 1
            return replace(self._make("heading", lines[at : at + 1]), level=TASK_LEVEL)
        isolated = at == 0 or line.y0 - lines[at - 1].y1 > HEADING_GAP * line.height
        text = without_continued(lines_text(lines[at:end]))
        middle = abs(line.middle[0] - self._page.reading_width / 2) < CENTRE * self._page.reading_width
        level = heading_level(line, text, self._page.number, self._style, isolated, centred=middle)
        if not level or end - at > TITLE_LINES:
            # More lines of the same style: a bold paragraph, unless the bookmarks know its first line.
            level = heading_level(line, line.text, self._page.number, self._style, isolated, known_only=True)
            text, end = line.text, at + 1
        if not level:
            return None
        self._next = end
        heading = replace(self._make("heading", lines[at:end]), text=text, level=level)
        near = end < len(lines) and lines[end].y0 - lines[end - 1].y1 < TITLE_GAP * line.height
        title = self._heading() if near and is_number_only(text) else None
        if title is None:
            self._next = end
            return heading
        return replace(heading, text=f"{text} {title.text}", boxes=(*heading.boxes, *title.boxes))

    def _is_label(self, line: Line) -> bool:
        return line.bold and squeezed(line.text) in self._style.labels

    def _paragraph(self) -> list[Line]:
        lines, at = self._lines, self._next
        body = [lines[at]]
        while at + len(body) < len(lines):
            if not self._joins(body, at + len(body)):
                break
            body.append(lines[at + len(body)])
        self._next = at + len(body)
        return body

    def _joins(self, body: Sequence[Line], index: int) -> bool:
        previous, line = body[-1], self._lines[index]
        if not -0.5 * line.height < line.y0 - previous.y1 <= PARAGRAPH_GAP * previous.height:
            return False
        wrapped = previous.text[-1] not in _ENDS and not follows_step(line.text, body[0].text)
        if (is_step(line.text) and not wrapped) or self._is_label(line):
            return False
        # Heights of lines read by OCR scatter.
        scatter = 0.4 if self._page.ocr else 0.12
        if abs(line.size - previous.size) > scatter * previous.size or run_in_heading(line):
            return False
        if line.bold and not previous.bold:
            isolated = line.y0 - previous.y1 > HEADING_GAP * line.height
            if heading_level(line, line.text, self._page.number, self._style, isolated):
                return False
        if len(line.segments) > 1 and aligned_table(self._lines, index):
            return False
        return notice_at(self._lines, index, self._page.frames) is None

    def _make(self, kind: BlockKind, lines: Sequence[Line]) -> Block:
        return Block(kind, lines_text(lines), self._page.number, (self._page.box(around(lines)),))


def lines_text(lines: Sequence[Line]) -> str:
    """Lines of one paragraph as running text, words cut at line ends mended."""
    text = ""
    for line in lines:
        piece = LEADER.sub(" … ", line.text).strip()
        if text.endswith(("\x02", "\u00ad")):
            # A hyphen after a capital or a digit belongs to a code or part number and stays.
            code = text[-2:-1].isupper() or text[-2:-1].isdigit()
            text = text[:-1] + ("-" if code else "") + piece
        else:
            text = joined(text, piece)
    return text.replace("\x02", "-").replace("\u00ad", "")


def _same_title(above: Line, below: Line) -> bool:
    """True when a line goes on with the title above it: same style, and flush or centred with it."""
    margins = [above.x0, *(word.x0 for word in above.words[1:2] if is_numbered(above.text))]
    flush = any(abs(below.x0 - x) < 0.5 * above.size for x in margins)
    centred = abs(above.middle[0] - below.middle[0]) < 0.5 * above.size
    return (
        below.y0 - above.y1 < 0.3 * above.height
        and abs(below.size - above.size) < 0.05 * above.size
        and below.bold == above.bold
        and (centred or flush)
        and not above.text.endswith((".", ":"))
        and not is_step(below.text)
    )
