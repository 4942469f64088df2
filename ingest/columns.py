"""Reading order: pages set in columns are read column by column."""

from collections.abc import Sequence
from dataclasses import dataclass

from ingest.lines import Segment
from ingest.page import CJK, Area, around

MIN_LINES = 4
MIN_GUTTER = 6.0


@dataclass(frozen=True, slots=True)
class _Split:
    above: list[Area]
    left: list[Area]
    right: list[Area]
    below: list[Area]

    @property
    def weight(self) -> int:
        return len(self.left) + len(self.right)


def reading_order(items: Sequence[Area]) -> list[list[Area]]:
    """Groups what stands on a page into columns, in the order they are read.

    Args:
        items: segments, and larger things such as tables that are kept whole.

    Returns:
        Groups; within each the order is from top to bottom.
    """
    if not items:
        return []
    split = _best_split(items)
    if split is None:
        return [sorted(items, key=lambda item: (item.y0, item.x0))]
    parts = (split.above, split.left, split.right, split.below)
    return [group for part in parts for group in reading_order(part)]


def _best_split(items: Sequence[Area]) -> _Split | None:
    best: _Split | None = None
    for x in _gutters(items):
        beside = [item for item in items if item.x0 >= x - 1 or item.x1 <= x + 1]
        crossing = [item for item in items if item.x0 < x - 1 and item.x1 > x + 1]
        levels = sorted({0.0, 1e9, *((c.y0 + c.y1) / 2 for c in crossing)})
        for top, bottom in zip(levels, levels[1:], strict=False):
            split = _split_at(items, beside, x, top, bottom)
            if split and (best is None or split.weight > best.weight):
                best = split
    return best


def _gutters(items: Sequence[Area]) -> list[float]:
    """Places in the inner part of the page that few items cross, as candidates."""
    area = around(items)
    inner = (area.x0 + 0.2 * area.width, area.x1 - 0.2 * area.width)
    edges = sorted({round(item.x0) - 3.0 for item in items if inner[0] < item.x0 < inner[1]})
    counted = [(sum(1 for i in items if abs(i.x0 - 3.0 - x) < 4), x) for x in edges]
    return [x for count, x in sorted(counted, reverse=True)[:6] if count >= MIN_LINES]


def _split_at(
    items: Sequence[Area], beside: list[Area], x: float, top: float, bottom: float
) -> _Split | None:
    inside = [i for i in beside if top < (i.y0 + i.y1) / 2 < bottom]
    left = [i for i in inside if i.x1 <= x + 1]
    right = [i for i in inside if i.x1 > x + 1]
    if not _is_column(left) or not _is_column(right):
        return None
    one, two = around(left), around(right)
    if two.x0 - one.x1 < MIN_GUTTER:
        return None
    shared = min(one.y1, two.y1) - max(one.y0, two.y0)
    if shared < 0.5 * min(one.height, two.height):
        return None
    above = [i for i in items if (i.y0 + i.y1) / 2 <= top]
    below = [i for i in items if (i.y0 + i.y1) / 2 >= bottom]
    return _Split(above, left, right, below)


def _is_column(items: list[Area]) -> bool:
    """Running text fills its lines; the cells of a table do not."""
    segments = [item for item in items if isinstance(item, Segment)]
    if len(segments) < MIN_LINES:
        return False
    width = around(items).width
    full = sum(1 for s in segments if s.width > 0.72 * width)
    letters = sum(len(s.text) * (2 if CJK.search(s.text) else 1) for s in segments) / len(segments)
    return full >= 0.4 * len(segments) and letters >= 22
