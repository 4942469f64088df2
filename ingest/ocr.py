"""Pages that are pictures, read by RapidOCR (PP-OCR models inside the package; English and Chinese)."""

from functools import lru_cache
from typing import Any

from assistant.errors import MissingExtraError
from ingest.page import Page, Word
from ingest.pdf import PdfFile

DPI = 150
# A page with fewer characters than this, mostly covered by a picture, has no text layer worth the name.
FEW_CHARACTERS = 30
COVERED = 0.5
# Text boxes that OCR doubts more than this are left out rather than cited.
MIN_CONFIDENCE = 0.5


def needs_ocr(page: Page) -> bool:
    """True for a page that shows a picture where its text should be."""
    return page.characters < FEW_CHARACTERS and page.picture >= COVERED


def read_picture(pdf: PdfFile, page: Page) -> Page:
    """The page with words read from its picture; each text box of OCR is one run.

    Raises:
        MissingExtraError: package rapidocr is not installed.
    """
    image = pdf.picture(page.number, DPI)
    height, width = image.shape[:2]
    result = _engine()(image)
    runs = []
    if result.boxes is not None:
        for corners, text, score in zip(result.boxes, result.txts, result.scores, strict=True):
            if score < MIN_CONFIDENCE or not text.strip():
                continue
            xs = [float(x) * page.width / width for x, _ in corners]
            ys = [float(y) * page.height / height for _, y in corners]
            runs.append(_words(text, min(xs), min(ys), max(xs), max(ys)))
    return Page(page.number, page.width, page.height, tuple(runs), picture=page.picture, ocr=True)


def _words(text: str, x0: float, y0: float, x1: float, y1: float) -> tuple[Word, ...]:
    """One word for each piece between spaces, placed in proportion to its letters."""
    unit = (x1 - x0) / max(1, len(text))
    words, at = [], 0
    for piece in text.split(" "):
        if piece:
            start = x0 + at * unit
            words.append(Word(start, y0, start + len(piece) * unit, y1, piece, round(y1 - y0, 1)))
        at += len(piece) + 1
    return tuple(words)


@lru_cache(maxsize=1)
def _engine() -> Any:
    try:
        from rapidocr import RapidOCR
    except ImportError as problem:
        raise MissingExtraError(
            "Package rapidocr is missing", "Install it: pip install rapidocr onnxruntime"
        ) from problem
    return RapidOCR(params={"Global.log_level": "error"})
