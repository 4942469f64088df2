"""From PDF user space (origin at the bottom left, before rotation) to reading space."""

import ctypes
from dataclasses import dataclass
from typing import Any

import pypdfium2.raw as raw

from ingest.page import Area, Turn, turned


@dataclass(frozen=True, slots=True)
class Space:
    """From PDF user space to reading space of one page."""

    origin: tuple[float, float]
    across: tuple[float, float]
    down: tuple[float, float]
    width: float
    height: float
    turn: Turn

    def area(self, left: float, bottom: float, right: float, top: float) -> Area:
        """A rectangle of user space in reading space."""
        xa, ya = self._point(left, bottom)
        xb, yb = self._point(right, top)
        return Area(min(xa, xb), min(ya, yb), max(xa, xb), max(ya, yb))

    def _point(self, x: float, y: float) -> tuple[float, float]:
        shown_x = self.origin[0] + x * self.across[0] + y * self.down[0]
        shown_y = self.origin[1] + x * self.across[1] + y * self.down[1]
        return turned(shown_x, shown_y, self.turn, self.width, self.height)


def space_of(page: Any, width: float, height: float, turn: Turn) -> Space:
    """The transformation of an open page, measured on three of its points.

    Args:
        page: of PDFium.
        width: of the page as shown, in points.
        height: likewise.
        turn: by which the page as shown is turned to be read.
    """
    scale = 100
    x, y = ctypes.c_int(), ctypes.c_int()

    def shown(px: float, py: float) -> tuple[float, float]:
        raw.FPDF_PageToDevice(page, 0, 0, round(width * scale), round(height * scale), 0, px, py, x, y)
        return x.value / scale, y.value / scale

    origin, right, up = shown(0, 0), shown(1000, 0), shown(0, 1000)
    across = ((right[0] - origin[0]) / 1000, (right[1] - origin[1]) / 1000)
    down = ((up[0] - origin[0]) / 1000, (up[1] - origin[1]) / 1000)
    return Space(origin, across, down, width, height, turn)
