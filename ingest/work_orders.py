"""Work orders from a table become chunks: one order, one passage, in the words it was written in."""

import csv
import hashlib
import io
import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from assistant.embedding import Embedder
from assistant.errors import InputError
from assistant.identifiers import find_identifiers
from assistant.records.plant import Plant
from assistant.schema import Chunk
from assistant.sparse import SparseEncoder
from assistant.store.base import ChunkStore, Vectors
from ingest.mapping import TEXT_FIELDS, Columns, choose_columns
from ingest.text import decode

ORDERS = uuid.UUID("0b0f9a0e-97f5-5d0c-8f38-8a8f4bb5d2c4")
REVISION = "work-orders"
WRITTEN_AT_ONCE = 1000
MAX_TEXT = 4000
# What spreadsheets and exports write into empty cells.
_EMPTY = frozenset({"", "na", "n/a", "nan", "none", "null", "-", "--", "nil"})

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Table:
    """A table as read: headings, and rows with their number in the file (1-based, headings not counted)."""

    headings: tuple[str, ...]
    rows: tuple[tuple[int, Mapping[str, str]], ...]


@dataclass(frozen=True, slots=True)
class Rejected:
    """A row that was left out, and why."""

    row: int
    reason: str


@dataclass(frozen=True, slots=True)
class ImportOutcome:
    """What became of a file: read = accepted + rejected; accepted = added + updated + unchanged.

    Attributes:
        columns: our field -> the column it was taken from.
    """

    document: str
    read: int
    accepted: int
    added: int
    updated: int
    unchanged: int
    rejected: tuple[Rejected, ...]
    columns: Mapping[str, str] = field(default_factory=dict)


def read_csv(path: Path) -> Table:
    """Reads a CSV of unknown encoding and delimiter; every cell stays text.

    Raises:
        InputError: missing, empty, or without a line of headings.
    """
    if not path.is_file():
        raise InputError(f"{path} does not exist", "Check the path.")
    data = path.read_bytes()
    if b"\0" in data[:4096] and not data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise InputError(f"{path.name} is not a CSV file", "Export the work orders as CSV.")
    text = decode(data)
    if not text.strip():
        raise InputError(f"{path.name} is empty", "Export the work orders anew.")
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text))
    try:
        lines = [[cell.strip() for cell in line] for line in reader]
    except csv.Error as problem:
        raise InputError(f"{path.name} is not a CSV file: {problem}") from problem
    headings = tuple(name or f"column {n}" for n, name in enumerate(lines[0], start=1))
    rows = []
    for number, line in enumerate(lines[1:], start=1):
        if any(line):
            # Cells beyond the headings stay visible under a number, so that a shifted row is not cut.
            names = (*headings, *(f"column {n}" for n in range(len(headings) + 1, len(line) + 1)))
            rows.append((number, dict(zip(names, line, strict=False))))
    return Table(headings, tuple(rows))


# Excel and JSON readers join here: suffix -> reader.
READERS: dict[str, Callable[[Path], Table]] = {".csv": read_csv, ".tsv": read_csv, ".txt": read_csv}


class WorkOrders:
    """Imports work orders into the store; the same order number is replaced."""

    def __init__(self, store: ChunkStore, embedder: Embedder, sparse: SparseEncoder, plant: Plant) -> None:
        """Works on the open parts of one home."""
        self._store = store
        self._embedder = embedder
        self._sparse = sparse
        self._plant = plant

    def ingest(
        self, path: Path, mapping: str | None = None, progress: Progress = lambda _stage, _done, _total: None
    ) -> ImportOutcome:
        """Imports one file.

        A file without a column of order numbers is accepted when its columns are guessed: its orders are then
        known by their content.

        Args:
            path: CSV.
            mapping: preset, mapping file, or None to guess; see choose_columns().
            progress: told of the stages 'read' and 'embed'.

        Raises:
            InputError: the file or the mapping cannot be used; nothing was changed.
            StorageError: the engine or the disk refuses.
        """
        reader = READERS.get(path.suffix.lower())
        if reader is None:
            raise InputError(
                f"{path.name} is not a table that can be read", f"Accepted: {', '.join(READERS)}."
            )
        table = reader(path)
        columns = choose_columns(mapping, table.headings, path.name)
        models = {asset.tag.casefold(): asset.model.casefold() for asset in self._plant.assets()}
        chunks, rejected = _chunks(table, columns, path.name, models)
        progress("read", len(table.rows), len(table.rows))
        new, changed = self._sorted_out(chunks)
        self._write([*new, *changed], progress)
        unchanged = len(chunks) - len(new) - len(changed)
        return ImportOutcome(
            path.name,
            len(table.rows),
            len(table.rows) - len(rejected),
            len(new),
            len(changed),
            unchanged + len(table.rows) - len(rejected) - len(chunks),
            tuple(rejected),
            dict(columns.of),
        )

    def _sorted_out(self, chunks: Sequence[Chunk]) -> tuple[list[Chunk], list[Chunk]]:
        """Those that are new, and those whose content differs from what is stored."""
        held: dict[str, Chunk] = {}
        for start in range(0, len(chunks), 1000):
            found = self._store.fetch([chunk.id for chunk in chunks[start : start + 1000]])
            held.update((chunk.id, chunk) for chunk in found)
        new = [chunk for chunk in chunks if chunk.id not in held]
        changed = [chunk for chunk in chunks if chunk.id in held and _differs(chunk, held[chunk.id])]
        return new, changed

    def _write(self, chunks: Sequence[Chunk], progress: Progress) -> None:
        texts = [chunk.text for chunk in chunks]
        unique = list(dict.fromkeys(texts))
        place = {text: index for index, text in enumerate(unique)}
        for start in range(0, len(unique), WRITTEN_AT_ONCE):
            part = unique[start : start + WRITTEN_AT_ONCE]
            vectors = self._embedder.passages(part)
            ready = [c for c in chunks if start <= place[c.text] < start + len(part)]
            dense: Vectors = vectors[[place[chunk.text] - start for chunk in ready]]
            self._store.upsert(ready, dense, self._sparse.passages([chunk.text for chunk in ready]))
            progress("embed", start + len(part), len(unique))


def order_id(number: str) -> str:
    """The chunk id of a work order: the same number gives the same id, whatever file it comes in."""
    return str(uuid.uuid5(ORDERS, number.casefold()))


def _chunks(
    table: Table, columns: Columns, document: str, models: Mapping[str, str]
) -> tuple[list[Chunk], list[Rejected]]:
    """One chunk per order; when a number recurs in the file, its last row wins."""
    by_id: dict[str, Chunk] = {}
    rejected: list[Rejected] = []
    for row, values, number in _numbered(table, columns):
        text = _text(values, columns)
        if not number:
            rejected.append(Rejected(row, f"no order number in column {columns.of['order']}"))
        elif not text:
            rejected.append(
                Rejected(row, f"no text in column {columns.of.get('description', 'description')}")
            )
        else:
            chunk = _chunk(number, text, values, document, models, row)
            by_id[chunk.id] = chunk
    return list(by_id.values()), rejected


def _numbered(table: Table, columns: Columns) -> Iterator[tuple[int, dict[str, str], str]]:
    """Row number, our fields, and the order's number: given, or made from the row's content."""
    seen: Counter[str] = Counter()
    for row, cells in table.rows:
        values = {ours: _cell(cells.get(column, "")) for ours, column in columns.of.items()}
        if "order" in columns.of:
            yield row, values, values["order"]
            continue
        digest = hashlib.sha256("\0".join(cells.values()).encode()).hexdigest()[:10]
        seen[digest] += 1
        yield row, values, digest if seen[digest] == 1 else f"{digest}-{seen[digest]}"


def _cell(text: str) -> str:
    text = " ".join(text.split())
    return "" if text.casefold() in _EMPTY else text


def _text(values: Mapping[str, str], columns: Columns) -> str:
    """The description as it stands, then the other texts under the file's own headings."""
    lines = [values.get("description", "")]
    for ours in TEXT_FIELDS[1:]:
        if values.get(ours):
            lines.append(f"{columns.of[ours]}: {values[ours]}")
    return "\n".join(line for line in lines if line)[:MAX_TEXT]


def _chunk(
    number: str, text: str, values: Mapping[str, str], document: str, models: Mapping[str, str], row: int
) -> Chunk:
    asset = values.get("asset", "").casefold()
    model = values.get("model", "").casefold() or models.get(asset, "")
    extra = {ours: value for ours, value in values.items() if value and ours != "description"}
    extra["order"] = number
    extra.setdefault("problem", values.get("description", ""))
    return Chunk(
        id=order_id(number),
        document=document,
        revision=REVISION,
        title=document,
        section=(),
        page=1,
        page_last=1,
        kind="text",
        text=text,
        source="work_order",
        identifiers=find_identifiers(f"{number}\n{text}"),
        applies_to=tuple(name for name in (asset, model) if name),
        ordinal=row,
        extra=extra,
    )


def _differs(chunk: Chunk, held: Chunk) -> bool:
    """Whether an order's content changed; the file it comes in and its row do not count."""
    return (chunk.text, dict(chunk.extra), chunk.applies_to) != (held.text, dict(held.extra), held.applies_to)


def _delimiter(text: str) -> str:
    """The sign that cuts the first lines into the same number of cells, two at least."""
    sample = text[:20_000]
    lines = sample.splitlines()[:20]
    best, most = ",", 0
    for sign in (",", ";", "\t", "|"):
        counts = [len(row) for row in csv.reader(io.StringIO("\n".join(lines)), delimiter=sign) if row]
        width = counts[0] if counts else 0
        agreeing = sum(1 for count in counts if count == width)
        if width > 1 and agreeing * width > most:
            best, most = sign, agreeing * width
    return best
