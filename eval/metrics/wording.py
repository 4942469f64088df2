"""Whether an answer holds given words, whatever its blanks, commas, widths and markers."""

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache

from assistant.identifiers import fold
from assistant.language import sentences

_MARKER = re.compile(r"\s*[\[【]\d{1,2}(?:\s*[,，、;；]\s*\d{1,2})*[\]】]")
_MARKDOWN = re.compile(r"\*\*|__|`|^\s*#{1,6}\s+", re.MULTILINE)
_COMMA_IN_NUMBER = re.compile(r"(?<=\d),(?=\d)")
_QUOTE_MARKS = re.compile(r"[“”„«»]|(?<!\w)\"|\"(?!\w)")
# Fewer letters than these stand in many passages by chance.
_QUOTE_LETTERS = 12
# 'N·m' is 'Nm'.
_MIDDLE_DOT = re.compile(r"(?<=[A-Za-z])[·⋅•∙](?=[A-Za-z])")


def marks(text: str) -> list[int]:
    """The numbers of a text's markers [n], [n, m] and 【n】, in order of appearance."""
    return [int(n) for marker in _MARKER.findall(text) for n in re.findall(r"\d+", marker)]


def unmarked(text: str) -> str:
    """A text without markers and without Markdown's emphasis and heading signs."""
    return _MARKDOWN.sub("", _MARKER.sub("", text))


def statements(text: str) -> list[str]:
    """The sentences of an answer; quotation marks, which could hide the number of a step, are dropped."""
    return sentences(_QUOTE_MARKS.sub("", text))


def plain(text: str) -> str:
    """A text as it is compared: no markers, full width folded, no case, no commas inside numbers."""
    folded = _COMMA_IN_NUMBER.sub("", fold(unmarked(text)))
    visible = "".join(letter for letter in folded if unicodedata.category(letter) != "Cf")
    return _MIDDLE_DOT.sub("", visible).casefold()


def holds(text: str, words: str, *, whole: bool = False) -> bool:
    """Whether a text holds words; blanks do not count, and a number ends where its digits end.

    Args:
        text: as written.
        words: to be found, as written.
        whole: words that begin with a letter must begin a word there, so that 'ear' is not in 'clear'.
    """
    return _pattern(words, whole).search(plain(text)) is not None


def holds_each(text: str, groups: Sequence[Sequence[str]]) -> bool:
    """Whether a text holds one wording of every group."""
    return all(any(holds(text, words) for words in group) for group in groups)


@lru_cache(maxsize=20_000)
def letters(text: str) -> str:
    """A text's letters and digits alone, without what a page's layout adds or drops."""
    return "".join(letter for letter in plain(text) if letter.isalnum())


def is_quoted(sentence: str, passage: str) -> bool:
    """Whether a sentence of some length stands word for word in a passage."""
    quoted = letters(sentence)
    return len(quoted) >= _QUOTE_LETTERS and quoted in letters(passage)


@lru_cache(maxsize=20_000)
def _pattern(words: str, whole: bool) -> re.Pattern[str]:
    letters = [re.escape(letter) for letter in plain(words) if not letter.isspace()]
    first, last = plain(words).strip()[:1], plain(words).strip()[-1:]
    before = r"(?<!\d)(?<!\d\.)" if first.isdigit() else r"(?<![a-z])" if whole and first.isascii() else ""
    # '22' is in '22.0' but not in '22.5' or '220'.
    after = r"(?!\d)(?!\.\d*[1-9])" if last.isdigit() else ""
    return re.compile(before + r"\s*".join(letters) + after)
