"""Rows of tables as chunks hold them ('Code: E-07 | Cause: ...'), and what their columns are."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import yaml

from assistant.schema import Chunk

ORDINARY = "value"
# Cells that say nothing, and cells too long to be a value.
_EMPTY = re.compile(r"^[\s–—\-./]*$|^n/?a$|^NA$", re.IGNORECASE)
MAX_CELL = 600
_NUMBERED = re.compile(r"(?:^|(?<=\s))(?:\d{1,2}[.)、]|[a-z]\.)\s+")
# A step word of a military manual, a leading number or letter of a row: no part of what is said.
_LEADING = re.compile(r"^(?:step\s+)?\d{1,2}[.)]\s+", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Cell:
    """A header, the role of its column, and what stands below it."""

    header: str
    role: str
    text: str

    @property
    def items(self) -> tuple[str, ...]:
        """The numbered entries of the cell, without their numbers; the whole cell when it has none."""
        pieces = [piece.strip(" ;；") for piece in _NUMBERED.split(self.text)]
        return tuple(piece for piece in pieces if piece)


@dataclass(frozen=True, slots=True)
class Row:
    """One row that says something."""

    cells: tuple[Cell, ...]

    def cell(self, *roles: str) -> Cell | None:
        """The first cell with one of some roles, in the order in which the roles are given."""
        return next((cell for role in roles for cell in self.cells if cell.role == role), None)


def rows_of(chunk: Chunk) -> Iterator[Row]:
    """Rows of a table chunk; header rows and rows of a single cell are left out."""
    if chunk.kind != "table":
        return
    for line in chunk.text.splitlines():
        pairs = [_pair(field) for field in line.split(" | ")]
        cells = tuple(Cell(h, role_of(h), t) for h, t in pairs if h and not _EMPTY.match(t))
        repeated = sum(cell.header.casefold() == cell.text.casefold() for cell in cells)
        kept = len(cells) > 1 and not repeated and all(len(cell.text) <= MAX_CELL for cell in cells)
        if kept and not any(cell.role == "bookkeeping" for cell in cells):
            yield Row(cells)


@cache
def role_of(header: str) -> str:
    """The role of a column by what it is called; ORDINARY for a value like torque or interval."""
    name = header.casefold().strip()
    for role, words in _roles().items():
        if any(
            word in name if not word.isascii() else re.search(rf"\b{re.escape(word)}", name) for word in words
        ):
            return role
    return ORDINARY


def without_number(text: str) -> str:
    """A cell or heading without the number in front of it."""
    return _LEADING.sub("", text).strip()


def _pair(field: str) -> tuple[str, str]:
    header, mark, text = field.partition(": ")
    return (header.strip(), text.strip()) if mark else ("", field.strip())


@cache
def _roles() -> dict[str, list[str]]:
    return dict(yaml.safe_load(files("finetune").joinpath("columns.yaml").read_text(encoding="utf-8")))
