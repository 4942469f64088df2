"""Which of the two languages a text is in, and where its sentences end."""

import re

from assistant.schema import Language

_CHINESE = re.compile(r"[\u3400-\u9fff]")
_END = re.compile(
    r"(?<=[。！？；])\s*"  # Chinese sentences need no space after them
    r"|(?<=[.!?])[\"')\]]*\s+(?=[A-Z\u3400-\u9fff\[(\"'*\-•\d])"
    r"|\n+"
)
# A sentence does not end after these, nor after a step number such as '2.'.
_ABBREVIATION = re.compile(
    r"(?:\b(?:no|nos|fig|approx|e\.g|i\.e|max|min|ref|para|vs|dia|qty)|(?:^|\s)\d{1,2})\.$", re.IGNORECASE
)


def language_of(text: str) -> Language:
    """'zh' when a text holds Chinese characters worth a sixth of its letters, else 'en'."""
    chinese = len(_CHINESE.findall(text))
    letters = sum(character.isalpha() for character in text)
    return "zh" if chinese and chinese * 6 >= letters else "en"


def sentences(text: str) -> list[str]:
    """A text cut into sentences and lines, without empty ones; a marker [n] stays with what it follows."""
    pieces: list[str] = []
    for piece in _END.split(text):
        piece = piece.strip()
        if not piece:
            continue
        marker_only = re.fullmatch(r"(?:\[\d+\][\s,.;。]*)+", piece)
        if pieces and (marker_only or _ABBREVIATION.search(pieces[-1])):
            pieces[-1] = f"{pieces[-1]} {piece}"
        else:
            pieces.append(piece)
    return pieces
