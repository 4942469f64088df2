"""Rules and frames of a page -> grids: full-width lines, one under the other, that may carry a table."""

from collections.abc import Sequence
from dataclasses import dataclass

from ingest.page import Area, Page, Word

SAME = 4.0
MIN_WIDTH = 60.0
# Share of a grid's height over which a vertical line, or the edges of shaded cells, must run.
MIN_WALL = 0.34
# So many points beyond the last rule, verticals tell that the table goes on.
OPEN_END = 10.0
# The widest gap between two words of one sentence, in font heights.
SPACE = 0.36


@dataclass(frozen=True, slots=True)
class Grid:
    """Full-width horizontal rules and the vertical ones between them.

    Attributes:
        levels: heights of the horizontal rules, top to bottom.
        verticals: vertical rules, zero wide.
    """

    x0: float
    x1: float
    levels: tuple[float, ...]
    verticals: tuple[Area, ...]

    def walls(self, top: float, bottom: float) -> list[float]:
        """Places of inner vertical rules, or edges of shaded cells, that run over enough of a height."""
        found: list[tuple[float, float]] = []
        for x, length in sorted((v.x0, min(v.y1, bottom) - max(v.y0, top)) for v in self.verticals):
            if length <= 0 or not self._is_inner(x):
                continue
            if found and x - found[-1][0] <= SAME:
                found[-1] = (found[-1][0], found[-1][1] + length)
            else:
                found.append((x, length))
        return [x for x, length in found if length > MIN_WALL * (bottom - top)]

    def is_open_at(self, y: float) -> bool:
        """True when no inner vertical rule crosses this height."""
        return not any(v.y0 < y < v.y1 and self._is_inner(v.x0) for v in self.verticals)

    def is_crossed(self, words: Sequence[Word], y: float) -> bool:
        """True when half of the lines at a height run on, with no more than a space, over the nearest walls.

        Walls stand above and below; where both do, both must be crossed.
        """
        inner = [v for v in self.verticals if self._is_inner(v.x0)]
        end = max((v.y1 for v in inner if v.y1 <= y), default=0.0)
        start = min((v.y0 for v in inner if v.y0 >= y), default=0.0)
        walls = (
            {v.x0 for v in inner if v.y1 <= y and end - v.y1 < SAME},
            {v.x0 for v in inner if v.y0 >= y and v.y0 - start < SAME},
        )
        lines = _lines(words)
        crossed = [
            2 * sum(any(a < x < b for x in xs for a, b in line) for line in lines) >= len(lines) > 0
            for xs in walls
            if xs
        ]
        return bool(crossed) and all(crossed)

    def _is_inner(self, x: float) -> bool:
        return self.x0 + SAME < x < self.x1 - SAME


def find_grids(page: Page, drawings: Sequence[Area]) -> list[Grid]:
    """All grids of a page, widest first; what belongs to a drawing is left out."""
    rules = [r for r in page.rules if not any(d.holds(r) for d in drawings)]
    frames = [f for f in page.frames if not any(d.holds(f) for d in drawings)]
    flat = [(r.x0, r.x1, r.middle[1]) for r in rules if r.width > r.height]
    tall = [(r.y0, r.y1, r.middle[0]) for r in rules if r.height > r.width]
    for frame in frames:
        flat += [(frame.x0, frame.x1, frame.y0), (frame.x0, frame.x1, frame.y1)]
        tall += [(frame.y0, frame.y1, frame.x0), (frame.y0, frame.y1, frame.x1)]
    lines = _merged(flat)
    verticals = [Area(x, y0, x, y1) for y0, y1, x in _merged(tall) if y1 - y0 >= 8]
    grids = []
    while lines:
        x0, x1, _ = max(lines, key=lambda line: line[1] - line[0])
        same = [line for line in lines if abs(line[0] - x0) <= SAME and abs(line[1] - x1) <= SAME]
        lines = [line for line in lines if line not in same]
        if len(same) >= 2 and x1 - x0 >= MIN_WIDTH:
            between = tuple(v for v in verticals if x0 - SAME <= v.x0 <= x1 + SAME)
            grids.append(Grid(x0, x1, _levels(sorted(line[2] for line in same), between, x0, x1), between))
    return grids


def _levels(levels: list[float], verticals: Sequence[Area], x0: float, x1: float) -> tuple[float, ...]:
    """Heights of the rules, and of the ends of verticals beyond them: a table that the page cuts."""
    inner = [v for v in verticals if x0 + SAME < v.x0 < x1 - SAME and v.y0 < levels[-1] and v.y1 > levels[0]]
    for ends, level in (([v.y0 for v in inner], levels[0]), ([v.y1 for v in inner], levels[-1])):
        beyond = [y for y in ends if (y < level - OPEN_END if level == levels[0] else y > level + OPEN_END)]
        if len(beyond) >= 2:
            levels = sorted([*levels, min(beyond) if level == levels[0] else max(beyond)])
    return tuple(levels)


def _lines(words: Sequence[Word]) -> list[list[tuple[float, float]]]:
    """For each line the extents of its words, joined over gaps that only part words."""
    lines: list[list[tuple[float, float]]] = []
    last: Word | None = None
    for word in sorted(words, key=lambda w: (round(w.middle[1] / 3), w.x0)):
        if last is None or abs(word.middle[1] - last.middle[1]) > 0.4 * word.height:
            lines.append([(word.x0, word.x1)])
        elif word.x0 - last.x1 < SPACE * word.size:
            lines[-1][-1] = (lines[-1][-1][0], word.x1)
        else:
            lines[-1].append((word.x0, word.x1))
        last = word
    return lines


Stroke = tuple[float, float, float]


def _merged(strokes: Sequence[Stroke]) -> list[Stroke]:
    """Joins collinear pieces (start, end, position) that touch."""
    result: list[Stroke] = []
    levels: list[list[Stroke]] = []
    for stroke in sorted(strokes, key=lambda stroke: stroke[2]):
        if levels and stroke[2] - levels[-1][-1][2] <= 2.0:
            levels[-1].append(stroke)
        else:
            levels.append([stroke])
    for level in levels:
        current: Stroke | None = None
        for stroke in sorted(level):
            if current and stroke[0] <= current[1] + 3.0:
                current = (current[0], max(current[1], stroke[1]), current[2])
            else:
                if current:
                    result.append(current)
                current = stroke
        if current:
            result.append(current)
    return result
