"""The picture of a cited page marks what the answer rests on, and no more where that can be told."""

import io
from pathlib import Path

import numpy as np
import pypdfium2
import pytest
from PIL import Image

from assistant.pages import PagePictures
from assistant.schema import Box

MANUALS = Path(__file__).parents[1] / "demo" / "built" / "manuals"
PRESS = MANUALS / "HP-250_hydraulic-press_rev-C.pdf"
MOULDER = MANUALS / "ZS-160_注塑机_rev-A.pdf"


def page_of(manual: Path, words: str) -> int:
    """The last page (1-based) that holds the words."""
    document = pypdfium2.PdfDocument(manual)
    try:
        pages = range(len(document))
        return max(n + 1 for n in pages if words in document[n].get_textpage().get_text_range())
    finally:
        document.close()


def marked_text(pictures: PagePictures, manual: Path, page: int, *texts: str) -> str:
    """What stands where the picture differs from the plain one, the whole page being the passage."""
    passage = [Box(page, 0.02, 0.02, 0.98, 0.98)]
    pixels, plain = (
        np.asarray(Image.open(io.BytesIO(picture)).convert("RGB"))
        for picture in (
            pictures.picture(manual, "a", page, passage, texts),
            pictures.picture(manual, "a", page),
        )
    )
    rows, columns = np.nonzero((pixels != plain).any(axis=2))
    document = pypdfium2.PdfDocument(manual)
    try:
        sheet = document[page - 1]
        width, height = sheet.get_size()
        x, y = width / pixels.shape[1], height / pixels.shape[0]
        left, right, top, bottom = columns.min() * x, columns.max() * x, rows.min() * y, rows.max() * y
        return sheet.get_textpage().get_text_bounded(left, height - bottom, right, height - top)
    finally:
        document.close()


@pytest.mark.parametrize(
    ("manual", "words", "row", "beside"),
    [
        (
            PRESS,
            "E-105",
            "Code: E-105 | Message: Pressure transducer B41 signal lost | Cause: 1. Cable broken",
            "do not only",
        ),
        (
            MOULDER,
            "注射油缸端盖",
            "编号: N12 | 连接部位: 注射油缸端盖 | 螺纹: M16 – 12.9 | 拧紧力矩: 285 N·m",
            "高压软管",
        ),
    ],
)
def test_a_row_is_marked_and_not_the_table(
    tmp_path: Path, manual: Path, words: str, row: str, beside: str
) -> None:
    page = page_of(manual, words)
    pictures = PagePictures(tmp_path)
    whole, narrow = marked_text(pictures, manual, page), marked_text(pictures, manual, page, row)
    assert words in whole and words in narrow
    assert beside in whole and beside not in narrow


def test_what_the_page_does_not_show_leaves_the_whole_passage_marked(tmp_path: Path) -> None:
    page = page_of(PRESS, "E-105")
    boxes = [Box(page, 0.1, 0.3, 0.9, 0.5)]
    pictures = PagePictures(tmp_path)
    whole = pictures.picture(PRESS, "a", page, boxes)
    for text in ("words that no page of this manual holds at all", "", "——"):
        assert pictures.picture(PRESS, "a", page, boxes, [text]) == whole


def test_places_of_other_pages_and_no_boxes_mark_nothing(tmp_path: Path) -> None:
    page = page_of(PRESS, "E-105")
    pictures = PagePictures(tmp_path)
    plain = pictures.picture(PRESS, "a", page)
    assert pictures.picture(PRESS, "a", page, [Box(page + 1, 0, 0, 1, 1)], ["E-105"]) == plain
