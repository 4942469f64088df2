"""Tabular files -> sheets of text: CSV and TSV of any encoding and delimiter, and Excel workbooks.

One reader for reference tables and for work orders. Every cell is the text that its reader sees: codes keep
their zeros, and what Excel turned into a date is shown as Excel shows it and remarked.
"""

import csv
import io
import re
import zipfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assistant.errors import DocumentError
from ingest.archives import check_archive
from ingest.cell_text import shown
from ingest.text import decode

# Cells of one file, empty ones between others included.
MAX_CELLS = 5_000_000
MAX_CELL_CHARACTERS = 1_000_000
CHANGED_TOLD = 5
_SIGNS = "\t|;,"
_MERGED = re.compile(rb'<(?:\w+:)?mergeCell ref="([A-Z]{1,3}\d{1,7}:[A-Z]{1,3}\d{1,7})"')
_UNCOMPUTED = re.compile(rb"</(?:\w+:)?f>\s*(?:<(?:\w+:)?v\s*/>)?\s*</(?:\w+:)?c>")


@dataclass(frozen=True, slots=True)
class Sheet:
    """One table as it stands in the file.

    Attributes:
        name: of the sheet; empty for CSV.
        rows: every row from the first; rows[i] is row i + 1 of the file, () where it is empty. Rows may
            differ in length. A cell merged over several rows stands in each of them; over several columns in
            each where the merge is one row high, so that every column below has its heading.
        remarks: what may have gone wrong in the file itself, one line each.
    """

    name: str
    rows: tuple[tuple[str, ...], ...]
    remarks: tuple[str, ...] = ()


def read_table(path: Path) -> tuple[Sheet, ...]:
    """Reads a CSV, TSV or XLSX file; what it is shows its content, not its name.

    Returns:
        One sheet for CSV; for a workbook its visible sheets that hold anything, in order.

    Raises:
        DocumentError: missing, empty, damaged, protected, or too large; one line says which.
    """
    if not path.is_file():
        raise DocumentError(f"{path} does not exist", "Check the path.")
    with path.open("rb") as stream:
        head = stream.read(8)
    if head.startswith(b"PK\x03\x04"):
        sheets = tuple(sheet for sheet in _read_workbook(path) if sheet.rows)
    elif head.startswith(b"\xd0\xcf\x11\xe0"):
        # The container of old Excel files, and of encrypted new ones.
        raise DocumentError(
            f"{path.name} is an old or protected Excel file", "Save it as .xlsx without a password."
        )
    else:
        sheets = (read_delimited(path.name, path.read_bytes()),)
    if not any(any(row) for sheet in sheets for row in sheet.rows):
        raise DocumentError(f"{path.name} holds no rows", "Export the table anew.")
    return sheets


def read_delimited(name: str, data: bytes) -> Sheet:
    """Reads the bytes of a CSV file of unknown encoding and delimiter.

    Raises:
        DocumentError: binary, or not cut into cells.
    """
    if b"\0" in data[:4096] and not data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise DocumentError(f"{name} is not a CSV file", "Export the table as CSV or XLSX.")
    text = decode(data)
    csv.field_size_limit(MAX_CELL_CHARACTERS)
    rows: list[tuple[str, ...]] = []
    cells = 0
    try:
        for line in csv.reader(io.StringIO(text, newline=""), delimiter=guess_delimiter(text)):
            row = _trimmed([cell.strip() for cell in line])
            cells += len(row)
            _check_size(cells, name)
            rows.append(row)
    except csv.Error as problem:
        raise DocumentError(f"{name} is not a CSV file: {problem}", "Export the table anew.") from problem
    return Sheet("", _without_end(rows))


def guess_delimiter(text: str) -> str:
    """The sign that cuts most of the first lines into the same number of cells, two at least."""
    sample = text[:40_000].splitlines()[:40]
    best, most = ",", 0
    for sign in _SIGNS:
        widths = Counter(len(row) for row in csv.reader(sample, delimiter=sign) if row)
        _, agreeing = max(
            ((width, count) for width, count in widths.items() if width > 1),
            key=lambda pair: pair[1],
            default=(0, 0),
        )
        if agreeing > most:
            best, most = sign, agreeing
    return best


def _read_workbook(path: Path) -> Iterator[Sheet]:
    # Needed only here, and slow to import.
    from openpyxl import load_workbook

    check_archive(path)
    cells = 0
    with path.open("rb") as stream, zipfile.ZipFile(path) as archive:
        try:
            # Read-only: pictures, charts and links are never opened; stored values, no formulas.
            # A stream, because openpyxl refuses names that do not end in .xlsx.
            book = load_workbook(stream, read_only=True, data_only=True, keep_links=False)
        except Exception as problem:
            # openpyxl lets any error of a damaged part through.
            raise DocumentError(f"{path.name} is damaged or not a workbook", "Save it anew.") from problem
        sheets: Any = book.worksheets
        for sheet in sheets:
            if sheet.sheet_state != "visible" or not hasattr(sheet, "reset_dimensions"):
                # Hidden, or a sheet that is one chart.
                continue
            try:
                rows, changed, cells = _rows(sheet, path.name, cells)
                # Merges stand behind the rows, where openpyxl does not look in this mode.
                raw = archive.read(sheet._worksheet_path.lstrip("/"))
            except DocumentError:
                raise
            except Exception as problem:
                raise DocumentError(
                    f"{path.name}: sheet {sheet.title} is damaged", "Save it anew."
                ) from problem
            _spread(rows, raw)
            yield Sheet(sheet.title, _without_end([_trimmed(row) for row in rows]), _remarks(changed, raw))


def _rows(sheet: Any, name: str, cells: int) -> tuple[list[list[str]], list[str], int]:
    """Rows of a worksheet, the cells in which Excel may have changed a code, and the cells read so far."""
    # What a sheet says of its own size is often wrong.
    sheet.reset_dimensions()
    rows: list[list[str]] = []
    changed: list[str] = []
    for row in sheet.rows:
        texts = []
        for cell in row:
            text, doubtful = shown(cell.value, cell.number_format if cell.value is not None else "")
            texts.append(text)
            if doubtful:
                changed.append(f"{cell.coordinate} '{text}'")
        cells += len(texts) + 1
        _check_size(cells, name)
        rows.append(texts)
    return rows, changed, cells


def _spread(rows: list[list[str]], raw: bytes) -> None:
    """Writes the text of merged cells into every row that they cover, and headings into every column."""
    from openpyxl.utils.cell import range_boundaries

    width = max(map(len, rows), default=0)
    for match in _MERGED.finditer(raw):
        left, top, right, bottom = (int(bound or 0) for bound in range_boundaries(match.group(1).decode()))
        if not 0 < top <= len(rows) or not 0 < left <= len(rows[top - 1]):
            continue
        text = rows[top - 1][left - 1]
        # A merge over the whole width is a title, not a heading of its columns.
        heads = bottom == top and right - left + 1 < width
        for row in rows[top - 1 : bottom]:
            for column in range(left, min(right, width) + 1 if heads else left + 1):
                row.extend([""] * (column - len(row)))
                row[column - 1] = row[column - 1] or text


def _remarks(changed: list[str], raw: bytes) -> tuple[str, ...]:
    remarks = []
    if changed:
        more = f" and {len(changed) - CHANGED_TOLD} more" if len(changed) > CHANGED_TOLD else ""
        cells = ", ".join(changed[:CHANGED_TOLD])
        remarks.append(f"Excel may have turned codes into dates or powers of ten: {cells}{more}")
    missing = len(_UNCOMPUTED.findall(raw))
    if missing:
        remarks.append(f"{missing} formulas have no stored value: open the file in Excel and save it")
    return tuple(remarks)


def _check_size(cells: int, name: str) -> None:
    if cells > MAX_CELLS:
        raise DocumentError(f"{name} has more than {MAX_CELLS:,} cells", "Split it.")


def _trimmed(row: list[str]) -> tuple[str, ...]:
    """A row without empty cells at its end."""
    end = len(row)
    while end and not row[end - 1]:
        end -= 1
    return tuple(row[:end])


def _without_end(rows: list[tuple[str, ...]]) -> tuple[tuple[str, ...], ...]:
    end = len(rows)
    while end and not rows[end - 1]:
        end -= 1
    return tuple(rows[:end])
