"""Drawings: regions whose words are labels of a picture, not running text."""

from collections.abc import Sequence

from ingest.page import Area, Page

MIN_FLOATING = 4
NEAR = 3.0


def drawing_areas(page: Page, content: Area) -> list[Area]:
    """Pictures with labels, and frames that hold a line drawing.

    Of such a drawing several shapes touch neither the frame nor a full-width rule. The cells of a table do
    touch one or the other, so tables are never taken for drawings.
    """
    shapes = [*page.frames, *page.rules]
    areas: list[Area] = list(page.figures)
    for frame in sorted(page.frames, key=lambda f: -f.width * f.height):
        if frame.height < 50 or frame.width < 80 or not content.holds(frame):
            continue
        if frame.height > 0.95 * page.reading_height or any(area.holds(frame) for area in areas):
            continue
        inner = [shape for shape in shapes if shape is not frame and _within(shape, frame)]
        if sum(1 for shape in inner if _floats(shape, frame, inner)) >= MIN_FLOATING:
            areas.append(frame)
    return areas


def _within(shape: Area, frame: Area) -> bool:
    return (
        frame.x0 - NEAR <= shape.x0
        and shape.x1 <= frame.x1 + NEAR
        and frame.y0 - NEAR <= shape.y0
        and shape.y1 <= frame.y1 + NEAR
    )


def _floats(shape: Area, frame: Area, inner: Sequence[Area]) -> bool:
    levels = [frame.y0, frame.y1, *(r.y0 for r in inner if r.height <= NEAR and r.width > 0.9 * frame.width)]
    walls = [frame.x0, frame.x1, *(r.x0 for r in inner if r.width <= NEAR and r.height > 0.9 * frame.height)]
    flat = any(abs(shape.y0 - y) <= NEAR or abs(shape.y1 - y) <= NEAR for y in levels)
    tall = any(abs(shape.x0 - x) <= NEAR or abs(shape.x1 - x) <= NEAR for x in walls)
    return not flat and not tall
