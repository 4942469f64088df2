"""Files of work orders -> rows of text under headings: CSV, Excel and JSON, however they were exported."""

import csv
import io
import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from assistant.clean import visible
from assistant.errors import InputError
from ingest.encodings import decoded
from ingest.mapping import squeezed
from ingest.sheets import guess_delimiter, read_table

MAX_MB = 200
# Longer than any order; a line beyond it means that the file has no lines, or one quotation mark too many.
MAX_CELL = 200_000
HEADING_WITHIN = 20
JSON_DEPTH = 4
_SEPARATOR_LINE = re.compile(r'\A"?sep=(.)"?\r?\n', re.IGNORECASE)
_END = "\x1eend of file\x1e"
# A sign that would make Excel compute a cell; ingest.rejects puts the apostrophe before it.
_DEFUSED = re.compile(r"\A'(?=[=+\-@])")


@dataclass(frozen=True, slots=True)
class Rejected:
    """A row that was left out, why, and its cells. Rows are counted from 1 below the headings."""

    row: int
    reason: str
    cells: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Table:
    """A table as read.

    Attributes:
        headings: column names, made unique.
        rows: number and cells by heading of every row that can be read.
        rejected: rows that cannot.
        form: 'csv', 'xlsx' or 'json'.
        encoding: of a text file, e.g. 'utf-8'.
        delimiter: of a CSV file.
        sheet: of a workbook.
        heading_row: where the headings stand, from 1; 0 for JSON.
        remarks: what may have gone wrong in the file itself.
    """

    headings: tuple[str, ...]
    rows: tuple[tuple[int, Mapping[str, str]], ...]
    rejected: tuple[Rejected, ...]
    form: str
    encoding: str = ""
    delimiter: str = ""
    sheet: str = ""
    heading_row: int = 0
    remarks: tuple[str, ...] = ()

    @property
    def read(self) -> int:
        """Rows in the file."""
        return len(self.rows) + len(self.rejected)


def read_orders(path: Path, known: frozenset[str], sheet: str | None = None) -> Table:
    """Reads a file; what it is shows its content, not its name. Every cell stays text.

    Args:
        path: CSV, XLSX, JSON or JSON Lines.
        known: squeezed headings by which the row of headings is found.
        sheet: of a workbook; by default the one that looks most like work orders.

    Raises:
        InputError: missing, too large, damaged, empty or without rows; one line says which.
    """
    if not path.is_file():
        raise InputError(f"{path} does not exist", "Check the path.")
    if path.stat().st_size > MAX_MB * 1_000_000:
        raise InputError(f"{path.name} is larger than {MAX_MB} MB", "Split it.")
    data = path.read_bytes()
    if data[:4] in {b"PK\x03\x04", b"\xd0\xcf\x11\xe0"}:
        table = _from_workbook(path, known, sheet)
    else:
        text, encoding = decoded(data, path.name)
        if not text.strip():
            raise InputError(f"{path.name} is empty", "Export the work orders anew.")
        if text.lstrip()[:1] in {"{", "["}:
            table = _from_json(path.name, text, encoding)
        else:
            table = _from_csv(path.name, text, encoding, known)
    if not table.read:
        raise InputError(f"{path.name} holds headings but no rows", "Export the work orders anew.")
    seen = ((row, {name: visible(cell) for name, cell in cells.items()}) for row, cells in table.rows)
    return replace(table, rows=tuple(seen))


# ---------------------------------------------------------------- CSV and Excel


def _from_csv(name: str, text: str, encoding: str, known: frozenset[str]) -> Table:
    first = text.find("\n")
    if max(first, len(text) if first < 0 else 0) > MAX_CELL * 5:
        raise InputError(f"{name}: its first line is {len(text):,} characters long", "Export it as CSV anew.")
    told = _SEPARATOR_LINE.match(text)
    text = text[told.end() :] if told else text
    delimiter = told.group(1) if told else guess_delimiter(text)
    lines = list(_csv_lines(name, text, delimiter))
    table = _tabled(name, lines, known, "csv", delimiter)
    return replace(table, encoding=encoding, delimiter=delimiter)


def _csv_lines(name: str, text: str, delimiter: str) -> Iterator[list[str] | str]:
    """Rows, or the reason why a row cannot be read.

    A line of our own behind the last one shows whether a quotation mark is left open: it would be swallowed.
    """
    csv.field_size_limit(MAX_CELL)
    reader = csv.reader(io.StringIO(f"{text}\n{_END}\n", newline=""), delimiter=delimiter)
    while True:
        start = reader.line_num + 1
        try:
            line = next(reader)
        except StopIteration:
            raise InputError(
                f"{name}: a quotation mark opened in line {start} is never closed", "Correct that line."
            ) from None
        except csv.Error as problem:
            if "limit" not in str(problem):
                raise InputError(f"{name}, line {start}: {problem}", "Correct that line.") from problem
            if reader.line_num > start + 50:
                raise InputError(
                    f"{name}: a quotation mark opened in line {start} is not closed within "
                    f"{MAX_CELL:,} characters",
                    "Correct that line.",
                ) from problem
            yield f"a cell is longer than {MAX_CELL:,} characters"
            continue
        if line == [_END]:
            return
        if any(_END in cell for cell in line):
            raise InputError(
                f"{name}: a quotation mark opened in line {start} is never closed", "Correct that line."
            )
        yield [_DEFUSED.sub("", cell.strip()) for cell in line]


def _from_workbook(path: Path, known: frozenset[str], wanted: str | None) -> Table:
    sheets = read_table(path)
    names = [sheet.name for sheet in sheets]
    if wanted is not None and wanted not in names:
        raise InputError(f"{path.name} has no sheet '{wanted}'", f"It has: {', '.join(names)}.")

    def likeness(rows: Sequence[Sequence[str]]) -> tuple[int, int]:
        return _score(rows[_heading_row(rows, known)], known), len(rows)

    chosen = max(
        (sheet for sheet in sheets if wanted in {None, sheet.name}), key=lambda sheet: likeness(sheet.rows)
    )
    table = _tabled(path.name, [list(row) for row in chosen.rows], known, "xlsx")
    return replace(table, sheet=chosen.name, remarks=chosen.remarks)


def _tabled(
    name: str, lines: Sequence[list[str] | str], known: frozenset[str], form: str, delimiter: str = ""
) -> Table:
    """Cuts lines into headings and rows; ragged rows that would shift their cells are rejected."""
    readable = [line if isinstance(line, list) else [] for line in lines]
    if not any(any(line) for line in readable):
        raise InputError(f"{name} is empty", "Export the work orders anew.")
    place = _heading_row(readable, known)
    below = lines[place + 1 :]
    width = _width(readable[place], [line for line in below if isinstance(line, list) and any(line)])
    headings = _unique([*readable[place], *[""] * (width - len(readable[place]))])
    rows: list[tuple[int, Mapping[str, str]]] = []
    rejected: list[Rejected] = []
    for number, line in enumerate(below, start=1):
        if isinstance(line, str):
            rejected.append(Rejected(number, line, {}))
        elif any(line):
            reason = _misshapen(line, headings, delimiter)
            cells = dict(zip([*headings, *_beyond(line, headings)], line, strict=False))
            if reason:
                rejected.append(Rejected(number, reason, cells))
            else:
                rows.append((number, cells))
    return Table(headings, tuple(rows), tuple(rejected), form, heading_row=place + 1)


def _heading_row(rows: Sequence[Sequence[str]], known: frozenset[str]) -> int:
    """Among the first rows the one with most known headings; without any, the first that is not empty."""
    first = next((place for place, row in enumerate(rows) if any(row)), 0)
    return max(
        range(min(len(rows), HEADING_WITHIN)), key=lambda place: (_score(rows[place], known), place == first)
    )


def _score(row: Sequence[str], known: frozenset[str]) -> int:
    return len({squeezed(cell) for cell in row if len(cell) < 60} & known)


def _width(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> int:
    """Columns of the table: more than its headings only where most rows have a column without one."""
    filled = [_filled(row) for row in rows]
    wider = [width for width in filled if width > len(headings)]
    return max(wider) if len(wider) * 2 > len(filled) else len(headings)


def _filled(row: Sequence[str]) -> int:
    return max((place for place, cell in enumerate(row, start=1) if cell), default=0)


def _beyond(line: Sequence[str], headings: Sequence[str]) -> list[str]:
    return [f"column {number}" for number in range(len(headings) + 1, len(line) + 1)]


def _misshapen(line: Sequence[str], headings: Sequence[str], delimiter: str) -> str:
    """Why a row cannot be trusted: its cells stand under the wrong headings, or rows were run together."""
    cells = _filled(line)
    inside = [part for cell in line if "\n" in cell for part in cell.splitlines()] if delimiter else []
    if any(part.count(delimiter) >= max(2, len(headings) - 1) for part in inside):
        return "a cell holds whole rows: is a quotation mark left open?"
    if cells > len(headings):
        return f"{cells} cells under {len(headings)} headings: is a text with a delimiter in it not quoted?"
    if tuple(line[: len(headings)]) == tuple(headings):
        return "repeats the headings"
    return ""


def _unique(names: Sequence[str]) -> tuple[str, ...]:
    """Headings without gaps and doubles: 'column 3', 'Date (2)'."""
    seen: Counter[str] = Counter()
    unique = []
    for number, name in enumerate(names, start=1):
        name = " ".join(name.split()) or f"column {number}"
        seen[name.casefold()] += 1
        unique.append(name if seen[name.casefold()] == 1 else f"{name} ({seen[name.casefold()]})")
    return tuple(unique)


# ---------------------------------------------------------------- JSON


def _from_json(name: str, text: str, encoding: str) -> Table:
    """A list of records, an object that holds one, or a record on every line."""
    try:
        records = _records(name, _parsed(text))
    except ValueError as problem:
        lines = text.splitlines()
        if _is_record(lines[0]) and len(lines) > 1:
            records = [_line(line) for line in lines if line.strip()]
        else:
            raise InputError(
                f"{name} is not valid JSON: {problem}", "Export the work orders anew."
            ) from problem
    except RecursionError as problem:
        raise InputError(f"{name} is nested too deeply", "Export the work orders as a list.") from problem
    rows: list[tuple[int, Mapping[str, str]]] = []
    rejected: list[Rejected] = []
    headings: dict[str, None] = {}
    for number, record in enumerate(records, start=1):
        if isinstance(record, dict):
            cells = {key: value.strip() for key, value in _flattened(record)}
            headings |= dict.fromkeys(cells)
            rows.append((number, cells))
        else:
            shown = record if isinstance(record, str) else json.dumps(record, ensure_ascii=False)
            rejected.append(Rejected(number, "not a record of named values", {"content": shown[:2000]}))
    if not rows:
        raise InputError(f"{name} holds no list of records", "Export the work orders as a list of objects.")
    return Table(tuple(headings), tuple(rows), tuple(rejected), "json", encoding)


def _parsed(text: str) -> Any:
    # Numbers stay as they are written: 0010, 1E5 and 12345678901234567890 are codes.
    return json.loads(text, parse_int=str, parse_float=str, parse_constant=str)


def _is_record(line: str) -> bool:
    return isinstance(_line(line), dict)


def _line(line: str) -> Any:
    try:
        return _parsed(line)
    except ValueError:
        return line


def _records(name: str, data: Any, depth: int = 0) -> list[Any]:
    if isinstance(data, list):
        return data
    if not isinstance(data, dict) or depth > JSON_DEPTH:
        return []
    lists = {
        key: value
        for key, value in data.items()
        if isinstance(value, list) and any(isinstance(v, dict) for v in value)
    }
    if len(lists) > 1:
        raise InputError(f"{name} holds several lists: {', '.join(lists)}", "Export the work orders alone.")
    if lists:
        return next(iter(lists.values()))
    inner = [found for value in data.values() if (found := _records(name, value, depth + 1))]
    if len(inner) > 1:
        raise InputError(f"{name} holds several lists", "Export the work orders alone.")
    return inner[0] if inner else [data] if not depth and data else []


def _flattened(record: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, str]]:
    """Names and texts of a record; what is nested is named with its path: 'asset.id'."""
    for key, value in record.items():
        name = f"{before}{key}"
        if isinstance(value, dict):
            yield from _flattened(value, f"{name}.")
        elif isinstance(value, list):
            plain = [_text(item) for item in value if not isinstance(item, dict | list)]
            nested = [json.dumps(item, ensure_ascii=False) for item in value if isinstance(item, dict | list)]
            yield name, "; ".join([*plain, *nested])
        else:
            yield name, _text(value)


def _text(value: Any) -> str:
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)
