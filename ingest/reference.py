"""Reference tables (XLSX, CSV, JSON lists of records) -> blocks: a section a sheet, a block a row."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from assistant.errors import DocumentError
from assistant.schema import Block, ParsedFile, ParsedPage
from ingest.headers import find_header, row_blocks
from ingest.sheets import Sheet, read_table
from ingest.text import decode

# A cell with more characters holds prose: it is read as text under its row's name, so that it can be cut.
PROSE = 1200
DEEPEST = 12
_KEY = re.compile(
    r"^(?:.*(?:code|alarm|fault|error)|.*\b(?:id|no|nr|number)|.*(?:代码|编号|报警号|故障号))\.?$",
    re.IGNORECASE,
)


def read_reference(path: Path) -> ParsedFile:
    """Parses a CSV or XLSX file as a reference table.

    Raises:
        DocumentError: as read_table.
    """
    sheets = read_table(path)
    blocks = [Block("heading", path.stem, 1, level=1)]
    for sheet in sheets:
        blocks += _sheet_blocks(sheet)
    told = [
        (f"sheet {sheet.name}: " if sheet.name else "") + remark
        for sheet in sheets
        for remark in sheet.remarks
    ]
    return ParsedFile(path.stem, (ParsedPage(1, tuple(blocks), remarks=tuple(told)),))


def read_records(path: Path) -> ParsedFile:
    """Parses a JSON file: every list of objects in it is a table, their field names the headings.

    Raises:
        DocumentError: not JSON, nested too deeply, or without records.
    """
    try:
        data = json.loads(decode(path.read_bytes()))
    except RecursionError:
        raise DocumentError(f"{path.name} is nested too deeply") from None
    except ValueError as problem:
        raise DocumentError(f"{path.name} is not JSON: {problem}", "Export it anew.") from problem
    blocks = [Block("heading", path.stem, 1, level=1)]
    for name, records in _tables(data, (), 0):
        if name:
            blocks.append(Block("heading", name, 1, level=2))
        for record in records:
            blocks += _record_blocks(record)
    if len(blocks) == 1 or not any(block.kind != "heading" for block in blocks):
        raise DocumentError(
            f"{path.name} holds no list of records", "Accepted are lists of objects, one for each entry."
        )
    return ParsedFile(path.stem, (ParsedPage(1, tuple(blocks)),))


def _sheet_blocks(sheet: Sheet) -> Iterator[Block]:
    if sheet.name:
        yield Block("heading", sheet.name, 1, level=2)
    rows = sheet.rows
    at = find_header(rows)
    header: Sequence[str] = rows[at] if at is not None else ()
    for row in rows[: at or 0]:
        if any(row):
            yield Block("text", " ".join(cell for cell in row if cell), 1)
    for row in rows[at + 1 if at is not None else 0 :]:
        cells = [" ".join(cell.split()) for cell in row]
        if len(header) > 2 and _is_title(cells):
            yield Block("heading", cells[0], 1, level=3)
        elif any(len(cell) > PROSE for cell in cells):
            yield from _prose_blocks(list(zip(header, row, strict=False)))
        else:
            yield from row_blocks([" ".join(name.split()) for name in header], [cells])


def _is_title(cells: Sequence[str]) -> bool:
    """True for a row that names the rows below it: one cell of words, and no code that could be an entry."""
    return (
        bool(cells and cells[0])
        and not any(cells[1:])
        and not re.search(r"\d", cells[0])
        and len(cells[0]) <= 80
    )


def _tables(data: Any, path: tuple[str, ...], depth: int) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Every list of objects, and every object of objects, with the path of names that leads to it."""
    if depth > DEEPEST:
        return
    name = " ".join(path)
    if isinstance(data, list):
        records = [item for item in data if isinstance(item, dict)]
        if records:
            yield name, records
    elif isinstance(data, dict):
        inner = [value for value in data.values() if isinstance(value, dict)]
        if len(inner) > 1 and len(inner) == len(data) and not any(_has_tables(value) for value in inner):
            yield name, [{"": key} | value for key, value in data.items()]
            return
        for key, value in data.items():
            yield from _tables(value, (*path, str(key)), depth + 1)


def _has_tables(value: Mapping[str, Any]) -> bool:
    return any(isinstance(v, list) and any(isinstance(item, dict) for item in v) for v in value.values())


def _record_blocks(record: Mapping[str, Any]) -> Iterator[Block]:
    cells = [(name, text) for name, text in _cells(record, "", 0) if text]
    # What the entry is known by comes first.
    cells.sort(key=lambda cell: not (_KEY.match(cell[0]) or not cell[0]))
    if any(len(text) > PROSE for _, text in cells):
        yield from _prose_blocks(cells)
    else:
        yield from row_blocks([name for name, _ in cells], [[" ".join(text.split()) for _, text in cells]])


def _cells(value: Any, name: str, depth: int) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict) and depth < DEEPEST:
        for key, inner in value.items():
            yield from _cells(inner, f"{name} {key}".strip(), depth + 1)
    elif isinstance(value, list):
        if any(isinstance(item, dict | list) for item in value) and depth < DEEPEST:
            for number, item in enumerate(value, start=1):
                yield from _cells(item, f"{name} {number}".strip(), depth + 1)
        else:
            yield name, "; ".join(_scalar(item) for item in value)
    else:
        yield name, _scalar(value)


def _scalar(value: Any) -> str:
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value).strip()


def _prose_blocks(cells: Sequence[tuple[str, str]]) -> Iterator[Block]:
    """A row with long texts as a small section: its first cell is the heading."""
    name, first = cells[0]
    short = len(first) <= 120
    if short:
        yield Block("heading", f"{name}: {first}" if name else first, 1, level=3)
    for name, text in cells[1 if short else 0 :]:
        if text:
            yield Block("text", f"{name}: {text}" if name else text, 1)
