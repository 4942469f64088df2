"""How questions really arrive: with typos, shorthand, words left out, other words for the same.

Codes, part numbers and figures are never touched: a wrong code is another question. The four ways follow
EDA (Wei and Zou 2019, https://arxiv.org/abs/1901.11196), with shop shorthand in place of random insertion.
"""

import random
import re
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import yaml

from assistant.shorthand import general_words

WAYS = ("typos", "shorthand", "deletion", "synonyms")
_WORD = re.compile(r"[A-Za-z]{4,}")
_SMALL = re.compile(r"\b(?:the|a|an|is|are|do|does|of|for|to|i|we|on|please|what|and)\b ?", re.IGNORECASE)
_SMALL_ZH = re.compile(r"请问|[的了吗呢是啊]")
_KEYS = {"a": "s", "e": "r", "i": "o", "o": "p", "n": "m", "t": "r", "s": "d", "l": "k", "r": "t", "u": "i"}
# No more than so many typos in one question.
TYPOS = 2


@dataclass(frozen=True, slots=True)
class Noise:
    """Changes questions by chance.

    Attributes:
        rate: chance, 0..1, that a question goes through each of the ways; 0 leaves all as they are.
        ways: names out of WAYS.
    """

    rate: float = 0.25
    ways: tuple[str, ...] = WAYS

    def applied(self, question: str, chance: random.Random) -> tuple[str, tuple[str, ...]]:
        """The question as it may arrive, and which ways changed it."""
        changed: list[str] = []
        text = question
        for way in self.ways:
            if chance.random() < self.rate:
                new = _WAYS[way](text, chance)
                if new != text and new.strip():
                    text, changed = new, [*changed, way]
        return text, tuple(changed)


def typos(text: str, chance: random.Random) -> str:
    """Letters swapped, left out, doubled or of the next key, in English words of four letters and more."""
    words = [match for match in _WORD.finditer(text) if not _touches_figure(text, match)]
    for match in sorted(
        chance.sample(words, min(len(words), chance.randint(1, TYPOS))), key=lambda m: -m.start()
    ):
        text = text[: match.start()] + _mistyped(match[0], chance) + text[match.end() :]
    return text


def shorthand(text: str, chance: random.Random) -> str:
    """Words as the shop writes them: 'replace' -> 'repl', 'hydraulic' -> 'hyd'."""
    words = [match for match in _WORD.finditer(text) if match[0].casefold() in _short()]
    for match in sorted(words, key=lambda m: -m.start()):
        if chance.random() < 0.7:
            text = text[: match.start()] + chance.choice(_short()[match[0].casefold()]) + text[match.end() :]
    return text


def deletion(text: str, chance: random.Random) -> str:
    """Small words left out, capitals and the final mark too."""
    thinner = _SMALL_ZH.sub("", _SMALL.sub(lambda m: "" if chance.random() < 0.6 else m[0], text))
    return re.sub(r"\s+", " ", thinner.rstrip("?？。. ")).strip()


def synonyms(text: str, chance: random.Random) -> str:
    """One word exchanged for another that means the same in maintenance."""
    standing = [wording for wording in _alike() if _holds(text, wording)]
    found = [one for one in standing if not any(one != other and one in other for other in standing)]
    if not found:
        return text
    wording = chance.choice(found)
    return re.sub(re.escape(wording), chance.choice(_alike()[wording]), text, count=1, flags=re.IGNORECASE)


_WAYS: Mapping[str, Callable[[str, random.Random], str]] = {
    "typos": typos,
    "shorthand": shorthand,
    "deletion": deletion,
    "synonyms": synonyms,
}


def _mistyped(word: str, chance: random.Random) -> str:
    place = chance.randrange(1, len(word) - 1)
    match chance.randrange(4):
        case 0:
            return word[:place] + word[place + 1] + word[place] + word[place + 2 :]
        case 1:
            return word[:place] + word[place + 1 :]
        case 2:
            return word[:place] + word[place] + word[place:]
        case _:
            return word[:place] + _KEYS.get(word[place].lower(), word[place]) + word[place + 1 :]


def _touches_figure(text: str, match: re.Match[str]) -> bool:
    around = text[max(match.start() - 2, 0) : match.start()] + text[match.end() : match.end() + 2]
    return bool(re.search(r"\d|-\w|\w-", around))


def _holds(text: str, wording: str) -> bool:
    if not wording.isascii():
        return wording in text
    return re.search(rf"\b{re.escape(wording)}\b(?![-\d])", text, re.IGNORECASE) is not None


@cache
def _short() -> dict[str, list[str]]:
    short: defaultdict[str, list[str]] = defaultdict(list)
    for typed, says in general_words().items():
        if typed.isascii() and says.isalpha() and len(typed) < len(says):
            short[says].append(typed)
    return dict(short)


@cache
def _alike() -> dict[str, list[str]]:
    read = yaml.safe_load(files("finetune").joinpath("synonyms.yaml").read_text(encoding="utf-8"))
    groups = [[word.strip() for word in line.split(",")] for line in read]
    return {word: [other for other in group if other != word] for group in groups for word in group}
