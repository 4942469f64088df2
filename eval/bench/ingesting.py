"""Pages per second, Lineside beside the stock script: both get the same files, taking turns.

Pages that are pictures are left out of the files: the stock script reads nothing there, we use OCR.
"""

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pypdfium2 as pdfium

from assistant.errors import InputError
from eval.bench.plant import environment_for, run_module

ROUNDS = 2
# A page with fewer characters in its text layer is a picture, a plate or empty.
FEWEST_CHARACTERS = 40


@dataclass(frozen=True, slots=True)
class IngestFigures:
    """Seconds for the same pages, the better of the rounds each; with and without starting and loading.

    Attributes:
        parse_s, stock_parse_s: reading alone.
        work_s, stock_work_s: reading, cutting, embedding and storing.
        total_s, stock_total_s: the same as a process of its own.
        rss_mb, child_rss_mb: largest memory of our process, and of a parser.
    """

    pages: int
    chunks: int
    parse_s: float
    stock_parse_s: float
    work_s: float
    stock_work_s: float
    total_s: float
    stock_total_s: float
    rss_mb: float
    child_rss_mb: float


def measure_ingest(manuals: Sequence[Path], folder: Path) -> IngestFigures:
    """Times both ways over the pages with a text layer.

    Args:
        manuals: PDFs.
        folder: empty, for the files and stores of the run.

    Raises:
        InputError: no page has a text layer.
        LinesideError: one of the two failed.
    """
    files = folder / "text-pages"
    files.mkdir(parents=True)
    pages = sum(copy_text_pages(manual, files / manual.name) for manual in manuals)
    if not pages:
        raise InputError("The manuals hold no page with a text layer", "Name other manuals.")
    rounds = [_round(files, folder / f"round-{number}") for number in range(ROUNDS)]
    ours, stock = [one for one, _ in rounds], [other for _, other in rounds]
    return IngestFigures(
        pages=pages,
        chunks=ours[0]["chunks"],
        parse_s=_least(ours, "parse_s"),
        stock_parse_s=_least(stock, "parse_s"),
        work_s=_least(ours, "work_s"),
        stock_work_s=_least(stock, "work_s"),
        total_s=_least(ours, "total_s"),
        stock_total_s=_least(stock, "total_s"),
        rss_mb=max(one["rss_mb"] for one in ours),
        child_rss_mb=max(one["child_rss_mb"] for one in ours),
    )


def copy_text_pages(source: Path, target: Path) -> int:
    """Writes a PDF of the pages that have text, if any; returns how many."""
    with pdfium.PdfDocument(source) as whole, pdfium.PdfDocument.new() as part:
        kept = [number for number in range(len(whole)) if _characters(whole[number]) >= FEWEST_CHARACTERS]
        if kept:
            part.import_pages(whole, kept)
            part.save(target)
    return len(kept)


def _round(files: Path, home: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    home.mkdir()
    environment = environment_for(home, LINESIDE_INGEST_OCR="off")
    stock = _timed("eval.bench.stock", [str(files), str(home / "stock")], environment)
    ours = _timed("ingest.timed", ["ingest", str(files)], environment)
    parsed = json.loads(run_module("ingest.timed", ["parse", str(files)], environment))
    return ours | parsed, stock


def _timed(module: str, arguments: Sequence[str], environment: dict[str, str]) -> dict[str, Any]:
    start = time.perf_counter()
    figures: dict[str, Any] = json.loads(run_module(module, arguments, environment))
    return figures | {"total_s": time.perf_counter() - start}


def _characters(page: Any) -> int:
    text = page.get_textpage()
    try:
        return len("".join(text.get_text_range().split()))
    finally:
        text.close()
        page.close()


def _least(rounds: Sequence[dict[str, Any]], key: str) -> float:
    return float(min(one[key] for one in rounds))
