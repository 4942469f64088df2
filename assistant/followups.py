"""A follow-up written out: with what it takes from the conversation before it.

'and the torque for it?' means nothing by itself. What it leans on is the question before it, the choice that
the assistant offered, and the part that the assistant's answer named. The new words stay as they are typed,
and stand last.
"""

import re
from collections.abc import Sequence

from assistant.identifiers import find_identifiers, fold
from assistant.language import sentences
from assistant.schema import Turn

# A question of fewer words than this, beside its identifiers, leans on the one before it.
FEW_WORDS = 4
FEW_CHARACTERS = 8
# A chain of follow-ups is walked back so far.
STEPS_BACK = 3
_POINTS_BACK = re.compile(
    r"\b(?:it|its|that|those|them|they|one|ones|same|again|instead|other|others)\b"
    r"|^\W*(?:and|or|but|yes|yeah|yep|no|ok|okay|then|so|what about|how about"
    r"|the (?:first|second|last|latter))\b"
    r"|[它其]|这[个些种台]|那[个些种台么]?|呢\W*$|^\W*(?:还有|另外|也|是的|对|不是)|同样|刚才|上面|前者|后者",
    re.IGNORECASE,
)
_WORD = re.compile(r"[a-z][a-z'\-]*|\d[\d.,/]*\w*|[\u3400-\u9fff]", re.IGNORECASE)
_MARKER = re.compile(r"\s*[\[【]\d{1,2}[\]】]")


def leans(text: str) -> bool:
    """Whether a question needs the one before it to be understood."""
    words = _WORD.findall(fold(text))
    chinese = sum(not word.isascii() for word in words)
    if find_identifiers(text) and not _POINTS_BACK.search(text):
        return False
    few = chinese < FEW_CHARACTERS if chinese else len(words) < FEW_WORDS
    return few or bool(_POINTS_BACK.search(text))


def written_out(text: str, history: Sequence[Turn]) -> str:
    """The question with what it takes from the history; the text itself when it takes nothing."""
    if not leans(text):
        return text
    before = _subject(history)
    return f"{before}\n{text}" if before else text


def _subject(history: Sequence[Turn]) -> str:
    """The last question that stands by itself, and those that led on from it."""
    taken: list[str] = []
    for turn in reversed(history):
        if turn.role != "user":
            continue
        taken.append(turn.content.strip())
        if not leans(turn.content) or len(taken) == STEPS_BACK:
            break
    return "\n".join(reversed([words for words in taken if words]))


def said(turn: Turn) -> str:
    """The first sentence of a turn, without its markers."""
    first = sentences(_MARKER.sub("", turn.content))
    return first[0] if first else ""
