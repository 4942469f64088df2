"""The lines of one column -> headings, paragraphs, steps, notices and captions."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from assistant.schema import Block, BlockKind
from ingest.aligned import aligned_table
from ingest.contents import LEADER, without_contents
from ingest.headings import (
    LABEL_LEVEL,
    RUN_IN_LEVEL,
    Style,
    heading_level,
    is_figure_caption,
    is_numbered,
    is_pile,
    is_step,
    run_in_heading,
    squeezed,
    without_continued,
)
from ingest.lines import Line
from ingest.notices import notice_at, stands_alone
from ingest.page import Page, around, joined
from ingest.tables import Table

# White space above a line, in line heights: more ends a paragraph; less cannot stand above a heading.
PARAGRAPH_GAP = 0.42
HEADING_GAP = 0.35
TITLE_LINES = 4


class ColumnReader:
    """Walks down the lines of one column."""

    def __init__(self, lines: Sequence[Line], page: Page, style: Style) -> None:
        """Reads lines from top to bottom of one column of a page."""
        self._lines = without_contents(lines)
        self._page = page
        self._style = style
        self._next = 0

    def parts(self) -> Iterator[Block | Table]:
        """Everything in the column; tables without rules as such."""
        while self._next < len(self._lines):
            yield from self._part()

    def _part(self) -> Iterator[Block | Table]:
        lines, at = self._lines, self._next
        if squeezed(lines[at].text) in self._style.piles and self._is_stacked(at):
            # The head of an indented table, repeated over each of its pages.
            self._next = at + 1
            return
        notice = notice_at(lines, at, self._page.frames)
        if notice:
            self._next = notice.last + 1
            kind: BlockKind = "notice" if notice.signal else "text"
            block = self._make(kind, lines[at : self._next])
            if stands_alone(lines[at].text):
                text = f"{lines[at].text}\n{lines_text(lines[at + 1 : self._next])}"
                block = replace(block, text=text)
            yield replace(block, signal=notice.signal)
            return
        heading = self._label() or self._heading()
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
        kind = "list" if is_step(text) else "figure" if is_figure_caption(text) else "text"
        yield self._make(kind, body)

    def _label(self) -> Block | None:
        """The label that opens an entry ('SYMPTOM') together with what it says, as a heading."""
        line, at = self._lines[self._next], self._next
        if not self._style.opener or squeezed(line.text) != self._style.opener or at + 1 >= len(self._lines):
            return None
        return replace(self._make("heading", self._paragraph()), level=LABEL_LEVEL)

    def _heading(self) -> Block | None:
        lines, at = self._lines, self._next
        line = lines[at]
        if squeezed(line.text) in self._style.labels or self._is_stacked(at):
            return None
        end = at + 1
        while end < len(lines) and end - at <= TITLE_LINES and _same_title(lines[end - 1], lines[end]):
            end += 1
        isolated = at == 0 or line.y0 - lines[at - 1].y1 > HEADING_GAP * line.height
        text = without_continued(lines_text(lines[at:end]))
        level = heading_level(line, text, self._page.number, self._style, isolated)
        if not level or end - at > TITLE_LINES:
            # More lines of the same style: a bold paragraph, unless the bookmarks know its first line.
            level = heading_level(line, line.text, self._page.number, self._style, isolated, known_only=True)
            text, end = line.text, at + 1
        if not level:
            return None
        self._next = end
        return replace(self._make("heading", lines[at:end]), text=text, level=level)

    def _is_stacked(self, at: int) -> bool:
        """True within the head of an indented table: bold lines, each further to the right, in a pile."""
        pile = self._lines[max(0, at - 1) : at + 2]
        piled = any(is_pile(above, below) for above, below in zip(pile, pile[1:], strict=False))
        line = self._lines[at]
        return (
            piled
            and not is_numbered(line.text)
            and abs(line.middle[0] - self._page.reading_width / 2) > 0.03 * line.width
        )

    def _paragraph(self) -> list[Line]:
        lines, at = self._lines, self._next
        body = [lines[at]]
        label = squeezed(lines[at].text) in self._style.labels
        while at + len(body) < len(lines):
            follows = label and len(body) == 1 and not lines[at + 1].bold
            if not follows and not self._joins(body[-1], at + len(body)):
                break
            body.append(lines[at + len(body)])
        self._next = at + len(body)
        return body

    def _joins(self, previous: Line, index: int) -> bool:
        line = self._lines[index]
        if not -0.5 * line.height < line.y0 - previous.y1 <= PARAGRAPH_GAP * previous.height:
            return False
        if is_step(line.text) or squeezed(line.text) in self._style.labels:
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
        and not is_step(below.text)
    )
