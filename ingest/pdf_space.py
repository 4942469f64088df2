"""From PDF user space (origin at the bottom left, before rotation) to reading space."""

import ctypes
from dataclasses import dataclass
from typing import Any

import pypdfium2.raw as raw

from ingest.page import Area, Turn, turned


@dataclass(frozen=True, slots=True)
class Space:
    """The affine map of one page: x' = xx x + xy y + x0, y' = yx x + yy y + y0, in points."""

    xx: float
    xy: float
    x0: float
    yx: float
    yy: float
    y0: float

    def area(self, left: float, bottom: float, right: float, top: float) -> Area:
        """A rectangle of user space in reading space."""
        if self.xy == 0 and self.yx == 0 and self.xx > 0 and self.yy < 0 and left <= right and bottom <= top:
            # Nearly every page: upright, so that only the vertical axis turns over.
            x0, y0 = self.xx * left + self.x0, self.yy * top + self.y0
            return Area(x0, y0, self.xx * right + self.x0, self.yy * bottom + self.y0)
        xa = self.xx * left + self.xy * bottom + self.x0
        xb = self.xx * right + self.xy * top + self.x0
        ya = self.yx * left + self.yy * bottom + self.y0
        yb = self.yx * right + self.yy * top + self.y0
        return Area(
            xa if xa < xb else xb, ya if ya < yb else yb, xb if xa < xb else xa, yb if ya < yb else ya
        )


def space_of(page: Any, width: float, height: float, turn: Turn) -> Space:
    """The map of an open page, measured on three of its points.

    Args:
        page: of PDFium.
        width: of the page as shown, in points.
        height: likewise.
        turn: by which the page as shown is turned to be read.
    """
    scale, reach = 100, 1000
    x, y = ctypes.c_int(), ctypes.c_int()

    def placed(px: float, py: float) -> tuple[float, float]:
        raw.FPDF_PageToDevice(page, 0, 0, round(width * scale), round(height * scale), 0, px, py, x, y)
        return turned(x.value / scale, y.value / scale, turn, width, height)

    (x0, y0), (xa, ya), (xb, yb) = placed(0, 0), placed(reach, 0), placed(0, reach)
    return Space((xa - x0) / reach, (xb - x0) / reach, x0, (ya - y0) / reach, (yb - y0) / reach, y0)
