"""A question as words to look for, each with what a manual may say instead: 'nitrogen' for 'N2'.

Texts are compared in one spelling: folded, in small letters, English words cut to their stems, Chinese as it
stands. Then a wording is held when its spelling is part of the text's.
"""

import re
from dataclasses import dataclass
from functools import lru_cache

from assistant.glossary import glossary
from assistant.identifiers import fold
from assistant.sparse import SparseEncoder

_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")
_PIECE = re.compile(r"[a-z]+|\d+(?:\.\d+)?|[\u3400-\u9fff]+")
# A word of a question: 'n2' and 'hlp-46' are one, however the manual sets them.
_WORD = re.compile(r"[a-z]+(?:-?\d+[a-z0-9]*)?|\d+(?:\.\d+)?[a-z]*")
_CHINESE = re.compile(r"[\u3400-\u9fff]")
# What another wording of the same thing counts for, and half a Chinese word.
INSTEAD, HALF = 0.8, 0.4
_ENDINGS = ("ings", "ing", "edly", "ied", "ies", "ed", "es", "s", "ly", "er", "e")
# Words that no passage is chosen for.
_EMPTY = frozenset(
    (
        "a an and any anything are as at be been being but by can could did do does dont for from get gets "
        "go got had has have he her here his how i if in into is it its just know let like me my need needs "
        "no not now of off on or our out please pls same say says she should so some sth tell than that the "
        "their them then there these they thing things this those to too u up us use want was we were what "
        "whats when where which while who whole why will with would yes yet you your about after again all "
        "also am because before each ever exactly give goes much many more most must one only other over ok "
        "really right still stuff such take they're"
    ).split()
)
_EMPTY_CHINESE = frozenset(
    (
        "的 了 吗 呢 啊 吧 是 有 在 和 与 或 及 就 都 也 还 要 会 能 可以 可 怎么 怎样 如何 什么 啥 哪 哪个 "
        "哪些 哪里 多少 几 多 大 小 这 那 这个 那个 这台 一个 一 个 请 请问 我 我们 你 他 它 把 被 给 让 对 "
        "到 从 为 为什么 时 时候 后 前 上 下 里 中 着 过 得 地 去 来 说 再 才 又 很 太 最 不 没 没有 是不是 "
        "有没有 应该 需要 一下 一般 现在 之后 之前 以后 然后 如果 之 所 以 其 该 用 做 办 多久 多大 啦 嘛 "
        "台 次"
    ).split()
)


@dataclass(frozen=True, slots=True)
class Wanted:
    """One thing that a question speaks of.

    Attributes:
        wordings: spellings that say it, with what finding each counts for; first the question's own, with 1.
    """

    wordings: tuple[tuple[str, float], ...]

    def held_in(self, spelling: str) -> float:
        """What the best of the wordings found in a spelled text counts for, 0 to 1."""
        return max((worth for wording, worth in self.wordings if wording in spelling), default=0.0)


class Wording:
    """Reads questions into what they speak of; safe to share between threads."""

    def __init__(self, sparse: SparseEncoder) -> None:
        """Cuts Chinese as the search does."""
        self._sparse = sparse

    def wanted(self, question: str) -> tuple[Wanted, ...]:
        """What a question speaks of, each once, without the words that mean nothing by themselves."""
        return tuple({term: _wanted(term) for term in self.terms(question)}.values())

    def terms(self, question: str) -> list[str]:
        """The words of a question that tell something, and the wordings of several words that are known."""
        found: list[str] = []
        for piece in re.findall(r"[\u3400-\u9fff]+|[^\u3400-\u9fff]+", _plain(question)):
            found += self._chinese(piece) if _CHINESE.match(piece) else _latin(piece)
        return found

    def instead(self, question: str) -> str:
        """What manuals may say instead of the words of a question, as one text."""
        others = (other for term in self.terms(question) for other in glossary().alike(term))
        return " ".join(dict.fromkeys(others))

    def _chinese(self, run: str) -> list[str]:
        known = glossary().chinese_in(run)
        words = [word for word in self._sparse.chinese_words(run) if word not in _EMPTY_CHINESE]
        return [*known, *(word for word in words if not any(word in longer for longer in known))]


def _latin(text: str) -> list[str]:
    words = _WORD.findall(text)
    phrases = [
        phrase
        for length in range(glossary().longest, 1, -1)
        for start in range(len(words) - length + 1)
        if glossary().alike(phrase := " ".join(words[start : start + length]))
    ]
    return [*phrases, *(word for word in words if word not in _EMPTY)]


@lru_cache(maxsize=16384)
def spelled(text: str) -> str:
    """A text in the spelling that wordings are looked for in: ' 拧紧力矩 420 n m nozzl bodi '."""
    return f" {' '.join(_stem(piece) for piece in _PIECE.findall(_plain(text)))} "


def _plain(text: str) -> str:
    return _THOUSANDS.sub("", fold(text)).casefold()


def _wanted(word: str) -> Wanted:
    wordings = {_wording(word): 1.0}
    for other in glossary().alike(word):
        wordings.setdefault(_wording(other), INSTEAD)
    if _CHINESE.match(word) and len(word) > 2:
        for half in (word[:2], word[-2:]):
            wordings.setdefault(half, HALF)
    return Wanted(tuple(wordings.items()))


def _wording(words: str) -> str:
    return words if _CHINESE.search(words) else spelled(words)


@lru_cache(maxsize=65536)
def _stem(word: str) -> str:
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            stem = word[: -len(ending)]
            return stem[:-1] if len(stem) > 3 and stem[-1] == stem[-2] and stem[-1] not in "ls" else stem
    return word
