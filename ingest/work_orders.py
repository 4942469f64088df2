"""Imports a file of work orders: reads it, sorts out what is new or changed, and writes that."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from assistant.embedding import Embedder
from assistant.errors import InputError
from assistant.records.catalogue import Catalogue
from assistant.records.plant import Plant
from assistant.schema import Chunk
from assistant.shorthand import Shorthand, shorthand_of_orders
from assistant.shorthand_learning import learn_shorthand, words_of_manuals
from assistant.sparse import SparseEncoder
from assistant.store.base import ChunkStore, Vectors
from ingest.order_chunks import Order, gather_orders, to_chunk
from ingest.order_file import Choices, open_orders, remember_choices
from ingest.order_table import Rejected

WRITTEN_AT_ONCE = 1000
# Where so many of the numbers in a file are held with another asset, day and text, it is another site's file.
FOREIGN_SHARE, FOREIGN_LEAST = 0.5, 3

# Key of a chunk's `extra`: its shorthand in plain words.
PLAIN = "plain_words"

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class ImportOutcome:
    """What became of a file: read = accepted + rejected; accepted = added + updated + unchanged + merged.

    Attributes:
        merged: accepted rows that tell more of an order that an earlier row of the file began.
        reindexed: of the unchanged, orders that are found by other words now, because shorthand was learned.
        columns: our field -> the column it was taken from.
        origin: where the columns come from; see ingest.mapping.Columns.
        date_order: of each date field.
        remarks: what whoever imports should know.
        shorthand: words that this file taught.
        seconds: spent reading, embedding and storing.
    """

    document: str
    read: int
    accepted: int
    added: int
    updated: int
    unchanged: int
    rejected: tuple[Rejected, ...]
    merged: int = 0
    reindexed: int = 0
    columns: Mapping[str, str] = field(default_factory=dict)
    origin: str = ""
    date_order: Mapping[str, str] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()
    shorthand: int = 0
    seconds: Mapping[str, float] = field(default_factory=dict)
    headings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Changes:
    new: list[Chunk]
    changed: list[Chunk]
    reindexed: list[Chunk]


class WorkOrders:
    """Imports work orders into the store; the same order number of the same site is replaced."""

    def __init__(
        self,
        store: ChunkStore,
        embedder: Embedder,
        sparse: SparseEncoder,
        plant: Plant,
        catalogue: Catalogue,
        home: Path,
    ) -> None:
        """Works on the open parts of one home."""
        self._store = store
        self._embedder = embedder
        self._sparse = sparse
        self._plant = plant
        self._catalogue = catalogue
        self._home = home

    def ingest(
        self,
        path: Path,
        choices: Choices | None = None,
        progress: Progress = lambda _stage, _done, _total: None,
    ) -> ImportOutcome:
        """Imports one file.

        A file without a column of order numbers is accepted when its columns are guessed: its orders are then
        known by asset, date and text.

        Args:
            path: CSV, XLSX, JSON or JSON Lines.
            choices: what is not to be guessed.
            progress: told of the stages 'read', 'embed' and 'store'.

        Raises:
            InputError: the file or the mapping cannot be used; nothing was changed.
            StorageError: the engine or the disk refuses.
        """
        choices = choices or Choices()
        started = time.perf_counter()
        file = open_orders(path, self._home, choices)
        orders, rejected = gather_orders(file, choices.site or "")
        models = {asset.tag.casefold(): asset.model.casefold() for asset in self._plant.assets()}
        held = self._held([order.id for order in orders])
        if choices.site is None:
            _refuse_foreign(orders, held, path.name)
        for order in orders:
            if order.id in held:
                order.keep_untold(held[order.id], file.columns)
        chunks = [to_chunk(order, file.columns, file.document, models) for order in orders]
        learned = learn_shorthand(
            self._home,
            file.document,
            [order.values for order in orders],
            lambda: words_of_manuals(self._catalogue, self._store),
        )
        shorthand = shorthand_of_orders(self._home)
        chunks = [_written_out(chunk, shorthand) for chunk in chunks]
        changes = _sorted_out(chunks, held)
        progress("read", file.table.read, file.table.read)
        read = time.perf_counter()
        embedding = self._write([*changes.new, *changes.changed, *changes.reindexed], shorthand, progress)
        remember_choices(self._home, file, choices)
        accepted = file.table.read - len(rejected)
        return ImportOutcome(
            document=file.document,
            read=file.table.read,
            accepted=accepted,
            added=len(changes.new),
            updated=len(changes.changed),
            unchanged=len(chunks) - len(changes.new) - len(changes.changed),
            merged=accepted - len(chunks),
            reindexed=len(changes.reindexed),
            rejected=tuple(rejected),
            columns={name: " or ".join(columns) for name, columns in file.columns.of.items()},
            origin=file.columns.origin,
            date_order={name: guess.order for name, guess in file.dates.items()},
            remarks=file.remarks,
            shorthand=learned,
            seconds={
                "read": round(read - started, 2),
                "embed": round(embedding, 2),
                "store": round(time.perf_counter() - read - embedding, 2),
            },
            headings=file.table.headings,
        )

    def _held(self, ids: Sequence[str]) -> dict[str, Chunk]:
        """What is stored of these orders already, by id."""
        held: dict[str, Chunk] = {}
        for start in range(0, len(ids), WRITTEN_AT_ONCE):
            found = self._store.fetch(ids[start : start + WRITTEN_AT_ONCE])
            held.update((chunk.id, chunk) for chunk in found)
        return held

    def _write(self, chunks: Sequence[Chunk], shorthand: Shorthand, progress: Progress) -> float:
        """Embeds and stores; what is said alike is embedded once. Returns the seconds spent embedding."""
        spoken = [shorthand.spoken(chunk.text) for chunk in chunks]
        unique = list(dict.fromkeys(spoken))
        place = {text: index for index, text in enumerate(unique)}
        of_text: dict[int, list[Chunk]] = {}
        for chunk, text in zip(chunks, spoken, strict=True):
            of_text.setdefault(place[text], []).append(chunk)
        spent = 0.0
        for start in range(0, len(unique), WRITTEN_AT_ONCE):
            part = unique[start : start + WRITTEN_AT_ONCE]
            begun = time.perf_counter()
            vectors = self._embedder.passages(part)
            spent += time.perf_counter() - begun
            ready = [(index, chunk) for index in range(len(part)) for chunk in of_text[start + index]]
            dense: Vectors = vectors[[index for index, _ in ready]]
            words = self._sparse.passages([shorthand.searched(chunk.text) for _, chunk in ready])
            self._store.upsert([chunk for _, chunk in ready], dense, words)
            progress("embed", start + len(part), len(unique))
        progress("store", len(unique), len(unique))
        return spent


def _written_out(chunk: Chunk, shorthand: Shorthand) -> Chunk:
    """The chunk with the plain words that it is found by too; they are never shown or quoted."""
    added = shorthand.added(chunk.text)
    return replace(chunk, extra={**chunk.extra, PLAIN: added}) if added else chunk


def _sorted_out(chunks: Sequence[Chunk], held: Mapping[str, Chunk]) -> _Changes:
    """Those that are new, those whose content differs from what is stored, and those only found otherwise."""
    changes = _Changes([], [], [])
    for chunk in chunks:
        before = held.get(chunk.id)
        if before is None:
            changes.new.append(chunk)
        elif _content(chunk) != _content(before):
            changes.changed.append(chunk)
        elif chunk.extra.get(PLAIN) != before.extra.get(PLAIN):
            changes.reindexed.append(chunk)
    return changes


def _content(chunk: Chunk) -> tuple[str, dict[str, str], tuple[str, ...]]:
    """What an order says; the file it comes in and its row do not count."""
    extra = {name: value for name, value in chunk.extra.items() if name != PLAIN}
    return chunk.text, extra, chunk.applies_to


def _refuse_foreign(orders: Sequence[Order], held: Mapping[str, Chunk], name: str) -> None:
    """Refuses a file whose numbers belong to other orders here: replacing those would lose them.

    Raises:
        InputError: it looks like the export of another site.
    """
    both = [(order.values, held[order.id]) for order in orders if order.id in held]
    foreign = sum(_is_other_order(values, before) for values, before in both)
    if foreign >= FOREIGN_LEAST and foreign > FOREIGN_SHARE * len(both):
        raise InputError(
            f"{foreign} of {len(both)} order numbers in {name} are held with another machine, day and text",
            "If it is another site's file give --site NAME; if these orders are to be replaced, --site ''.",
        )


def _is_other_order(now: Mapping[str, str], before: Chunk) -> bool:
    then = before.extra
    known = all(values.get(name) for values in (now, then) for name in ("asset", "date"))
    return (
        known
        and now["asset"].casefold() != then["asset"].casefold()
        and now["date"][:10] != then["date"][:10]
        and not before.text.startswith(now.get("description", ""))
    )
