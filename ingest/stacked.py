"""Fault tables set as stacks: each column further to the right and below the one before it.

Two ways are common. A head of stacked names over entries that only their indentation tells apart:

    MALFUNCTION                      1. ENGINE DOES NOT START.
        TEST OR INSPECTION               Step 1. Check fuel level.
            CORRECTIVE ACTION                Add fuel.

or the name of the column over each piece of every entry ('SYMPTOM', under it the symptom, 'CAUSE', ...). Both
come out as the rows of an ordinary table: a row for each innermost piece, with all that stands over it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from assistant.schema import Block, Box
from ingest.headings import CAPTION_LEVEL, Style, is_numbered, is_pile, is_step, squeezed, without_continued
from ingest.lines import Line
from ingest.page import Page, around, joined

# In font heights: pieces that start nearer than this stand in one column.
SAME_INDENT = 0.5
MAX_HEAD = 5


@dataclass(slots=True)
class _Stack:
    """A table being read.

    Attributes:
        header: names of the columns from the outermost inwards.
        left: where the outermost column starts, or the label over what is being read.
        seen: page on which `left` was measured.
        labels: squeezed name -> column, when the name stands over each piece; else empty.
        cells: of the row being read.
        indents: where the cells of the row being read start, one for each open column.
        column: the column that text under a label goes to.
        bold: whether the outermost pieces are bold.
    """

    header: tuple[str, ...]
    left: float
    labels: dict[str, int]
    cells: list[str]
    indents: list[float] = field(default_factory=list)
    column: int = 0
    bold: bool | None = None
    boxes: list[Box] = field(default_factory=list)
    page: int = 0
    seen: int = 0
    fresh: bool = False


class StackReader:
    """Remembers the table and the row that are open from one column or page to the next."""

    def __init__(self, style: Style) -> None:
        """Knows the labels and heads that recur in the file."""
        self._style = style
        self._open: _Stack | None = None

    @property
    def is_open(self) -> bool:
        """True while lines belong to a table."""
        return self._open is not None

    def head_at(self, lines: Sequence[Line], at: int) -> int:
        """Number of lines of a table's head that starts here, 0 when none does; it is taken in."""
        end = at
        while end < len(lines) and end - at < MAX_HEAD and self._is_head(lines, at, end):
            end += 1
        if end - at < 2:
            return 0
        names = tuple(line.text for line in lines[at:end])
        if self._open is None or self._open.header != names:
            self._open = _Stack(names, lines[at].x0, {}, [""] * len(names))
        self._open.left = lines[at].x0
        return end - at

    def _is_head(self, lines: Sequence[Line], at: int, end: int) -> bool:
        if not self._style.piles or squeezed(lines[end].text) not in self._style.piles:
            return False
        return end == at or is_pile(lines[end - 1], lines[end])

    def label_at(self, line: Line, page: Page) -> Iterator[Block]:
        """Takes in a line that names the column of what stands under it; yields the row before it."""
        labels = self._style.stack
        column = labels.index(squeezed(line.text))
        if self._open is None or not self._open.labels:
            yield from self.close()
            known = {name: index for index, name in enumerate(labels)}
            self._open = _Stack(("",) * len(labels), line.x0, known, [""] * len(labels))
        stack = self._open
        yield from self._row_before(stack, column)
        stack.header = (*stack.header[:column], line.text, *stack.header[column + 1 :])
        stack.column = column
        stack.left, stack.seen = line.x0, page.number
        stack.boxes.append(page.box(line))

    def is_label(self, line: Line) -> bool:
        """True for a line that names a column of a stack with a name over each piece."""
        return bool(self._style.stack) and line.bold and squeezed(line.text) in self._style.stack

    def goes_on(self, line: Line, level: int, page: Page) -> bool:
        """True when a line belongs to the open table.

        Args:
            line: the first of a paragraph.
            level: of the heading that it would be, 0 for none.
            page: on which it stands.
        """
        stack = self._open
        if stack is None:
            return False
        inside = line.x0 - stack.left
        if stack.labels:
            # What goes on at the top of a page stands under a label of the page before, margins may differ.
            return not level and (inside > SAME_INDENT * line.size or page.number != stack.seen)
        if level and (level < 5 or level == CAPTION_LEVEL or is_numbered(line.text)):
            return False
        if inside < -line.size:
            return False
        outermost = inside <= SAME_INDENT * line.size
        return not outermost or stack.bold is None or line.bold == stack.bold

    def take(self, lines: Sequence[Line], page: Page) -> Iterator[Block]:
        """Takes in a paragraph of the table; yields the row before it, if it starts another."""
        stack = self._open
        if stack is None:
            return
        first = lines[0]
        column = stack.column if stack.labels else self._column_of(stack, first)
        if not stack.labels:
            if column == 0:
                stack.bold = first.bold
            yield from self._row_before(stack, column)
        text = stack.cells[column]
        for line in lines:
            text = joined(text, line.text)
        stack.cells[column] = without_continued(text) if column == 0 else text
        stack.page = page.number
        stack.fresh = True
        stack.boxes.append(page.box(around(lines)))

    @staticmethod
    def _column_of(stack: _Stack, line: Line) -> int:
        """The column of a paragraph by its indentation, and what is open in its row afterwards."""
        near = SAME_INDENT * line.size
        if line.x0 <= stack.left + near:
            stack.indents = [line.x0]
            return 0
        if not stack.indents:
            stack.indents = [stack.left]
        while len(stack.indents) > 1 and line.x0 < stack.indents[-1] - near:
            stack.indents.pop()
        if line.x0 > stack.indents[-1] + near and len(stack.indents) < len(stack.header):
            # Steps follow each other in one column even where one is set a little further in.
            stack.indents.append(line.x0)
        if is_step(line.text) and len(stack.indents) > 2:
            stack.indents = stack.indents[:2]
        return len(stack.indents) - 1

    def _row_before(self, stack: _Stack, column: int) -> Iterator[Block]:
        """The row that ends where a piece of some column starts; pieces over it are kept for the next."""
        innermost = len(stack.header) - 1
        if column == innermost and not stack.labels:
            return
        if any(stack.cells[column:]):
            yield from self._row(stack)
            stack.cells = [*stack.cells[:column], *[""] * (len(stack.cells) - column)]
            stack.boxes = []

    def _row(self, stack: _Stack) -> Iterator[Block]:
        pieces = [(name, cell) for name, cell in zip(stack.header, stack.cells, strict=True) if cell]
        if stack.fresh and pieces:
            text = " | ".join(f"{name}: {cell}" if name else cell for name, cell in pieces)
            header = " | ".join(name for name in stack.header if name)
            yield Block("table", text, stack.page, tuple(stack.boxes), header=header)
        stack.fresh = False

    def flush(self) -> Iterator[Block]:
        """The row being read, before something that is no part of it; the table stays open."""
        if self._open is not None:
            yield from self._row(self._open)
            self._open.boxes = []

    def close(self) -> Iterator[Block]:
        """The last row; the table ends."""
        yield from self.flush()
        self._open = None
