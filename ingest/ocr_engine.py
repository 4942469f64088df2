"""RapidOCR on OpenVINO: a picture -> lines of text with places (PP-OCR models inside the package, en and zh).

Reading a page is split into its two networks. Detection finds text boxes; from them follow which way up the
picture is and how far it leans. Recognition then reads each box. Pictures are padded to few shapes, because
OpenVINO compiles and keeps one program for each shape: that bounds memory and time.
"""

from functools import lru_cache
from statistics import median

import numpy as np
from numpy.typing import NDArray

from assistant.errors import MissingExtraError
from ingest.page import Turn
from ingest.reading import Corners, Reading, TextLine

Picture = NDArray[np.uint8]
# Four corners (x, y) of a text box in pixels, clockwise from the start of its line.
Quad = NDArray[np.float32]

# Pixels that the sides of pictures are padded to; longer ones to a multiple of the first.
SIDES = (256, 512, 768, 1024, 1280, 1664)
# Widths of text lines are multiples of this many pixels.
WIDTH_STEP, MAX_WIDTH = 160, 3200
LINE_HEIGHT = 48
# A text box this many times as long as it is high shows which way its line runs.
LONG = 2.0
# So many of the longest boxes are asked whether they stand on their head.
SAMPLE = 9
# Degrees; less than the least cannot be measured, more than the most is no skew but slanted writing.
MIN_SKEW, MAX_SKEW = 0.15, 15.0
TURNED_CONFIDENCE = 0.7
# Words are looked for at this part of the resolution they are read at.
GLANCE = 0.5
# A box this many times as wide as high holds a word rather than the number of a callout.
WORD = 2.2
# Text that the model doubts more than this is left out rather than cited.
MIN_CONFIDENCE = 0.5


class TextReader:
    """Finds and reads text in pictures (height x width x 3, RGB, uint8)."""

    def __init__(self) -> None:
        """Loads the models (about 0.5 s and 500 MB).

        Raises:
            MissingExtraError: package rapidocr or openvino is not installed.
        """
        try:
            import openvino  # noqa: F401
            from rapidocr import EngineType, RapidOCR
        except ImportError as problem:
            raise MissingExtraError(
                f"Package {problem.name} is missing", "Install it: pip install rapidocr openvino"
            ) from problem
        engine = EngineType.OPENVINO
        self._ocr = RapidOCR(
            params={
                "Global.log_level": "error",
                "Global.use_vertical_padding": False,
                "Det.engine_type": engine,
                "Cls.engine_type": engine,
                "Rec.engine_type": engine,
                # Pictures come at the size they are to be read at.
                "Det.limit_side_len": 32,
                "Rec.rec_batch_num": 1,
            }
        )

    def glance(self, picture: Picture) -> list[Corners]:
        """Where words seem to stand, from a quick look at part of the resolution.

        The numbers of callouts are left out.

        Returns:
            For each its corners (x, y) in pixels of the picture.
        """
        import cv2

        small = cv2.resize(picture, None, fx=GLANCE, fy=GLANCE, interpolation=cv2.INTER_AREA)
        boxes = self._find(np.asarray(small, np.uint8))
        return [
            _corners(box / np.float32(GLANCE)) for box in boxes if max(_sides(box)) >= WORD * min(_sides(box))
        ]

    def read(self, picture: Picture) -> Reading:
        """Reads a picture, whichever way up it is."""
        boxes = self._find(picture)
        if not boxes:
            return Reading()
        upright, placed, turn = self._upright(picture, boxes)
        lines = tuple(
            TextLine(_corners(box), text.strip(), confidence)
            for box, (text, confidence) in zip(boxes, self._texts(upright, placed), strict=True)
            if confidence >= MIN_CONFIDENCE and text.strip()
        )
        return Reading(lines, turn, _skew(placed))

    def _find(self, picture: Picture) -> list[Quad]:
        from rapidocr.main import RapidOCRError

        try:
            _, found = self._ocr.detect_and_crop(_padded(picture), {})
        except RapidOCRError:
            # Its way to say that there is no text.
            return []
        height, width = picture.shape[:2]
        boxes = [] if found.boxes is None else [np.asarray(box, np.float32) for box in found.boxes]
        return [box for box in boxes if box[0][0] < width and box[0][1] < height]

    def _upright(self, picture: Picture, boxes: list[Quad]) -> tuple[Picture, list[Quad], Turn]:
        """The picture and its boxes turned so that most text stands upright."""
        sideways = sum(_length(b) for b in boxes if _is_tall(b)) > sum(
            _length(b) for b in boxes if not _is_tall(b)
        )
        turn: Turn = 270 if sideways else 0
        turned, placed = _turned(picture, boxes, turn)
        # Two letters alone may read either way up: 'ua', 'en'.
        telling = [box for box in placed if _sides(box)[0] >= LONG * _sides(box)[1]]
        longest = sorted(telling, key=_length, reverse=True)[:SAMPLE]
        if 2 * sum(self._stands_on_head(_crop(turned, box)) for box in longest) > len(longest):
            turn = 90 if sideways else 180
            turned, placed = _turned(picture, boxes, turn)
        return turned, placed, turn

    def _stands_on_head(self, crop: Picture) -> bool:
        _, found = self._ocr.cls_and_rotate([crop])
        label, confidence = (found.cls_res or [("0", 0.0)])[0]
        return bool(label == "180" and confidence > TURNED_CONFIDENCE)

    def _texts(self, picture: Picture, boxes: list[Quad]) -> list[tuple[str, float]]:
        """Text and confidence of each box; labels written sideways are tried both ways up."""
        crops = [_crop(picture, box) for box in boxes]
        for index, box in enumerate(boxes):
            if _is_tall(box) and self._stands_on_head(crops[index]):
                crops[index] = np.ascontiguousarray(np.rot90(crops[index], 2))
        found = self._ocr.recognize_txt([_fitted(crop) for crop in crops])
        texts, scores = found.txts or (), found.scores or ()
        return [(str(text), float(score)) for text, score in zip(texts, scores, strict=True)]


@lru_cache(maxsize=1)
def text_reader() -> TextReader:
    """The reader of this process, loaded when first needed."""
    return TextReader()


def _padded(picture: Picture) -> Picture:
    import cv2

    height, width = picture.shape[:2]
    # RapidOCR expects the order of colours that OpenCV uses.
    picture = np.ascontiguousarray(picture[:, :, ::-1])
    down, right = _full(height) - height, _full(width) - width
    return np.asarray(cv2.copyMakeBorder(picture, 0, down, 0, right, cv2.BORDER_REPLICATE), np.uint8)


def _full(side: int) -> int:
    return next((full for full in SIDES if side <= full), -(-side // SIDES[0]) * SIDES[0])


def _crop(picture: Picture, corners: Quad) -> Picture:
    """The box cut out and laid flat; a tall one is turned to the left."""
    from rapidocr.utils.process_img import get_rotate_crop_image

    return np.asarray(get_rotate_crop_image(picture, corners.copy()), np.uint8)


def _fitted(crop: Picture) -> Picture:
    """A text line at the height of the model, its width padded to a multiple of WIDTH_STEP."""
    import cv2

    height, width = crop.shape[:2]
    width = min(MAX_WIDTH, max(8, round(width * LINE_HEIGHT / max(1, height))))
    # The width below which RapidOCR pads by itself.
    full = max(2 * WIDTH_STEP, -(-width // WIDTH_STEP) * WIDTH_STEP)
    line = np.full((LINE_HEIGHT, full, 3), 127, np.uint8)
    line[:, :width] = cv2.resize(np.ascontiguousarray(crop[:, :, ::-1]), (width, LINE_HEIGHT))
    return line


def _corners(box: Quad) -> Corners:
    return tuple((float(x), float(y)) for x, y in box)


def _sides(corners: Quad) -> tuple[float, float]:
    return float(np.linalg.norm(corners[1] - corners[0])), float(np.linalg.norm(corners[3] - corners[0]))


def _length(corners: Quad) -> float:
    return max(_sides(corners))


def _is_tall(corners: Quad) -> bool:
    across, down = _sides(corners)
    return down >= 1.5 * across


def _turned(picture: Picture, boxes: list[Quad], turn: Turn) -> tuple[Picture, list[Quad]]:
    """Picture and boxes turned clockwise; each box starts again at its top left corner."""
    if not turn:
        return picture, boxes
    height, width = picture.shape[:2]
    steps = turn // 90
    placed = []
    for box in boxes:
        x, y = box[:, 0], box[:, 1]
        points = {90: (height - y, x), 180: (width - x, height - y), 270: (y, width - x)}[turn]
        corners = np.stack(points, axis=1).astype(np.float32)
        placed.append(np.roll(corners, steps, axis=0))
    return np.ascontiguousarray(np.rot90(picture, -steps)), placed


def _skew(boxes: list[Quad]) -> float:
    """Middle angle of the long boxes, in degrees; 0 where it cannot be told or is no skew."""
    angles = []
    for box in boxes:
        across, down = _sides(box)
        if across > 3 * LONG * down:
            (xa, ya), (xb, yb) = box[0], box[1]
            angles += [float(np.degrees(np.arctan2(yb - ya, xb - xa)))] * max(1, int(across / 50))
    angle = median(angles) if angles else 0.0
    return round(angle, 2) if MIN_SKEW <= abs(angle) <= MAX_SKEW else 0.0
