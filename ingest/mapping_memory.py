"""Mappings that a supervisor gave, remembered for the next export with the same headings."""

import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from assistant.errors import StorageError
from assistant.schema import Json
from ingest.mapping import REJECTS_HEADINGS, Wanted
from ingest.order_dates import DateOrder

FILE = "work-order-mappings.json"


@dataclass(frozen=True, slots=True)
class Remembered:
    """What was given for a row of headings: columns, and the order of day and month if that was given too."""

    columns: Wanted
    date_order: DateOrder | None = None


class MappingMemory:
    """A small file in the home: signature of the headings -> mapping."""

    def __init__(self, home: Path) -> None:
        """Reads nothing yet."""
        self._path = home / FILE

    def recall(self, headings: Sequence[str]) -> Remembered | None:
        """What was given for these headings, in whatever order they stand.

        Raises:
            StorageError: the file was damaged by hand.
        """
        entry = self._read().get(signature(headings))
        if entry is None:
            return None
        columns = {field: tuple(names) for field, names in entry["columns"].items()}
        return Remembered(columns, entry.get("date_order"))

    def remember(self, headings: Sequence[str], given: Remembered) -> None:
        """Keeps a mapping in place of an earlier one.

        Raises:
            StorageError: the file cannot be read or written.
        """
        entries = self._read()
        columns = {field: list(names) for field, names in given.columns.items()}
        # The headings are kept for whoever reads the file.
        entries[signature(headings)] = {
            "headings": list(headings),
            "columns": columns,
            "date_order": given.date_order,
        }
        self._write(entries)

    def forget(self, headings: Sequence[str]) -> None:
        """Drops what was given for these headings, if anything was."""
        entries = self._read()
        if entries.pop(signature(headings), None) is not None:
            self._write(entries)

    def _read(self) -> dict[str, Json]:
        if not self._path.is_file():
            return {}
        try:
            entries = json.loads(self._path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as problem:
            raise StorageError(f"{self._path} cannot be read: {problem}", "Delete it.") from problem
        return dict(entries)

    def _write(self, entries: dict[str, Json]) -> None:
        text = json.dumps(entries, ensure_ascii=False, indent=1)
        part = self._path.with_suffix(".part")
        try:
            part.write_text(text, encoding="utf-8")
            os.replace(part, self._path)
        except OSError as problem:
            raise StorageError(f"{self._path} cannot be written: {problem}") from problem


def signature(headings: Sequence[str]) -> str:
    """One name for a set of headings, whatever their order, case and spaces."""
    names = sorted({" ".join(name.casefold().split()) for name in headings} - set(REJECTS_HEADINGS))
    return hashlib.sha256("\0".join(names).encode()).hexdigest()[:16]
