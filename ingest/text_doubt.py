"""Is a PDF's text layer what one sees? Decided from what its characters are, whatever the language.

A doubt is no verdict: the page is read by OCR as well, and its text layer stays when the two agree.
"""

import unicodedata
from typing import Any

import pypdfium2.raw as raw

SAMPLE = 200
# Shares of the characters, above which a text layer is doubted.
UNMAPPED = 0.3
UNREADABLE = 0.2
FEW_LETTERS = 0.4
NO_MAP = "text layer has no Unicode map"
NOT_TEXT = "text layer holds replacement or control characters"
# U+0002 is PDFium's hyphen at a line's end; the others part words and lines.
_HARMLESS = frozenset("\0\x02\t\n\r\x0b\x0c\xad")


def doubt_of(text_page: Any, text: str) -> str:
    """Why the text of an open PDFium text page is doubted, or empty.

    Args:
        text_page: of PDFium.
        text: its characters, one for each index.
    """
    step = max(1, len(text) // SAMPLE)
    places = [index for index in range(0, len(text), step) if not text[index].isspace()]
    if not places:
        return ""
    unmapped = sum(1 for index in places if raw.FPDFText_HasUnicodeMapError(text_page, index) == 1)
    if unmapped > UNMAPPED * len(places):
        return NO_MAP
    if text.isascii() and text.isprintable():
        return ""
    strange = sum(1 for index in places if is_unreadable(text[index]))
    return NOT_TEXT if strange > UNREADABLE * len(places) else ""


def is_unreadable(char: str) -> bool:
    """True for replacement, private-use, unassigned and control characters."""
    return char == "\ufffd" or (unicodedata.category(char) in {"Co", "Cn", "Cc"} and char not in _HARMLESS)


def looks_scrambled(text: str) -> bool:
    """True for text as a font without a Unicode map gives it: few letters, or capitals and digits in words.

    Part lists look the same; so this counts only together with such a font.
    """
    characters = [char for char in text if not char.isspace()]
    letters = sum(1 for char in characters if char.isalpha())
    if letters < FEW_LETTERS * len(characters):
        return True
    words = [word for word in text.split() if len(word) > 3]
    return 2 * sum(1 for word in words if not _is_plain(word)) > len(words)


def _is_plain(word: str) -> bool:
    bare = word.strip(".,;:!?()[]\"'-/…")
    return bare.isdigit() or (bare.isalpha() and (bare.isupper() or bare[1:] == bare[1:].lower()))
