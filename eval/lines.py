"""JSON Lines, read strictly: every complaint names the file and the line."""

from pathlib import Path
from typing import TypeVar

from pydantic import TypeAdapter, ValidationError

from assistant.errors import InputError

Record = TypeVar("Record")


def text_lines(path: Path) -> list[tuple[int, str]]:
    """Numbered lines (from 1) of a file, without blank ones.

    Raises:
        InputError: the file is missing, not UTF-8, or holds nothing.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as problem:
        raise InputError(f"{path} cannot be read: {problem}") from problem
    # Not splitlines(): JSON text may hold U+2028 and its kin unescaped.
    lines = [(number, line) for number, line in enumerate(text.split("\n"), start=1) if line.strip()]
    if not lines:
        raise InputError(f"{path} is empty", "Give a file with one JSON object a line.")
    return lines


def parse_line(adapter: TypeAdapter[Record], path: Path, number: int, line: str) -> Record:
    """One record from one line.

    Raises:
        InputError: names file, line, the record's id where it can be seen, and the field.
    """
    try:
        return adapter.validate_json(line, strict=True, extra="forbid")
    except ValidationError as problem:
        first = problem.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        said = first["msg"].removeprefix("Value error, ")
        raise InputError(f"{path} line {number}: {f'{where}: ' if where else ''}{said}") from problem
