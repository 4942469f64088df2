"""What is drawn on a PDF page apart from text: rules, frames, dots and pictures."""

import ctypes
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pypdfium2.raw as raw

from ingest.page import Area
from ingest.pdf_space import Space

MAX_PATHS = 20_000
# Forms within forms.
MAX_DEPTH = 3
THIN = 3.0
MIN_DOT, MAX_DOT = 1.4, 10.0


@dataclass(slots=True)
class Drawings:
    """What is drawn on a page, apart from text."""

    rules: list[Area] = field(default_factory=list)
    frames: list[Area] = field(default_factory=list)
    dots: list[Area] = field(default_factory=list)
    images: list[Area] = field(default_factory=list)
    shapes: int = 0


def read_drawings(page: Any, space: Space) -> Drawings:
    """Thin lines, frames, dots and pictures."""
    found = Drawings()
    edges = [ctypes.c_float() for _ in range(4)]
    for item, kind in _objects(page.raw, raw.FPDFPage_CountObjects, raw.FPDFPage_GetObject, 1):
        found.shapes += 1
        if found.shapes > MAX_PATHS:
            break
        if not raw.FPDFPageObj_GetBounds(item, *edges):
            continue
        area = space.area(*(edge.value for edge in edges))
        if kind == raw.FPDF_PAGEOBJ_IMAGE:
            found.images.append(area)
        elif _is_dot(area):
            found.dots.append(area)
        elif area.width <= THIN or area.height <= THIN:
            if max(area.width, area.height) >= 8:
                found.rules.append(area)
        elif area.width >= 12 and area.height >= 6:
            _add_path(item, area, space, found.rules, found.frames)
    return found


def _objects(
    container: Any, count: Callable[..., int], get: Callable[..., Any], depth: int
) -> Iterator[tuple[Any, int]]:
    """Paths and pictures with their kind, those in forms too; text is passed over."""
    for index in range(count(container)):
        item = get(container, index)
        kind = raw.FPDFPageObj_GetType(item)
        if kind in {raw.FPDF_PAGEOBJ_PATH, raw.FPDF_PAGEOBJ_IMAGE}:
            yield item, kind
        elif kind == raw.FPDF_PAGEOBJ_FORM and depth < MAX_DEPTH:
            yield from _objects(item, raw.FPDFFormObj_CountObjects, raw.FPDFFormObj_GetObject, depth + 1)


def _is_dot(area: Area) -> bool:
    short, long = sorted((area.width, area.height))
    return MIN_DOT <= short and long <= MAX_DOT and long < 1.5 * short


def _add_path(item: Any, area: Area, space: Space, rules: list[Area], frames: list[Area]) -> None:
    """A path larger than a line: a frame when it is one rectangle, else its straight pieces as rules."""
    count = raw.FPDFPath_CountSegments(item)
    if count <= 6:
        frames.append(area)
        return
    if count > 2000:
        return
    x, y = ctypes.c_float(), ctypes.c_float()
    matrix = raw.FS_MATRIX()
    if not raw.FPDFPageObj_GetMatrix(item, matrix):
        return
    a, b, c, d, e, f = matrix.a, matrix.b, matrix.c, matrix.d, matrix.e, matrix.f
    previous: tuple[float, float] | None = None
    for index in range(count):
        segment = raw.FPDFPath_GetPathSegment(item, index)
        raw.FPDFPathSegment_GetPoint(segment, x, y)
        point = (a * x.value + c * y.value + e, b * x.value + d * y.value + f)
        kind = raw.FPDFPathSegment_GetType(segment)
        if kind == raw.FPDF_SEGMENT_LINETO and previous is not None:
            piece = space.area(*previous, *point)
            if min(piece.width, piece.height) <= 1 and max(piece.width, piece.height) >= 8:
                rules.append(piece)
        previous = point
