"""What OCR read in a picture."""

from dataclasses import dataclass

from ingest.page import Turn

Corners = tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class TextLine:
    """A stretch of text as read.

    Attributes:
        corners: (x, y) of its four corners in pixels of the picture as given.
        confidence: 0..1.
    """

    corners: Corners
    text: str
    confidence: float


@dataclass(frozen=True, slots=True)
class Reading:
    """What stands in a picture.

    Attributes:
        turn: degrees by which the picture must be turned clockwise to be read.
        skew: degrees by which its lines then fall to the right.
    """

    lines: tuple[TextLine, ...] = ()
    turn: Turn = 0
    skew: float = 0.0
