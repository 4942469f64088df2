"""A file of work orders as it would be imported: its rows, its columns, its dates; and a preview of that."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from ingest.mapping import GUESS, Columns, choose_columns, known_headings
from ingest.mapping_memory import MappingMemory, Remembered
from ingest.order_dates import DateGuess, DateOrder, guess_order, to_iso
from ingest.order_table import Table, read_orders
from ingest.presets import DATE_FIELDS

SAMPLES = 3
# What spreadsheets and exports write into empty cells.
_EMPTY = frozenset(
    {"", "na", "n/a", "#n/a", "nan", "none", "null", "-", "--", "nil", "#ref!", "#value!", "无"}
)


@dataclass(frozen=True, slots=True)
class Choices:
    """What the caller settles instead of leaving it to a guess; None guesses.

    Attributes:
        mapping: see choose_columns().
        date_order: of dates such as 03/04/2025.
        sheet: of a workbook.
        site: of all orders in the file, where no column tells one. Orders of two sites may bear one number.
            The empty string says that the file belongs to the orders already held without a site.
    """

    mapping: str | None = None
    date_order: DateOrder | None = None
    sheet: str | None = None
    site: str | None = None


@dataclass(frozen=True, slots=True)
class OrderFile:
    """A file whose reading is settled.

    Attributes:
        dates: for each date field, the order its dates are read in.
        remarks: what whoever imports it should know, one line each.
    """

    document: str
    table: Table
    columns: Columns
    dates: Mapping[str, DateGuess]
    remarks: tuple[str, ...]

    def rows(self) -> Iterator[tuple[int, Mapping[str, str], dict[str, str]]]:
        """Number, cells as read, and our fields of every row; dates as ISO 8601 where they can be told."""
        for number, cells in self.table.rows:
            values = {field: _first(cells, columns) for field, columns in self.columns.of.items()}
            for field, guess in self.dates.items():
                values[field] = to_iso(values[field], guess.order) or values[field]
            yield number, cells, values


@dataclass(frozen=True, slots=True)
class ColumnPreview:
    """A column of the file: what it becomes (empty: it is not used) and the first different values in it."""

    column: str
    field: str
    samples: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Preview:
    """What an import would make of a file; see Table for the first attributes."""

    document: str
    form: str
    encoding: str
    delimiter: str
    sheet: str
    heading_row: int
    rows: int
    origin: str
    columns: tuple[ColumnPreview, ...]
    unused: tuple[ColumnPreview, ...]
    date_order: Mapping[str, str]
    remarks: tuple[str, ...]


def open_orders(path: Path, home: Path, choices: Choices) -> OrderFile:
    """Reads a file and settles its columns and dates; changes nothing.

    Raises:
        InputError: the file or the mapping cannot be used.
    """
    table = read_orders(path, known_headings(choices.mapping), choices.sheet)
    guessing = (choices.mapping or "").casefold() == GUESS
    held = None if guessing else MappingMemory(home).recall(table.headings)
    columns = choose_columns(choices.mapping, table.headings, path.name, held.columns if held else None)
    fixed = choices.date_order or (held.date_order if held else None)
    dates: dict[str, DateGuess] = {}
    remarks = list(table.remarks)
    for field in DATE_FIELDS:
        if field in columns.of:
            texts = [_first(cells, columns.of[field]) for _, cells in table.rows]
            guess = guess_order(texts)
            if fixed and guess.order not in {"", "ymd"}:
                guess = DateGuess(fixed, "as given")
            dates[field] = guess
            remarks += _date_remarks(columns.named(field), texts, guess)
    return OrderFile(path.name, table, columns, dates, tuple(remarks))


def remember_choices(home: Path, file: OrderFile, choices: Choices) -> None:
    """Keeps what was given for the next file with these headings; 'guess' forgets it.

    Raises:
        StorageError: the home cannot be written.
    """
    memory = MappingMemory(home)
    mapping = (choices.mapping or "").casefold()
    if mapping == GUESS:
        memory.forget(file.table.headings)
    elif mapping or choices.date_order:
        held = memory.recall(file.table.headings)
        order = choices.date_order or (held.date_order if held else None)
        memory.remember(file.table.headings, Remembered(file.columns.of, order))


def preview(file: OrderFile) -> Preview:
    """What became of every column, with samples."""
    field_of = {column: field for field, columns in file.columns.of.items() for column in columns}
    shown = [
        ColumnPreview(column, field_of.get(column, ""), _samples(file.table, column))
        for column in file.table.headings
    ]
    table = file.table
    return Preview(
        document=file.document,
        form=table.form,
        encoding=table.encoding,
        delimiter=table.delimiter,
        sheet=table.sheet,
        heading_row=table.heading_row,
        rows=table.read,
        origin=file.columns.origin,
        columns=tuple(column for column in shown if column.field),
        unused=tuple(column for column in shown if not column.field),
        date_order={field: guess.order for field, guess in file.dates.items()},
        remarks=file.remarks,
    )


def clean(text: str) -> str:
    """A cell on one line; what only says that it is empty becomes empty."""
    text = " ".join(text.split())
    return "" if text.casefold() in _EMPTY else text


def _first(cells: Mapping[str, str], columns: tuple[str, ...]) -> str:
    return next((text for column in columns if (text := clean(cells.get(column, "")))), "")


def _samples(table: Table, column: str) -> tuple[str, ...]:
    seen: dict[str, None] = {}
    for _, cells in table.rows:
        text = clean(cells.get(column, ""))
        if text:
            seen[text[:80]] = None
        if len(seen) == SAMPLES:
            break
    return tuple(seen)


def _date_remarks(column: str, texts: list[str], guess: DateGuess) -> Iterator[str]:
    if guess.order in {"dmy", "mdy"}:
        told = "day/month/year" if guess.order == "dmy" else "month/day/year"
        yield f"{column} is read as {told}: {guess.because}"
    elif guess.order in {"unknown", "mixed"}:
        yield (
            f"{column} may be day/month or month/day ({guess.because}): dates that cannot be told stay as "
            "they are written; give --date-order dmy or mdy"
        )
    unread = [text for text in texts if text and to_iso(text, guess.order) is None]
    if unread and guess.order not in {"unknown", "mixed"}:
        yield f"{len(unread)} cells of {column} are no dates and stay as they are, such as '{unread[0][:40]}'"
