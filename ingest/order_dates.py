"""Dates of an export: the order of day and month from the whole column, and each date as ISO 8601."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Literal

DateOrder = Literal["dmy", "mdy"]
# 'ymd' needs no guess; 'mixed' proves both orders; 'unknown' proves none.
Told = Literal["", "ymd", "dmy", "mdy", "mixed", "unknown"]

_YEAR_FIRST = re.compile(r"(\d{4})\s*[-/.年]\s*(\d{1,2})\s*[-/.月]\s*(\d{1,2})日?(?=\D|$)")
_COMPACT = re.compile(r"((?:19|20)\d{2})(\d{2})(\d{2})(?:(\d{2})(\d{2})(?:\d{2})?)?$")
_YEAR_LAST = re.compile(r"(\d{1,2})\s*[-/. ]\s*(\d{1,2})\s*[-/. ]\s*(\d{4}|\d{2})(?=\D|$)")
_NAMED = re.compile(r"(\d{1,2})[-/. ]*([A-Za-z]{3})[a-z]*[-/., ]*(\d{4}|\d{2})(?=\D|$)")
_NAMED_FIRST = re.compile(r"([A-Za-z]{3})[a-z]*\.? +(\d{1,2}),? +(\d{4})(?=\D|$)")
_TIME = re.compile(r"[T\s]*(\d{1,2}):(\d{2})(?::\d{2}(?:[.,]\d+)?)?\s*([AaPp][Mm])?")
_SERIAL = re.compile(r"\d{5}(?:\.\d+)?$")
_EPOCH = re.compile(r"\d{13}$")
_MONTHS = {name: number for number, name in enumerate(
    "jan feb mar apr may jun jul aug sep oct nov dec".split(), start=1
)}  # fmt: skip
# Excel counts days from here (it takes 1900 for a leap year).
_EXCEL_ZERO = datetime(1899, 12, 30, tzinfo=UTC)
# Share of neighbours in order from which an order of dates counts as sorted, and as not.
_SORTED, _UNSORTED, _ENOUGH = 0.99, 0.97, 20


@dataclass(frozen=True, slots=True)
class DateGuess:
    """The order of a column's dates, and what proves it ('13/02/2025 has no 13th month')."""

    order: Told
    because: str = ""


def guess_order(cells: Iterable[str]) -> DateGuess:
    """The order of day and month that a column's dates are written in.

    A number above 12 cannot be a month. Where no date proves anything, the order in which the rows come in
    time decides if it is clear; otherwise it stays unknown.
    """
    texts = [cell for cell in cells if cell]
    proofs: dict[DateOrder, list[str]] = {"dmy": [], "mdy": []}
    either: list[tuple[int, int, int]] = []
    for text in texts:
        match = _YEAR_LAST.match(text)
        if match and not _YEAR_FIRST.match(text):
            first, second, year = int(match[1]), int(match[2]), _year(match[3])
            if first > 12:
                proofs["dmy"].append(text)
            elif second > 12:
                proofs["mdy"].append(text)
            either.append((first, second, year))
    if not either:
        return DateGuess("ymd") if any(to_iso(text, "unknown") for text in texts) else DateGuess("")
    if proofs["dmy"] and proofs["mdy"]:
        return DateGuess("mixed", f"{proofs['dmy'][0]} and {proofs['mdy'][0]} are both there")
    for order, proof in proofs.items():
        if proof:
            return DateGuess(order, f"{len(proof)} dates such as {proof[0]} allow only this")
    return _by_sequence(either)


def _by_sequence(dates: Sequence[tuple[int, int, int]]) -> DateGuess:
    ways = {
        "dmy": [(year, second, first) for first, second, year in dates],
        "mdy": [(year, first, second) for first, second, year in dates],
    }
    shares = {order: _sortedness(days) for order, days in ways.items()}
    best = max(shares, key=lambda order: shares[order])
    other = min(shares.values())
    if len(dates) >= _ENOUGH and shares[best] >= _SORTED and other < _UNSORTED:
        return DateGuess("dmy" if best == "dmy" else "mdy", "read so, the rows follow one another in time")
    return DateGuess("unknown", "no date has a number above 12")


def _sortedness(days: Sequence[tuple[int, int, int]]) -> float:
    steps = Counter(
        (after > before) - (after < before) for before, after in zip(days, days[1:], strict=False)
    )
    moving = steps[1] + steps[-1]
    return max(steps[1], steps[-1]) / moving if moving else 0.0


def to_iso(text: str, order: Told) -> str | None:
    """A date as 2025-03-01 or 2025-03-01 14:30; None where it cannot be read for sure."""
    text = text.strip()
    found = _day(text, order)
    if found is None:
        return None
    day, rest = found
    if isinstance(day, datetime):
        return day.strftime("%Y-%m-%d %H:%M") if day.hour or day.minute else day.date().isoformat()
    time = _TIME.match(rest)
    if not time:
        return day.isoformat()
    hour = int(time[1]) % 12 + 12 * (time[3].casefold() == "pm") if time[3] else int(time[1])
    return f"{day.isoformat()} {hour:02d}:{time[2]}" if hour < 24 else day.isoformat()


def _day(text: str, order: Told) -> tuple[date, str] | None:
    if match := _YEAR_FIRST.match(text):
        return _made(match[1], match[2], match[3], text[match.end() :])
    if match := _COMPACT.match(text):
        clock = f" {match[4]}:{match[5]}" if match[4] else ""
        return _made(match[1], match[2], match[3], clock)
    if match := _NAMED.match(text):
        return _made(match[3], str(_MONTHS.get(match[2].casefold(), 0)), match[1], text[match.end() :])
    if match := _NAMED_FIRST.match(text):
        return _made(match[3], str(_MONTHS.get(match[1].casefold(), 0)), match[2], text[match.end() :])
    if match := _YEAR_LAST.match(text):
        return _year_last(match, order, text[match.end() :])
    if _SERIAL.match(text) and 20_000 < float(text) < 80_000:
        return _EXCEL_ZERO + timedelta(days=round(float(text) * 1440) / 1440), ""
    if _EPOCH.match(text):
        return datetime.fromtimestamp(int(text) / 1000, UTC), ""
    return None


def _year_last(match: re.Match[str], order: Told, rest: str) -> tuple[date, str] | None:
    first, second = int(match[1]), int(match[2])
    if first > 12 or (order == "dmy" and second <= 12) or first == second:
        return _made(match[3], match[2], match[1], rest)
    if second > 12 or order == "mdy":
        return _made(match[3], match[1], match[2], rest)
    return None


def _made(year: str, month: str, day: str, rest: str) -> tuple[date, str] | None:
    try:
        return date(_year(year), int(month), int(day)), rest
    except ValueError:
        return None


def _year(text: str) -> int:
    """Two digits mean the years 1970 to 2069."""
    year = int(text)
    return year if len(text) == 4 else year + (1900 if year >= 70 else 2000)
