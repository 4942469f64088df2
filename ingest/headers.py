"""Rows of text -> table blocks that carry their header, and the header row where a file does not mark it."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence

from assistant.schema import Block

LONGEST_HEADING = 60
ROWS_LOOKED_AT = 15
_FIGURE = re.compile(r"[-+±<>≤≥~]?\s*[\d.,:/ -]*\d[\d.,:/ %-]*")


def find_header(rows: Sequence[Sequence[str]]) -> int | None:
    """The index of the row that names the columns, or None.

    It is the first of the rows at the top that is about as wide as the table below it and looks like names.
    """
    filled = [sum(1 for cell in row if cell) for row in rows]
    usual = Counter(count for count in filled if count > 1).most_common(1)
    if not usual:
        return None
    for index in range(min(ROWS_LOOKED_AT, len(rows) - 1)):
        if filled[index] > 1 and 2 * filled[index] >= usual[0][0]:
            return index if looks_like_header(rows[index], rows[index + 1 :]) else None
    return None


def looks_like_header(row: Sequence[str], below: Sequence[Sequence[str]]) -> bool:
    """True for short words without figures and without a code in front, with rows below them."""
    cells = [cell for cell in row if cell]
    if len(cells) < 2 or not any(any(other) for other in below):
        return False
    if any(len(cell) > LONGEST_HEADING or _FIGURE.fullmatch(cell) for cell in cells):
        return False
    if any(cell[-1] in ".。!！?？;；" and len(cell) > 12 for cell in cells):
        return False
    # A code or part number at the front belongs to a row of data.
    return not re.fullmatch(r"[A-Za-z]{0,4}[-. ]?\d[\w\-.]*", row[0])


def row_blocks(header: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[Block]:
    """One table block a row: each cell behind its heading, 'Code: E-07 | Cause: low oil'."""
    joined = " | ".join(cell for cell in header if cell)
    for row in rows:
        names = [*header, *[""] * (len(row) - len(header))]
        pairs = zip(names, row, strict=False)
        text = " | ".join(f"{head}: {cell}" if head else cell for head, cell in pairs if cell)
        if text:
            yield Block("table", text, 1, header=joined)
