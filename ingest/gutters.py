"""White strips between words: where columns of a table part when no rule tells."""

from collections.abc import Sequence

from ingest.headings import is_step
from ingest.lines import WIDE_GAP, wide_gap
from ingest.page import Word
from ingest.rows import height_lines

MIN_GUTTER = 4.0
# On so many lines both sides of an unruled gap must hold something to be two columns.
MIN_UNRULED = 3


def crosses(words: Sequence[Word], bounds: Sequence[float]) -> bool:
    """True when a line runs on, with no more than a space, from one column into the next."""
    for line in height_lines(words):
        for left, right in zip(line.words, line.words[1:], strict=False):
            if right.x0 - left.x1 < wide_gap(left) and any(left.x1 <= x <= right.x0 for x in bounds[1:-1]):
                return True
    return False


def unruled_edges(words: Sequence[Word], x0: float, x1: float) -> list[float]:
    """Edges between columns that stand side by side between two vertical rules: wide gaps on all lines."""
    inside = [w for w in words if x0 < w.middle[0] < x1]
    if len(inside) < 2 * MIN_UNRULED:
        return []
    found = []
    for x in white_gaps(inside, x0, x1, WIDE_GAP):
        lines = [line.words for line in height_lines(inside)]
        both = [line for line in lines if line[0].x0 < x < line[-1].x0]
        left = ["".join(w.text for w in line if w.x0 < x) for line in both]
        if len(both) >= max(MIN_UNRULED, 0.6 * len(lines)) and not all(is_step(f"{text} x") for text in left):
            found.append(x)
    return found


def white_gaps(words: Sequence[Word], x0: float, x1: float, least: float = 0.45) -> list[float]:
    """Middle of each vertical strip without words, `least` font heights wide, the outermost excluded."""
    gaps, reach = [], None
    for word in sorted(words, key=lambda w: w.x0):
        if reach is not None and word.x0 - reach >= max(MIN_GUTTER, least * word.size):
            gaps.append((reach + word.x0) / 2)
        reach = word.x1 if reach is None else max(reach, word.x1)
    return [gap for gap in gaps if x0 < gap < x1]
