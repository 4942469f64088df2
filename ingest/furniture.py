"""Running headers and footers: what repeats at the edge of neighbouring pages."""

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from statistics import median

from ingest.lines import Line
from ingest.page import Area, Page

EDGE = 0.09
NEIGHBOURS = 4
# On so many pages nearby, beside its own, a running line must stand; in short files on one.
REPEATS = 2
# In steps of 4 points.
TOLERANCE = 4
# Letters of a border: how many at least, and how much larger than the text.
BORDER_LETTERS = 8
BORDER_SIZE = 1.8
# What some publishers print beside the page label: which change of the manual the page belongs to.
_CHANGE = re.compile(
    r"^(?:change|rev(?:ision)?\.?)\s+[\w.]{1,3}\s+|\s+(?:change|rev(?:ision)?\.?)\s+[\w.]{1,3}$", re.I
)
_LABEL = re.compile(
    r"^(?:page|seite|index|第)?\s*[-–—]?\s*(?:[A-Z]{0,3}[-.]?\d{1,4}(?:[-–.]\d{1,4}){0,2}|[ivxlc]{1,7}|[a-z])"
    r"\s*[-–—]?\s*(?:页)?(?:\s*(?:of|/|共)\s*\d+\s*页?)?(?:\s*/?\s*\([\w.-]+\s+blank\))?$",
    re.IGNORECASE,
)


def without_border(page: Page) -> Page:
    """A page without a frame of letters drawn around it ('XXXX' on pages for an emergency, say)."""
    sizes = [word.size for run in page.runs for word in run if len(word.text) > 1 and len(set(word.text)) > 1]
    if not sizes:
        return page
    large = BORDER_SIZE * median(sizes)
    border = [w for run in page.runs for w in run if w.size > large and len(set(w.text)) == 1]
    letters = {w.text[0] for w in border}
    if len(letters) != 1 or sum(len(w.text) for w in border) < BORDER_LETTERS:
        return page
    kept = (tuple(w for w in run if w.size <= large or len(set(w.text)) > 1) for run in page.runs)
    return replace(page, runs=tuple(run for run in kept if run))


def content_areas(pages: Sequence[Page], lines_of_pages: Sequence[Sequence[Line]]) -> list[Area]:
    """For each page the area between running header and footer.

    A line counts as running when the same words (numbers aside) stand at the same height on two pages nearby,
    within the outer eleventh of the page; or when it is a page label alone at the very edge.
    """
    edges = [_edge_lines(page, lines) for page, lines in zip(pages, lines_of_pages, strict=True)]
    seen: dict[tuple[str, int], list[int]] = defaultdict(list)
    for index, lines in enumerate(edges):
        for line in lines:
            for height in range(-TOLERANCE, TOLERANCE + 1):
                seen[_pattern(line), round(line.y0 / 4) + height].append(index)
    areas = []
    for index, (page, lines) in enumerate(zip(pages, edges, strict=True)):
        top, bottom = 0.0, page.reading_height
        for line in lines:
            others = seen[_pattern(line), round(line.y0 / 4)]
            nearby = {other for other in others if 0 < abs(other - index) <= NEIGHBOURS}
            repeated = len(nearby) >= min(REPEATS, max(1, (len(pages) - 1) // 2))
            if not repeated and not _is_label(line):
                continue
            if line.y0 < page.reading_height / 2:
                top = max(top, line.y1)
            else:
                bottom = min(bottom, line.y0)
        areas.append(Area(0.0, top, page.reading_width, bottom))
    return [
        _without_label(page, lines, area)
        for page, lines, area in zip(pages, lines_of_pages, areas, strict=True)
    ]


def _is_label(line: Line) -> bool:
    return bool(_LABEL.match(_CHANGE.sub("", line.text.strip()).strip()))


def _edge_lines(page: Page, lines: Sequence[Line]) -> list[Line]:
    high, low = EDGE * page.reading_height, (1 - EDGE) * page.reading_height
    return [line for line in lines if line.y1 < high or line.y0 > low]


def _pattern(line: Line) -> str:
    return re.sub(r"\d+|\b[ivxlc]+\b", "#", line.text.strip().casefold())


def _without_label(page: Page, lines: Sequence[Line], area: Area) -> Area:
    """Pages that end early carry their label below the last paragraph, not at the edge."""
    inside = [line for line in lines if area.y0 < line.middle[1] < area.y1]
    if len(inside) < 2 or area.y1 < page.reading_height:
        return area
    last, before = inside[-1], inside[-2]
    centred = abs(last.middle[0] - page.reading_width / 2) < 0.06 * page.reading_width
    if centred and _is_label(last) and last.y0 - before.y1 > 0.4 * last.height:
        return Area(area.x0, area.y0, area.x1, last.y0)
    return area
