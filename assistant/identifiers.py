"""Fault codes, part numbers and model numbers, found the same way in manuals, work orders and questions.

An identifier is compared in its normal form: full-width forms folded, lower case, separators removed, so that
`E-07`, `E07` and `Ｅ－０７` are one. Quantities ('250 bar', '0.5-0.75 in', '2024-03-01') are not identifiers.
"""

import re
import unicodedata

# How far on both sides of a code its neighbours are looked for.
REACH = 25

_SEPARATORS = re.compile(r"[\s\-_./#]+")
_DASHES = str.maketrans(dict.fromkeys("‐‑‒–—−﹣", "-"))

# Letters and digits in one token with at least one of each: E-07, HP-250, MS51967-8, MIL-A-53009, 6ES7-315.
_MIXED = re.compile(
    r"(?<![A-Za-z0-9.\-])(?=[A-Za-z0-9\-.]*\d)(?=[A-Za-z0-9\-.]*[A-Za-z])"
    r"[A-Za-z0-9]+(?:[\-.][A-Za-z0-9]+)*(?![A-Za-z0-9])"
)
# Digit groups joined by dashes, as in part and stock numbers: 44-1180, 4310-01-158-3262.
_GROUPED = re.compile(r"(?<![A-Za-z0-9.,\-/])\d{2,}(?:-\d{2,})+(?![A-Za-z0-9.,\-/]\d|[A-Za-z])")
# Four digits and more standing alone: alarm 7032, order 60401233, error -1061088875.
_LONG = re.compile(r"(?<![A-Za-z0-9.,/])(?<![A-Za-z0-9]-)\d{4,}(?![A-Za-z0-9]|[.,\-/]\d)")
# What says that the number after it is a code, in both languages.
CODE_WORD = (
    r"(?<![A-Za-z])(?:error|fault|alarm|alm|err|code|trip|message|warning)s?(?![A-Za-z])"
    r"(?:\s*(?:codes?|numbers?|no\.?|nr\.?|id)(?![A-Za-z]))?\s*[:#]?\s*"
    r"|(?:报警|告警|警报|故障|错误|代码|报错|报)(?:信息|提示)?(?:代码|编号|号|码)?\s*[:：#]?\s*"
)
_LINK = r"(?:(?:is|was|shows?|reads?)\s+|为|是|显示)?[\"'“”「『]?"
# No decimal, and no end of a range ('alarms 7000 - 7999').
_NUMBER = r"\d{1,10}(?![A-Za-z0-9]|[.,]\d|\s*(?:[-–—~～至到]|to\b)\s*\d+(?![A-Za-z\d]))"
_AFTER_WORD = re.compile(
    rf"(?:{CODE_WORD}){_LINK}-?({_NUMBER}(?:\s*(?:[,/、&]|and|or|和|与|或|及)\s*-?{_NUMBER})*)", re.IGNORECASE
)
_BEFORE_WORD = re.compile(r"(?<![A-Za-z0-9.,\-])(\d{1,8})\s*号\s*(?:报警|告警|警报|故障|错误)")
# The cell of a record that names it: 'id: 16'.
_LABELLED = re.compile(r"(?:^|\| )id: -?(\d{1,8})(?= \||$)", re.IGNORECASE | re.MULTILINE)
_WORD_AND_NUMBER = re.compile(r"(?<![A-Za-z0-9])([A-Z]{1,4}) (\d{2,6})(?![A-Za-z0-9]|[.,\-]\d)")
_SPACED = re.compile(r"(?<![A-Za-z0-9])([A-Za-z]{1,3})[ \-]+(\d{1,5})(?![A-Za-z0-9]|[.,]\d)")

_UNIT = (
    r"(?:n\W?m|k?pa|mpa|bar|psi[ag]?|rpm|min|hr?s?|hours?|days?|weeks?|months?|years?|sec(?:onds)?|m?s|k?w|kva|va"
    r"|m?v(?:dc|ac)?|m?a|k?hz|[kmcµu]?m|in(?:ch(?:es)?)?|f(?:t|eet)|lbs?|k?g|oz|m?l|gal(?:lons?)?|qts?|pints?|cc"
    r"|°?\s?[cf]|deg\w*|ppm|%|x|st|nd|rd|th|号机|小时|分钟|秒|天|年|月|日|转|毫?米|毫?升|毫安|千瓦|兆帕|牛|公斤|千克|度|个|次|伏|安)"
)
_QUANTITY = re.compile(rf"[\d.,\-/]*\d(?:{_UNIT})(?:[²³23])?", re.IGNORECASE)
_UNIT_FOLLOWS = re.compile(rf"\s?(?:{_UNIT})(?![A-Za-z])", re.IGNORECASE)
_DATE = re.compile(
    r"(?:19|20)\d{2}[\-/.](?:0?[1-9]|1[0-2])(?:[\-/.]\d{1,2})?|\d{1,2}[\-/.]\d{1,2}[\-/.](?:19|20)\d{2}"
)


_SHAPE = re.compile(r"([a-z]*)(\d+)")
# Letters that a display, a stamp or a hurried thumb makes of digits.
_LOOKS = str.maketrans("oilsbz", "011582")
# 'CO2', 'No2', 'IO3' mean what they say.
_WORDS_IN_O = frozenset({"co", "no", "so", "io"})
_LETTERS_FIRST = re.compile(r"^([a-z]*)(\d[\doilsbz]*)$")


def fold(text: str) -> str:
    """Full-width forms and the many dashes of typesetting as plain ASCII; letters keep their case."""
    return unicodedata.normalize("NFKC", text).translate(_DASHES)


def normal_form(identifier: str) -> str:
    """The form in which identifiers are compared and stored: 'E-07' -> 'e07'."""
    return _SEPARATORS.sub("", fold(identifier)).casefold()


def find_identifiers(text: str) -> tuple[str, ...]:
    """Identifiers that stand in a text, in normal form, each once, in order of appearance."""
    text = fold(text)
    found: list[str] = []
    for match in _MIXED.finditer(text):
        token = match.group()
        if not (_QUANTITY.fullmatch(token) or _DATE.fullmatch(token)) and len(token) <= 40:
            found.append(token)
    for pattern in (_GROUPED, _LONG):
        for match in pattern.finditer(text):
            if not (_UNIT_FOLLOWS.match(text, match.end()) or _DATE.fullmatch(match.group())):
                found.append(match.group())
    found += named_codes(text)
    found += [match.group(1) for match in _LABELLED.finditer(text)]
    found += ["".join(match.groups()) for match in _WORD_AND_NUMBER.finditer(text)]
    return tuple(dict.fromkeys(normal_form(token) for token in found))


def named_codes(text: str) -> tuple[str, ...]:
    """Numbers that a text calls codes: 'alarm 7030', 'errors 41 and 42', '70号报警'; no quantities."""
    text = fold(text)
    found = []
    for match in _AFTER_WORD.finditer(text):
        if not _UNIT_FOLLOWS.match(text, match.end()):
            found += re.findall(r"\d+", match.group(1))
    found += [match.group(1) for match in _BEFORE_WORD.finditer(text)]
    return tuple(dict.fromkeys(found))


def candidate_identifiers(question: str) -> tuple[str, ...]:
    """What a question may mean as an identifier, however it is typed.

    Looser than find_identifiers ('e 07', 'e 7', 'EO7'): harmless, because a candidate only counts when the
    plant's documents hold it.
    """
    found = find_identifiers(question)
    spaced = [normal_form("".join(match.groups())) for match in _SPACED.finditer(fold(question))]
    alike = [code for identifier in found for code in look_alikes(identifier)]
    return tuple(dict.fromkeys((*found, *spaced, *alike)))


def without_identifiers(text: str) -> str:
    """The text without its codes and numbers of parts and models; quantities stay."""
    held = set(find_identifiers(text))
    folded = fold(text)
    for pattern in (_MIXED, _GROUPED, _LONG, _WORD_AND_NUMBER):
        folded = pattern.sub(
            lambda match: "" if normal_form(match.group()) in held else match.group(), folded
        )
    return " ".join(folded.split()).strip(" ,;:，；：")


def look_alikes(identifier: str) -> tuple[str, ...]:
    """What an identifier in normal form may have been meant as: 'eo7' -> 'e07', '7o32' -> '7032'.

    Only letters that stand among the digits are read as digits, never one digit as another: a code that is
    typed in digits is no other code.
    """
    match = _LETTERS_FIRST.fullmatch(identifier)
    if match is None or match.group(1) in _WORDS_IN_O:
        return ()
    head, tail = match.groups()
    if len(head) > 1 and head.endswith("o"):
        head, tail = head[:-1], f"0{tail}"
    code = head + tail.translate(_LOOKS)
    return (code,) if code != identifier else ()


def neighbours(code: str) -> tuple[str, ...]:
    """Codes up to REACH before and after one in normal form: e07 -> e01, e02 ... e32; nearest first."""
    shape = _SHAPE.fullmatch(code)
    if shape is None:
        return ()
    letters, digits = shape.groups()
    around = (int(digits) + sign * step for step in range(1, REACH + 1) for sign in (-1, 1))
    written = ((f"{letters}{n:0{len(digits)}}", f"{letters}{n}") for n in around if n >= 0)
    return tuple(dict.fromkeys(code for pair in written for code in pair))
