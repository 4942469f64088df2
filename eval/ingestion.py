"""How well manuals were cut: table rows kept whole, notices found and tied, reading order.

The manuals are ingested by `lineside ingest` into a home of their own, and what is judged are the passages as
stored. The truth holds page numbers and key words only: `eval/data/ingestion/README.md` says whose.

    python -m eval.ingestion --data ../shared/data
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from pathlib import Path
from typing import Any

from assistant.app import open_lineside
from assistant.errors import InputError
from assistant.schema import Chunk
from assistant.settings import load_settings

TRUTH = Path(__file__).parent / "data" / "ingestion"
ROWS = ("compressor_rows", "generator_rows", "table_rows")
MANUALS = "manuals"
SCAN, SCAN_TEXT = "robustness/scanned_pdf/linn.pdf", "robustness/scanned_pdf/linn.txt"


@dataclass(frozen=True, slots=True)
class RowTruth:
    """A row of a table: the key words of its cells, which one passage must hold together.

    Attributes:
        page: on which it stands; 0 for anywhere in the document.
        together: key words of each cell, without regard to case.
    """

    document: str
    page: int
    together: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class NoticeTruth:
    """A safety notice.

    Attributes:
        level: its signal word.
        words: key words from its beginning to its end.
        belongs: key words of the heading, step or row that it holds for; empty for one that stands alone.
    """

    document: str
    page: int
    level: str
    words: tuple[str, ...]
    belongs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Share:
    """How many of the things looked for were right, and which were not."""

    right: int
    asked: int
    misses: tuple[str, ...]

    def document(self) -> dict[str, Any]:
        """As printed."""
        share = round(self.right / self.asked, 4) if self.asked else None
        return {"share": share, "right": self.right, "asked": self.asked, "misses": list(self.misses)}


def read_rows(path: Path) -> list[RowTruth]:
    """Reads a truth file of rows."""
    return [
        RowTruth(e["document"], e["page"], tuple(tuple(words) for words in e["together"]))
        for e in _entries(path)
    ]


def read_notices(path: Path) -> list[NoticeTruth]:
    """Reads a truth file of notices."""
    return [
        NoticeTruth(e["document"], e["page"], e["level"], tuple(e["words"]), tuple(e["belongs"]))
        for e in _entries(path)
    ]


def rows_kept(truth: Sequence[RowTruth], chunks: Iterable[Chunk]) -> Share:
    """Share of rows of which one line of a passage on their page holds the key words of every cell.

    A passage may gather rows, a line each; what belongs to one row only must still stand on one line.
    """
    pages = _by_page(chunks)
    misses = []
    for row in truth:
        words = [word for cell in row.together for word in cell]
        found = pages.get((row.document, row.page), ())
        if not any(_holds(line, words) for chunk in found for line in _rows(chunk)):
            misses.append(f"{row.document} p{row.page}: {' | '.join(map(' '.join, row.together))}")
    return Share(len(truth) - len(misses), len(truth), tuple(misses))


def notices_found(truth: Sequence[NoticeTruth], chunks: Iterable[Chunk]) -> tuple[Share, Share]:
    """Share of notices found with level and whole text, and share of those tied to what they hold for."""
    chunks = list(chunks)
    pages = _by_page(chunks)
    lost, loose = [], []
    for notice in truth:
        name = f"{notice.document} p{notice.page}: {notice.level} {' '.join(notice.words)}"
        found = [
            chunk
            for chunk in pages.get((notice.document, notice.page), ())
            if chunk.kind == "notice" and chunk.signal == notice.level and _holds(chunk.text, notice.words)
        ]
        if not found:
            lost.append(name)
        elif not any(_is_tied(chunk, notice.belongs, chunks) for chunk in found):
            loose.append(f"{name} -> {' '.join(notice.belongs)}")
    right = len(truth) - len(lost)
    return Share(right, len(truth), tuple(lost)), Share(right - len(loose), right, tuple(loose))


def order_kept(text: str, chunks: Iterable[Chunk]) -> float:
    """Similarity (0..1) of the order of words in the passages to that of the text."""
    wanted = re.findall(r"\w+", text.casefold())
    found = re.findall(r"\w+", "\n".join(_whole(chunk) for chunk in chunks).casefold())
    return SequenceMatcher(None, wanted, found, autojunk=False).ratio()


def _entries(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def _by_page(chunks: Iterable[Chunk]) -> Mapping[tuple[str, int], list[Chunk]]:
    pages: dict[tuple[str, int], list[Chunk]] = {}
    for chunk in chunks:
        for page in (0, *range(chunk.page, chunk.page_last + 1)):
            pages.setdefault((Path(chunk.document).name, page), []).append(chunk)
    return pages


def _rows(chunk: Chunk) -> Sequence[str]:
    return chunk.text.split("\n") if chunk.kind == "table" else (chunk.text,)


def _holds(text: str, words: Sequence[str]) -> bool:
    """True when all words stand in the text as words of their own, in any form of their case."""
    return all(re.search(_whole_word(word), text, re.IGNORECASE) for word in words)


def _whole_word(word: str) -> str:
    before = r"(?<![a-z0-9])" if re.match(r"[a-z0-9]", word, re.IGNORECASE) else ""
    after = r"(?![a-z0-9])" if re.search(r"[a-z0-9]$", word, re.IGNORECASE) else ""
    return before + re.escape(word) + after


def _is_tied(notice: Chunk, belongs: Sequence[str], chunks: Sequence[Chunk]) -> bool:
    """True when the notice's own section, or a passage that names the notice, holds the key words."""
    if not belongs or _holds(notice.heading, belongs):
        return True
    return any(notice.id in chunk.notices and _holds(_whole(chunk), belongs) for chunk in chunks)


def _whole(chunk: Chunk) -> str:
    return f"{chunk.section[-1] if chunk.section else ''}\n{chunk.text}"


def stored_chunks(files: Sequence[Path]) -> list[Chunk]:
    """Ingests files into a home of their own and returns the passages as they are stored.

    Raises:
        InputError: a file was rejected.
    """
    with tempfile.TemporaryDirectory() as home:
        env = {**os.environ, "LINESIDE_HOME": home}
        command = [sys.executable, "-m", "assistant", "ingest", "--json", *map(str, files)]
        done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
        if done.returncode:
            raise InputError("A manual could not be ingested", done.stderr.strip()[-400:])
        before = os.environ.get("LINESIDE_HOME")
        os.environ["LINESIDE_HOME"] = home
        try:
            with open_lineside(load_settings()) as lineside:
                revisions = lineside.catalogue.revisions("visible")
                return [c for r in revisions for c in lineside.store.section(r.id, 0, 1_000_000)]
        finally:
            if before is None:
                del os.environ["LINESIDE_HOME"]
            else:
                os.environ["LINESIDE_HOME"] = before


def measure(data: Path) -> dict[str, Any]:
    """Ingests the manuals below a data folder and judges what is stored.

    Raises:
        InputError: the folder holds no such manuals, or one was rejected.
    """
    names = sorted({row.document for name in ROWS for row in read_rows(TRUTH / f"{name}.jsonl")})
    files = [data / MANUALS / name for name in names]
    missing = [file for file in files if not file.is_file()]
    if missing:
        raise InputError(f"{missing[0]} is not there", "Give the folder of the development data with --data.")
    scan = data / SCAN
    chunks = stored_chunks([*files, *([scan] if scan.is_file() else [])])
    found, tied = notices_found(read_notices(TRUTH / "notices.jsonl"), chunks)
    figures: dict[str, Any] = {
        name: rows_kept(read_rows(TRUTH / f"{name}.jsonl"), chunks).document() for name in ROWS
    }
    figures |= {"notices_found": found.document(), "notices_tied": tied.document()}
    if scan.is_file():
        scanned = [chunk for chunk in chunks if Path(chunk.document).name == scan.name]
        text = (data / SCAN_TEXT).read_text(encoding="utf-8")
        figures["scan_word_order"] = round(order_kept(text, scanned), 4)
    return figures


def main(arguments: Sequence[str] | None = None) -> int:
    """Prints the figures as JSON; 2 when the data is not there."""
    parser = argparse.ArgumentParser(prog="python -m eval.ingestion", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of the development data")
    try:
        figures = measure(parser.parse_args(arguments).data)
    except InputError as problem:
        sys.stderr.write(f"{problem}\n")
        return 2
    sys.stdout.write(json.dumps(figures, indent=1, ensure_ascii=False) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
