"""Fault codes, part numbers and model numbers, found the same way in manuals, work orders and questions.

An identifier is compared in its normal form: full-width forms folded, lower case, separators removed, so that
`E-07`, `E07` and `Ｅ－０７` are one. Quantities ('250 bar', '0.5-0.75 in', '2024-03-01') are not identifiers.
"""

import re
import unicodedata

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
_CODE_WORD = (
    r"(?:error|fault|alarm|alm|err|code|trip|message|warning|报警号?|故障码?|错误码?|代码|警报|报错|报)"
    r"(?:\s*(?:code|number|no\.?|nr\.?|代码|号))?\s*[:：#]?\s*"
)
_AFTER_WORD = re.compile(rf"(?<![A-Za-z]){_CODE_WORD}(\d{{1,6}})(?![A-Za-z0-9]|[.,]\d)", re.IGNORECASE)
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
    found += [match.group(1) for match in _AFTER_WORD.finditer(text)]
    found += ["".join(match.groups()) for match in _WORD_AND_NUMBER.finditer(text)]
    return tuple(dict.fromkeys(normal_form(token) for token in found))


def candidate_identifiers(question: str) -> tuple[str, ...]:
    """What a question may mean as an identifier, however it is typed.

    Looser than find_identifiers ('e 07', 'e 7'): harmless, because a candidate only counts when the plant's
    documents hold it.
    """
    spaced = ("".join(match.groups()) for match in _SPACED.finditer(fold(question)))
    return tuple(dict.fromkeys((*find_identifiers(question), *(normal_form(token) for token in spaced))))
