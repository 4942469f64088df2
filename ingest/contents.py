"""Tables of contents and indexes: lists that name every section and code of a manual and answer nothing."""

import re
from collections.abc import Sequence

from ingest.lines import Line

LEADER = re.compile(r"(?:\s*\.){4,}\s*|\s*…{2,}\s*|\s*[·‧]{4,}\s*|\s*_{4,}\s*")
WRAPPED = 2
MIN_INDEX = 6
# Where none of these stands there is no leader: much faster than the pattern.
_LEADING = ("..", ". .", "…", "··", "‧‧", "__")
_PAGE_LABEL = re.compile(r"(?:[A-Z]{1,3}[-.]?)?\d{1,4}(?:[-–.]\d{1,4})?$|\b[ivxlc]{1,7}$")
# What stands over such a list: its title, and the heading of its column of page numbers.
_HEADING = re.compile(r"(?:\b(?:page|index|contents)|页码?|页次|目录|索引)$", re.IGNORECASE)


def without_contents(lines: Sequence[Line]) -> list[Line]:
    """Drops runs of lines with leaders that end in page labels and ascend by label or by the alphabet.

    A list of values with leaders ('Weight …… 868 lb') does neither and stays.
    """
    kept: list[Line] = []
    index = 0
    while index < len(lines):
        end = _end_of_entries(lines, index)
        entries = [line for line in lines[index:end] if _is_entry(line)]
        if _ascending(entries) or _alphabetical(entries):
            while kept and _HEADING.search(kept[-1].text.strip()):
                kept.pop()
            index = end
        else:
            kept.extend(lines[index : max(end, index + 1)])
            index = max(end, index + 1)
    return kept


def _is_entry(line: Line) -> bool:
    text = line.text
    if not any(sign in text for sign in _LEADING):
        return False
    return bool(LEADER.search(text) and _PAGE_LABEL.search(line.text))


def _end_of_entries(lines: Sequence[Line], start: int) -> int:
    """Index after the last of the entries that begin here; an entry may be wrapped over two more lines."""
    end = index = start
    while index < len(lines) and index - end <= WRAPPED:
        index += 1
        if _is_entry(lines[index - 1]):
            end = index
        elif end == start:
            break
    return end


def _ascending(entries: Sequence[Line]) -> bool:
    labels = [_PAGE_LABEL.search(line.text) for line in entries]
    numbers = [[int(n) for n in re.findall(r"\d+", match.group())] for match in labels if match]
    ordered = sum(1 for a, b in zip(numbers, numbers[1:], strict=False) if a <= b)
    return len(entries) >= 2 and ordered >= 0.8 * (len(numbers) - 1)


def _alphabetical(entries: Sequence[Line]) -> bool:
    names = [line.text.casefold() for line in entries]
    ordered = sum(1 for a, b in zip(names, names[1:], strict=False) if a <= b)
    return len(names) >= MIN_INDEX and ordered >= 0.9 * (len(names) - 1)
