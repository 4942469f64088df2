"""Where a page shows pictures that may hold text."""

from ingest.page import Area, Page, around

# Points; a smaller picture holds no text worth the reading.
MIN_WIDTH, MIN_HEIGHT = 60.0, 18.0
# A picture this large over so many characters of text is a scan with a text layer of its own.
SCAN, SCAN_CHARACTERS = 0.8, 100
# Points between the edges of strips of one picture.
STRIP, TOUCHING = 2.0, 1.0
# More pictures than this on one page are tiles of a pattern; joining them would take long.
MAX_IMAGES = 200


def picture_areas(page: Page) -> list[Area]:
    """Where a page shows pictures large enough to hold text; strips of one picture are joined.

    Scans that carry a text layer are left out.
    """
    areas: list[Area] = []
    for image in page.images[:MAX_IMAGES]:
        inside = Area(
            max(0.0, image.x0),
            max(0.0, image.y0),
            min(page.reading_width, image.x1),
            min(page.reading_height, image.y1),
        )
        if inside.width > 0 and inside.height > 0:
            areas = _joined(areas, inside)
    full = page.reading_width * page.reading_height
    return [
        area
        for area in areas
        if area.width >= MIN_WIDTH
        and area.height >= MIN_HEIGHT
        and not (area.width * area.height > SCAN * full and page.characters > SCAN_CHARACTERS)
    ]


def _joined(areas: list[Area], new: Area) -> list[Area]:
    """Areas with a new one; those it touches along a whole side are strips of the same picture."""
    for index, area in enumerate(areas):
        if _belong_together(area, new):
            return _joined(areas[:index] + areas[index + 1 :], around((area, new)))
    return [*areas, new]


def _belong_together(one: Area, two: Area) -> bool:
    gap_y = max(one.y0, two.y0) - min(one.y1, two.y1)
    gap_x = max(one.x0, two.x0) - min(one.x1, two.x1)
    if max(gap_x, gap_y) < 0 and (one.holds(two, slack=0) or two.holds(one, slack=0)):
        return True
    stacked = abs(one.x0 - two.x0) < STRIP and abs(one.x1 - two.x1) < STRIP and gap_y < TOUCHING
    beside = abs(one.y0 - two.y0) < STRIP and abs(one.y1 - two.y1) < STRIP and gap_x < TOUCHING
    return stacked or beside
