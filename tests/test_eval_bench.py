"""The benchmark measures what it says: the same pages for both, a library that was really killed."""

from pathlib import Path

import pypdfium2

from eval.bench.bulk import SECTIONS, measure_bulk, write_library
from eval.bench.ingesting import copy_text_pages
from eval.bench.plant import MANUALS


def test_pages_of_pictures_are_left_out_and_all_others_stay(tmp_path: Path) -> None:
    whole = pypdfium2.PdfDocument(MANUALS / "HP-250_hydraulic-press_rev-C.pdf")
    kept = copy_text_pages(MANUALS / "HP-250_hydraulic-press_rev-C.pdf", tmp_path / "text.pdf")
    written = pypdfium2.PdfDocument(tmp_path / "text.pdf")
    assert 0 < kept < len(whole) and len(written) == kept
    assert all(written[number].get_textpage().count_chars() > 40 for number in range(kept))


def test_a_library_is_the_same_every_time(tmp_path: Path) -> None:
    for name in ("one", "two"):
        write_library(tmp_path / name, 1)
    one, two = ((tmp_path / name / "manual-0000.md").read_bytes() for name in ("one", "two"))
    assert one == two and one.count(b"\n## ") == SECTIONS


def test_a_killed_ingest_taken_up_again_loses_nothing(tmp_path: Path) -> None:
    figures = measure_bulk(tmp_path, 4 * SECTIONS)
    assert figures.published_before_kill < figures.files == 4, "the process ended before it was killed"
    assert figures.unchanged_after >= 1
    assert (figures.held, figures.unfinished) == (figures.expected, 0)
