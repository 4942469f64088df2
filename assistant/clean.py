"""Text as a reader sees it: without the characters that stand in it and cannot be seen.

Such characters hide words from people and show them to a model (tag characters, zero-width letters), turn the
order of what is read (bidirectional controls; Boucher and Anderson 2021, 'Trojan Source', arXiv:2111.00169),
or part a code so that no search finds it. Files that are read
and prompts that are built pass through here.
"""

import re

# Of categories Cc, Cf and Cs what has no shape of its own; fillers, variation selectors, noncharacters.
_UNSEEN = re.compile(
    "[\u0000-\u0008\u000e-\u001f\u007f-\u0084\u0086-\u009f"
    "\u00ad\u034f\u061c"
    "\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f"
    "\u2800\u3164\ud800-\udfff\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\ufffe\uffff"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    "\U000e0000-\U000e0fff]+"
)
_LINE_END = re.compile("\r\n?|[\u000b\u000c\u0085\u2028\u2029]")
# What ordinary texts hold none of: it turns the order of letters or spells words in tag characters.
_HIDING = re.compile("[\u202a-\u202e\u2066-\u2069\U000e0020-\U000e007f]")


def visible(text: str) -> str:
    """A text without what cannot be seen; every kind of line end becomes a newline, tabs and blanks stay."""
    if text.isascii() and text.isprintable():
        return text
    return _UNSEEN.sub("", _LINE_END.sub("\n", text))


def hides_words(text: str) -> bool:
    """Whether a text holds characters that ordinary texts hold none of and that hide or turn words.

    Soft hyphens, zero-width blanks and marks of direction, which word processors leave behind, do not count.
    """
    return _HIDING.search(text) is not None
