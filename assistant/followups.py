"""A follow-up written out: with what it takes from the conversation before it.

'and the torque for it?' means nothing by itself. What it leans on is the question before it, the choice that
the assistant offered, and what the assistant's answer named. The new words stay as they are typed, and stand
last.
"""

import re
from collections.abc import Sequence

from assistant.attributes import asked, without_asking
from assistant.clean import visible
from assistant.identifiers import find_identifiers, fold
from assistant.language import sentences
from assistant.schema import Turn

# A chain of follow-ups is walked back so far.
STEPS_BACK = 3
# Characters that are carried over from one turn; a question that is longer tells all that it needs.
CARRIED = 300
# With no more words of its own than this, a question that points back takes its subject from before.
OWN_WORDS, OWN_WORDS_POINTED = 2, 4
# With fewer words of its own than this, and no word of what is wanted, it names a subject only.
SUBJECT_ONLY = 4
# A Chinese word has about two characters.
CHARACTERS = 2

# Opens or closes a question that goes on from another.
_GOES_ON = re.compile(
    r"^\W*(?:and|or|but|then|so|also|same|what about|how about|what if"
    r"|(?:yes|yeah|yep|no|nope|ok(?:ay)?)(?=\W*$|\s*[,.;!:]|\s+(?:and|but|so|the|that|then|it)\b)"
    r"|the (?:first|second|third|last|latter|former|other|same)|(?:that|this) one)\b"
    r"|^\W*(?:那|还有|另外|也|是的|对|不是|好的|如果是|换成|第[一二三]|前者|后者|前一个|后一个)|呢\W*$",
    re.IGNORECASE,
)
_POINTS = re.compile(r"\b(?:it|its|that|them|they|there|this|again)\b|[它其]|这个|那个", re.IGNORECASE)
# Points at something that was named: 'those housing screws', 'the other one'.
_POINTS_AT = re.compile(
    r"\b(?:those|these|that one|this one|(?:the )?(?:other|same|second|last|first) (?:ones?|side|end))\b"
    r"|那[些台种边根颗]|这[些种边根颗]|同样|刚才|上面|另一",
    re.IGNORECASE,
)
_WORD = re.compile(r"[a-z][a-z'\-]+|[\u3400-\u9fff]+", re.IGNORECASE)
# Words that name no subject: function words, words of asking.
_EMPTY = frozenset(
    "a about after again ain't all also an and any are as at b4 back be been before both but by can "
    "can't cant could did do does doesn't don't dont each else for from get give go goes got had has "
    "have he her here hi how i if in into is isn't it it's its just know let like many max me mean min "
    "more much my n need needs no not now of off ok okay on once one ones only or other our out over "
    "please pls put same say says she should show so some still such take tell than thanks that that's "
    "thats the their them then there these they thing things this those to too u up ur us use very want "
    "was way we were what what's whats when where which while who whose why will with without won't "
    "wont would yes yet you your".split()
)
_EMPTY_CHINESE = re.compile(
    r"什么|怎么[样办]?|多[久少]|[一每]次|几个?|哪[个些里种]?|吗|呢|吧|啊|的|了|是|在|和|与|有|要|请|问|请问|我|你|这[个些]?|那[个些]?|它|其|又|也|就|都|还|呀|嘛|咋|啥"
)
_HOW = re.compile(
    r"\b(?:how (?:do|to|can|should)|steps?|procedure|why|where|can i|meaning|means?)\b"
    r"|怎么|如何|步骤|为什么|哪里|原因|意思|处理",
    re.IGNORECASE,
)
# What Lineside says when it has no answer: the nearest codes that it offers answer nothing.
_DECLINED = re.compile(
    r"not in the manuals|manuals held here|no manual held|手册.{0,8}没有|没有给出", re.IGNORECASE
)
_MARKER = re.compile(r"\s*[\[【]\d{1,2}[\]】]")
_DIGIT = re.compile(r"\d")
_QUANTITY = re.compile(
    r"(?<![\w.\-])[±<>≤≥~]?\s?\d[\d.,]*(?:\s?(?:to|±|[-–~至])\s?\d[\d.,]*)?\s?°?(?:[a-zμΩ%·/]{1,3}(?![a-z]))?(?![\w\-])",
    re.IGNORECASE,
)
_ORDINAL = re.compile(
    r"\b(?:(first|former|1st)|(second|2nd)|(third|3rd)|(last|latter))\b|第([一1])|第([二2])|第([三3])|(后者|最后|后一个)",
    re.IGNORECASE,
)
_FORMER = re.compile(r"前者|前一个")
_AGREES = re.compile(
    r"^\W*(?:yes|yeah|yep|right|correct|exactly|sure|是的?|对的?|没错|嗯)\W*$", re.IGNORECASE
)
_LISTED = re.compile(r"(?:^|[\s:：])(?:\d|[a-c])[.)、]\s*", re.IGNORECASE)
_EITHER = re.compile(r",?\s+\bor\b\s+|，?(?:还是|或者?|抑或)", re.IGNORECASE)


def leans(text: str) -> bool:
    """Whether a question needs what was said before it to be understood."""
    if len(text) > CARRIED:
        return False
    if _GOES_ON.search(text):
        return True
    own = own_words(text)
    if find_identifiers(text):
        return bool(_POINTS_AT.search(text)) and own <= OWN_WORDS
    nameless = own <= OWN_WORDS and (
        own < OWN_WORDS and bool(asked(text)) or not own_words(without_asking(text))
    )
    if (nameless and not _DIGIT.search(text)) or (own <= OWN_WORDS and _POINTS.search(text)):
        return True
    if own <= OWN_WORDS_POINTED and _POINTS_AT.search(text):
        return True
    asks = text.rstrip().endswith(("?", "？")) and len(text.split()) < SUBJECT_ONLY
    return own < SUBJECT_ONLY and asks and not (asked(text) or _HOW.search(text))


def points_back(text: str) -> bool:
    """Whether a text points at something named before: 'its bolts', 'the other one'."""
    return bool(_POINTS.search(text) or _POINTS_AT.search(text))


def own_words(text: str) -> int:
    """How many words of a text name something, words of asking and pointing left out."""
    words: list[str] = _WORD.findall(fold(text).casefold())
    plain = sum(word.isascii() and word not in _EMPTY for word in words)
    chinese = sum(len(_EMPTY_CHINESE.sub("", word)) for word in words if not word.isascii())
    return plain + (chinese + CHARACTERS - 1) // CHARACTERS


def written_out(text: str, history: Sequence[Turn]) -> str:
    """The question with what it takes from the history; the text itself when it takes nothing."""
    turns = [turn for turn in history if turn.content.strip()]
    if not turns:
        return text
    offered = _choices(turns[-1].content[-CARRIED:]) if turns[-1].role == "assistant" else ()
    chosen = _chosen(text, offered)
    if not (leans(text) or (offered and len(text) <= CARRIED and own_words(text) <= OWN_WORDS_POINTED)):
        return text
    before = _subject(turns)
    said = chosen or _answer(turns)
    return "\n".join(words for words in (before, said, text) if words)


def _subject(turns: Sequence[Turn]) -> str:
    """The last question that stands by itself, and those that led on from it."""
    taken: list[str] = []
    for turn in reversed(turns):
        if turn.role == "user":
            taken.append(" ".join(visible(turn.content).split())[:CARRIED])
            if not leans(turn.content) or len(taken) == STEPS_BACK:
                break
    return "\n".join(reversed(taken))


def _answer(turns: Sequence[Turn]) -> str:
    """What the last answer named, without its figures: they answer what was asked then."""
    if turns[-1].role != "assistant" or _DECLINED.search(turns[-1].content):
        return ""
    first = sentences(_MARKER.sub("", visible(turns[-1].content))[:CARRIED])
    return " ".join(_without_figures(first[0]).split()) if first else ""


def _without_figures(sentence: str) -> str:
    return _QUANTITY.sub(lambda match: match.group() if find_identifiers(match.group()) else " ", sentence)


def _choices(said: str) -> tuple[str, ...]:
    """What a question of the assistant offers: 'the X or the Z axis?', '1. the valve, or 2. the pump?'."""
    question = next(
        (s for s in reversed(sentences(_MARKER.sub("", visible(said)))) if s.rstrip()[-1] in "?？"), ""
    )
    if not question:
        return ()
    pieces = _LISTED.split(question)
    if len(pieces) > 2:
        pieces = pieces[1:]
    else:
        pieces = _EITHER.split(question)
    options = tuple(
        re.sub(r"[\s,，;；]+(?:or|还是|或)?[\s,，]*$", "", piece).strip(" ,，?？.。") for piece in pieces
    )
    return tuple(option for option in options if option) if len(options) > 1 else (question.strip(" ?？"),)


def _chosen(text: str, offered: Sequence[str]) -> str:
    """The choice that a reply takes, by its place or by a word that it shares with no other; '' for none."""
    if not offered:
        return ""
    if _AGREES.match(text):
        return " ".join(offered)
    if _FORMER.search(text):
        return offered[0]
    ordinal = _ORDINAL.search(text)
    if ordinal:
        place = next(n for n, group in enumerate(ordinal.groups()) if group) % 4
        return offered[-1] if place == 3 else offered[min(place, len(offered) - 1)]
    if text.strip().isdecimal() and 0 < int(text) <= len(offered):
        return offered[int(text) - 1]
    shared = [len(_tokens(text) & _tokens(option)) for option in offered]
    best = max(shared)
    return offered[shared.index(best)] if best and shared.count(best) == 1 else ""


def _tokens(text: str) -> set[str]:
    """Words and single characters of Chinese, for comparing a reply with a choice."""
    words = re.findall(r"[a-z0-9][a-z0-9\-]*|[\u3400-\u9fff]", fold(text).casefold())
    return {word for word in words if word not in _EMPTY}
