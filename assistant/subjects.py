"""What a passage is the entry of: the code that its heading opens with, or that its row is about.

In an alarm list the code stands in every story and table of contents too; the passage that explains it is the
one under its own heading or in its own row. A bare number counts as a code where the document says so: its
title, headings or column names speak of alarms, faults, errors or codes.
"""

import re
from collections.abc import Iterator, Sequence

from assistant.identifiers import CODE_WORD, find_identifiers, fold, normal_form

# Before an identifier in the index of identifiers: the passage is the entry of it, and not a mention.
OWN = "="
_SPEAKS_OF_CODES = re.compile(
    r"alarm|fault|error|trip|\bcodes?\b|_code|报警|警报|告警|故障|错误|代码", re.IGNORECASE
)
_LETTERED = (
    r"(?=[A-Za-z0-9\-.]*\d)(?=[A-Za-z0-9\-.]*[A-Za-z])[A-Za-z0-9]+(?:[\-.][A-Za-z0-9]+)*(?![A-Za-z0-9])"
)
_GROUPED = r"\d{2,}(?:-\d{2,})+(?![\d\-])"
_EDGE = r"^[\W_]*?"
_RANGE_FOLLOWS = r"(?!\s*(?:[-–—~～至到]|to\b)\s*[A-Za-z]*\d)"
_NAMED = re.compile(
    rf"{_EDGE}(?:{CODE_WORD})(\d{{1,10}}|{_LETTERED})(?!\w|[.,]\d){_RANGE_FOLLOWS}", re.IGNORECASE
)
_OPENS = re.compile(rf"{_EDGE}({_LETTERED}){_RANGE_FOLLOWS}")
# A number alone, or set off by a colon or dash; or long, so that it is no section number.
_SET_OFF = r"(?:\s*[:：]\s*|\s+[-–—]+\s+)(?=[^\s\d])"
_NUMBER = re.compile(
    rf"{_EDGE}-?(?:(\d{{1,10}})(?:{_SET_OFF}|\s*$)|(\d{{3,10}})(?:\s*[:：]|[\s、](?=\s*[^\s\d\-–—~～至到]))){_RANGE_FOLLOWS}"
)
_LINE = re.compile(rf"{_EDGE}(?:({_LETTERED})(?:\s*[:：|]|\s+[-–—]+\s)|-?(\d{{3,10}}){_SET_OFF})")
# Column names of what a row is looked up by: codes before all other numbers.
_CODE_COLUMN = re.compile(
    r".*(?:code|alarm|fault|error)(?:\W*(?:no|nr|id|number))?\W*$|.*(?:代码|报警号?|告警号?|故障号|错误号|故障码|错误码)$",
    re.IGNORECASE,
)
_KEY_COLUMN = re.compile(
    r"(?:.*[\W_])?(?:id|no|nr|num|number|key)\.?$|(?:part|item|order|stock)\b.*|.*(?:编号|编码|号码|件号|料号|型号)$",
    re.IGNORECASE,
)
_WHOLE = re.compile(rf"-?\d{{1,10}}|{_LETTERED}|{_GROUPED}")
_AND = re.compile(r"\s*(?:[,，、;；/&]|\band\b|\bor\b|和|或|\s)\s*")
CELLS_LOOKED_AT = 4
CODES_IN_CELL = 8


def own_codes(title: str, section: Sequence[str], text: str) -> tuple[str, ...]:
    """Identifiers, in normal form, that a passage is the entry of.

    Args:
        title: of the document.
        section: headings from the outermost inwards; the innermost that opens with a code counts.
        text: of the passage; table rows as 'heading: cell | heading: cell'.
    """
    counts = speaks_of_codes(title, *section)
    heading = next((code for code in (heading_code(h, counts) for h in reversed(section)) if code), "")
    # Numbers in a code's own section are settings and what else was seen ('9070: current limit' under 9030).
    found = [*_in_rows(text, counts and not heading), *([heading] if heading else _in_lines(text, counts))]
    return tuple(dict.fromkeys(found))


def distance(code: str, title: str, section: Sequence[str], text: str) -> int:
    """Of an entry of a code: how many headings stand between the passage and the one that names it."""
    counts = speaks_of_codes(title, *section)
    depths = (n for n, heading in enumerate(reversed(section)) if heading_code(heading, counts) == code)
    return 0 if code in _in_rows(text, False) else next(depths, 0)


def passage_identifiers(title: str, section: Sequence[str], text: str) -> tuple[str, ...]:
    """All identifiers that stand in a passage and its headings, bare numbers that are codes here included."""
    counts = speaks_of_codes(title, *section)
    codes = [heading_code(heading, counts) for heading in section]
    found = find_identifiers("\n".join((*section, text)))
    return tuple(dict.fromkeys((*found, *(c for c in codes if c), *own_codes(title, section, text))))


def speaks_of_codes(*names: str) -> bool:
    """Whether a title, heading or column name says that numbers below it are codes."""
    return any(_SPEAKS_OF_CODES.search(name) for name in names)


def heading_code(heading: str, numbers_count: bool) -> str:
    """The code that a heading opens with, in normal form, or ''; a range opens with none."""
    text = fold(heading)
    match = _NAMED.match(text) or _OPENS.match(text)
    if match:
        found = find_identifiers(match.group(1)) if not match.group(1).isdecimal() else (match.group(1),)
        return found[0] if found else ""
    number = _NUMBER.match(text) if numbers_count else None
    return (number.group(1) or number.group(2)) if number else ""


def _in_rows(text: str, numbers_count: bool) -> Iterator[str]:
    """Codes in the key cell of each row: a column of codes, else one of numbers, else the first."""
    for line in text.split("\n"):
        if " | " not in line:
            continue
        pairs = [cell.partition(": ")[::2] for cell in line.split(" | ")[:CELLS_LOOKED_AT]]
        cells = [(label.strip(), value) if value else ("", label) for label, value in pairs]
        counts = numbers_count or speaks_of_codes(*(label for label, _ in cells))
        keyed = [value for label, value in cells if _CODE_COLUMN.match(label)]
        keyed += [value for label, value in cells if _KEY_COLUMN.match(label)]
        label, first = cells[0]
        found = next((codes for codes in (_codes(value, counts) for value in keyed) if codes), [])
        yield from found or _codes(first, counts and not label)


def _codes(value: str, numbers_count: bool) -> list[str]:
    """The codes that a cell consists of; [] when it holds anything else."""
    pieces = [piece for piece in _AND.split(fold(value).strip()) if piece]
    if not pieces or len(pieces) > CODES_IN_CELL or not all(_WHOLE.fullmatch(piece) for piece in pieces):
        return []
    bare = [piece for piece in pieces if piece.lstrip("-").isdecimal()]
    if bare and not numbers_count:
        return []
    return [normal_form(piece) for piece in pieces if piece in bare or find_identifiers(piece)]


def _in_lines(text: str, numbers_count: bool) -> list[str]:
    """Codes that open the lines of a list without columns."""
    found: list[str] = []
    for line in text.split("\n"):
        match = _LINE.match(fold(line)) if " | " not in line else None
        if match and match.group(1):
            found += find_identifiers(match.group(1))
        elif match and numbers_count:
            found.append(match.group(2))
    return found
