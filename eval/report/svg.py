"""Plots as inline SVG, drawn without a library: lines, bars with intervals, and differences with intervals.

Colours come from the page's style sheet through classes; every text is escaped. Values are shares, 0 to 1,
unless said otherwise.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

WIDTH, HEIGHT = 640, 330
LEFT, RIGHT, TOP, BOTTOM = 66, 26, 14, 46
_PLOT_WIDTH, _PLOT_HEIGHT = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM
_MARKERS = ("circle", "square", "diamond", "triangle")


@dataclass(frozen=True, slots=True)
class Line:
    """A curve: its name, style class, and points (x, y) in the units of the axes."""

    name: str
    style: str
    points: Sequence[tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Tick:
    """A mark on an axis: where, in the axis' units, and what stands there."""

    at: float
    label: str


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar with its interval; None where nothing was measured."""

    style: str
    value: float | None
    low: float | None = None
    high: float | None = None
    title: str = ""


@dataclass(frozen=True, slots=True)
class Change:
    """A difference with its interval; `style` says 'better', 'worse' or 'same'."""

    label: str
    mean: float
    low: float
    high: float
    style: str


SHARES = tuple(Tick(step / 5, f"{step * 20} %") for step in range(6))


def lines(
    drawn: Sequence[Line], x_ticks: Sequence[Tick], x_label: str, y_label: str, *, dots: bool = True
) -> Markup:
    """Curves over shares; x runs from the first tick to the last.

    Args:
        drawn: the curves, each with a marker of its own so that colour is not needed to tell them apart.
        x_ticks: in the units of the points.
        x_label: below the axis.
        y_label: beside the axis.
        dots: draw a marker at each point, not only at the last.
    """
    first, last = x_ticks[0].at, x_ticks[-1].at

    def x(value: float) -> float:
        return LEFT + (value - first) / (last - first) * _PLOT_WIDTH

    body = [_frame(x_label, y_label)]
    body += [_x_tick(x(tick.at), tick.label) for tick in x_ticks]
    for number, line in enumerate(drawn):
        if not line.points:
            continue
        path = " ".join(f"{x(a):.1f},{_y(b):.1f}" for a, b in line.points)
        body.append(Markup('<polyline class="line {}" points="{}"/>').format(line.style, path))
        marker = _MARKERS[number % len(_MARKERS)]
        for a, b in line.points if dots else line.points[-1:]:
            body.append(_marker(marker, line.style, x(a), _y(b), f"{line.name}: {b * 100:.1f} %"))
    return _svg(body, HEIGHT, f"{y_label} over {x_label}")


def bars(groups: Sequence[tuple[str, Sequence[Bar]]], y_label: str) -> Markup:
    """Groups of bars with whiskers, a group a label."""
    body = [_frame("", y_label)]
    step = _PLOT_WIDTH / max(len(groups), 1)
    for number, (label, group) in enumerate(groups):
        start = LEFT + number * step
        body.append(_x_label(start + step / 2, label))
        width = step * 0.8 / max(len(group), 1)
        for place, bar in enumerate(group):
            if bar.value is not None:
                body.append(_bar(bar, start + step * 0.1 + place * width, width))
    return _svg(body, HEIGHT, y_label)


def changes(rows: Sequence[Change], x_label: str) -> Markup:
    """Differences around zero, one row each, in points of 100."""
    left, row = 230, 26
    height = TOP + len(rows) * row + BOTTOM
    reach = max([0.05, *(abs(end) for change in rows for end in (change.low, change.high))])

    def x(value: float) -> float:
        return left + (value / reach + 1) / 2 * (WIDTH - left - 70)

    end = TOP + len(rows) * row
    body = [
        Markup('<line class="zero" x1="{0:.1f}" x2="{0:.1f}" y1="{1}" y2="{2}"/>').format(x(0), TOP, end),
        *(
            Markup('<text class="tick" x="{:.1f}" y="{}" text-anchor="middle">{:+.0f}</text>').format(
                x(value), end + 16, value * 100
            )
            for value in (-reach, 0.0, reach)
        ),
        Markup('<text class="label" x="{:.1f}" y="{}" text-anchor="middle">{}</text>').format(
            x(0), height - 8, x_label
        ),
    ]
    for number, change in enumerate(rows):
        y = TOP + number * row + row / 2
        body += [
            Markup('<text class="tick" x="{}" y="{:.1f}" text-anchor="end">{}</text>').format(
                left - 10, y + 4, change.label
            ),
            Markup('<line class="whisker {}" x1="{:.1f}" x2="{:.1f}" y1="{:.1f}" y2="{:.1f}"/>').format(
                change.style, x(change.low), x(change.high), y, y
            ),
            Markup('<circle class="dot {}" cx="{:.1f}" cy="{:.1f}" r="4.5"/>').format(
                change.style, x(change.mean), y
            ),
            Markup('<text class="tick" x="{}" y="{:.1f}" text-anchor="end">{:+.1f}</text>').format(
                WIDTH - 8, y + 4, change.mean * 100
            ),
        ]
    return _svg(body, height, x_label)


def _y(share: float) -> float:
    return TOP + (1 - share) * _PLOT_HEIGHT


def _svg(body: Iterable[Markup], height: float, title: str) -> Markup:
    return Markup(
        '<svg viewBox="0 0 {} {:.0f}" role="img" xmlns="http://www.w3.org/2000/svg"><title>{}</title>{}</svg>'
    ).format(WIDTH, height, title, Markup("").join(body))


def _frame(x_label: str, y_label: str) -> Markup:
    parts = [
        Markup(
            '<line class="grid" x1="{0}" x2="{1}" y1="{2:.1f}" y2="{2:.1f}"/>'
            '<text class="tick" x="{3}" y="{4:.1f}" text-anchor="end">{5}</text>'
        ).format(LEFT, WIDTH - RIGHT, _y(tick.at), LEFT - 7, _y(tick.at) + 4, tick.label)
        for tick in SHARES
    ]
    parts.append(
        Markup('<text class="label" x="{}" y="{}" text-anchor="middle">{}</text>').format(
            LEFT + _PLOT_WIDTH / 2, HEIGHT - 6, x_label
        )
    )
    parts.append(
        Markup(
            '<text class="label" transform="translate(16 {}) rotate(-90)" text-anchor="middle">{}</text>'
        ).format(TOP + _PLOT_HEIGHT / 2, y_label)
    )
    return Markup("").join(parts)


def _x_tick(x: float, label: str) -> Markup:
    return Markup('<line class="grid" x1="{0:.1f}" x2="{0:.1f}" y1="{1}" y2="{2}"/>').format(
        x, HEIGHT - BOTTOM, HEIGHT - BOTTOM + 4
    ) + _x_label(x, label)


def _x_label(x: float, label: str) -> Markup:
    return Markup('<text class="tick" x="{:.1f}" y="{}" text-anchor="middle">{}</text>').format(
        x, HEIGHT - BOTTOM + 18, label
    )


def _bar(bar: Bar, x: float, width: float) -> Markup:
    assert bar.value is not None
    drawn = Markup(
        '<rect class="bar {}" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}"><title>{}</title></rect>'
    ).format(
        bar.style, x, _y(bar.value), max(width - 1.5, 1), max(_y(0) - _y(bar.value), 0.8), escape(bar.title)
    )
    if bar.low is None or bar.high is None:
        return drawn
    middle = x + (width - 1.5) / 2
    low, high = _y(bar.low), _y(bar.high)
    path = f"M{middle:.1f} {low:.1f}V{high:.1f}M{middle - 2:.1f} {low:.1f}h4M{middle - 2:.1f} {high:.1f}h4"
    return drawn + Markup('<path class="halo" d="{0}"/><path class="error" d="{0}"/>').format(path)


def _marker(shape: str, style: str, x: float, y: float, title: str) -> Markup:
    paths = {
        "circle": "M{x0:.1f} {y:.1f}a4 4 0 1 0 8 0a4 4 0 1 0 -8 0z",
        "square": "M{x0:.1f} {y0:.1f}h7.4v7.4h-7.4z",
        "diamond": "M{x:.1f} {y1:.1f}l5 5l-5 5l-5 -5z",
        "triangle": "M{x:.1f} {y1:.1f}l5 9h-10z",
    }
    path = paths[shape].format(x=x, y=y, x0=x - 4, y0=y - 3.7, y1=y - 5)
    return Markup('<path class="dot {}" d="{}"><title>{}</title></path>').format(style, path, title)
