"""What Excel shows in a cell: its number formats (ECMA-376 part 1, 18.8.30), as far as codes need them."""

import re
from datetime import date, datetime, time, timedelta

_LITERAL = re.compile(r'"([^"]*)"|\\(.)|_.|\*.|\[[^\]]*\]')
_PLACES = re.compile(r"[#0?][#0?,]*(?:\.[#0?]+)?|\.[#0?]+")
_HIDDEN = "\x00"


def shown(value: object, number_format: str) -> tuple[str, bool]:
    """A cell's text.

    Dates are written as ISO 8601, because the same file shows them in the order of whoever opens it. A date
    without its year or its day ('1-Mar', 'Sep-07') and a number in powers of ten ('1.00E+05') are what Excel
    makes of codes such as MAR-1, SEP-07 and 1E5.

    Args:
        value: as openpyxl reads it.
        number_format: the cell's format code.

    Returns:
        The text, and whether Excel may have changed a code into it.
    """
    if value is None:
        return "", False
    if isinstance(value, bool):
        return str(value).upper(), False
    if isinstance(value, datetime):
        return _date(value, number_format)
    if isinstance(value, date | time):
        return value.isoformat(), False
    if isinstance(value, timedelta):
        return str(value), False
    if isinstance(value, int | float):
        return _number(value, number_format)
    return str(value).strip(), False


def _date(value: datetime, number_format: str) -> tuple[str, bool]:
    code = _LITERAL.sub("", number_format).lower()
    if "h" in code or "s" in code:
        return value.isoformat(" ", "seconds").removesuffix(":00"), False
    day, month, year = "d" in code, "m" in code, "y" in code
    if day and month and not year:
        return f"{value.day}-{value:%b}", True
    if month and year and not day:
        return f"{value:%b}-{value:%y}", True
    return value.date().isoformat(), False


def _number(value: float, number_format: str) -> tuple[str, bool]:
    literals: list[str] = []

    def hide(match: re.Match[str]) -> str:
        literals.append(match.group(1) or match.group(2) or "")
        return _HIDDEN

    code = _LITERAL.sub(hide, _section(value, number_format))
    if re.search(r"e[+-]", code, re.IGNORECASE):
        decimals = len(re.findall(r"[0#?]", re.split("e", code, flags=re.IGNORECASE)[0].partition(".")[2]))
        return f"{value:.{decimals}E}", True
    places = _PLACES.search(code)
    if not places or "/" in code or code.strip(_HIDDEN).lower() in {"", "general", "@"}:
        return _plain(value), False
    filled = _filled(value * 100 if "%" in code else value, places.group())
    negative = "-" if value < 0 and ";" not in number_format else ""
    before, after = code[: places.start()], code[places.end() :]
    text = f"{before}{negative}{filled}{after}"
    for literal in literals:
        text = text.replace(_HIDDEN, literal, 1)
    return text.strip(), False


def _section(value: float, number_format: str) -> str:
    """The part of a format that holds for positive, negative or zero values."""
    sections = number_format.split(";")
    if value < 0 and len(sections) > 1:
        return sections[1]
    if value == 0 and len(sections) > 2:
        return sections[2]
    return sections[0]


def _filled(value: float, places: str) -> str:
    whole, _, fraction = places.partition(".")
    most = len(fraction)
    least = len(fraction.rstrip("#?"))
    text = f"{abs(value):.{most}f}"
    left, _, right = text.partition(".")
    left = left.zfill(whole.count("0"))
    if "," in whole:
        left = f"{int(left):,}" if not left.startswith("0") else left
    while len(right) > least and right.endswith("0"):
        right = right[:-1]
    return f"{left}.{right}" if right else left


def _plain(value: float) -> str:
    """A number in the General format, without the noise of binary fractions and never in powers of ten."""
    if isinstance(value, int) or (value.is_integer() and abs(value) < 1e15):
        return str(int(value))
    text = f"{value:.15g}"
    return f"{value:.15f}".rstrip("0") if "e" in text else text
