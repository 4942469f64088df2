"""Shop shorthand in plain words, for search: 'c/o brg' -> 'change out bearing', '电磁伐' -> '电磁阀'.

What was written is always kept and shown; the plain words only help to find it. Identifiers are never
touched: a word with a digit in it stays as it is.
"""

import json
import os
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cache, cached_property
from importlib.resources import files
from pathlib import Path

import yaml

from assistant.errors import StorageError
from assistant.identifiers import fold

LEARNED_FILE = "shorthand.json"
# Share of capitals from which a line is shouted, as many old systems print it.
SHOUTED = 0.7
_WORD = re.compile(r"[^\s\u3400-\u9fff，。；：、（）]+")
_EDGES = "()[]{}\"'.,;:!?*<>=+~"
_CHINESE = re.compile(r"[\u3400-\u9fff]")
_ENDINGS = ("'s", "s", "'d")


class Shorthand:
    """Writes shorthand out; safe to share between threads."""

    def __init__(self, words: Mapping[str, str]) -> None:
        """Works with these words alone.

        Args:
            words: casefolded shorthand -> plain words; Chinese variants -> the usual term.
        """
        self._words = {short: plain for short, plain in words.items() if not _CHINESE.search(short)}
        self._chinese = {short: plain for short, plain in words.items() if _CHINESE.search(short)}

    def plain(self, text: str) -> str:
        """The text in plain words; the same text, full-width forms folded, where there is no shorthand."""
        written = _WORD.sub(lambda match: self._word(match.group()), fold(text))
        if self._chinese and _CHINESE.search(written):
            written = self._variants.sub(lambda match: self._chinese[match.group()], written)
        return written

    def spoken(self, text: str) -> str:
        """An order as an embedder reads it best: plain words, and lines in capitals in small letters."""
        lines = text.splitlines()
        return "\n".join(self.plain(line.lower() if _is_shouted(line) else line) for line in lines)

    def searched(self, text: str) -> str:
        """The text as it is asked, and as words are indexed: as written, and behind it what plain() adds."""
        added = self.added(text)
        return f"{text}\n{added}" if added else text

    def added(self, text: str) -> str:
        """The words that plain() has and the text has not, each once, as they follow one another."""
        held = set(fold(text).casefold().split())
        new = [word for word in self.plain(text).split() if word.casefold() not in held]
        return " ".join(dict.fromkeys(new))

    def written_out(self, word: str) -> str | None:
        """What one word of shorthand stands for, None where it is not known as shorthand."""
        known = self._words.get(word)
        if known is not None:
            return known
        for ending in _ENDINGS:
            stem = word.removesuffix(ending)
            if stem != word and len(stem) > 2 and stem in self._words:
                return _ended(self._words[stem], ending)
        return None

    def _word(self, written: str) -> str:
        word = written.casefold()
        if any(sign.isdigit() for sign in word):
            return written
        whole = self.written_out(word)
        if whole is not None:
            return whole
        inner = word.strip(_EDGES)
        if not inner:
            return written
        start = word.index(inner)
        before, after = written[:start], written[start + len(inner) :]
        known = self.written_out(inner)
        if known is None and "/" in inner:
            parts = inner.split("/")
            plain = [self.written_out(part) or part for part in parts]
            known = " / ".join(plain) if plain != parts and all(len(part) > 1 for part in parts) else None
        return f"{before}{known}{after}" if known is not None else written

    @cached_property
    def _variants(self) -> re.Pattern[str]:
        longest_first = sorted(self._chinese, key=len, reverse=True)
        return re.compile("|".join(map(re.escape, longest_first)))


def general_words() -> Mapping[str, str]:
    """The shorthand that means the same in any plant."""
    return _general()


@dataclass(frozen=True, slots=True)
class Learned:
    """What one file of work orders taught: shorthand -> plain words.

    Attributes:
        pairs: counted where a clean text stands beside the raw one.
        alike: matched by spelling and neighbours. Some of it is wrong, so it helps to find orders, and leaves
            questions alone: 'press' may have been taken for 'pressure' before the press had a manual.
    """

    pairs: Mapping[str, str]
    alike: Mapping[str, str]


def read_learned(home: Path) -> dict[str, Learned]:
    """What was learned from each imported file, the file that taught last coming last.

    Raises:
        StorageError: the file was damaged by hand.
    """
    path = home / LEARNED_FILE
    if not path.is_file():
        return {}
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))
        return {document: Learned(**entry) for document, entry in entries.items()}
    except (OSError, ValueError, TypeError, AttributeError) as problem:
        raise StorageError(f"{path} cannot be read: {problem}", "Delete it.") from problem


def keep_learned(home: Path, document: str, words: Learned) -> None:
    """Keeps what a file taught, in place of what it taught before.

    Raises:
        StorageError: the home cannot be read or written.
    """
    learned = read_learned(home)
    if learned.get(document, Learned({}, {})) == words:
        return
    learned.pop(document, None)
    learned[document] = words
    path = home / LEARNED_FILE
    part = path.with_suffix(".part")
    text = json.dumps({name: asdict(entry) for name, entry in learned.items()}, ensure_ascii=False, indent=1)
    try:
        part.write_text(text, encoding="utf-8")
        os.replace(part, path)
    except OSError as problem:
        raise StorageError(f"{path} cannot be written: {problem}") from problem


def shorthand_of_orders(home: Path) -> Shorthand:
    """All that is known, for indexing orders: general words, and over them what the plant's files taught.

    Raises:
        StorageError: what was learned cannot be read.
    """
    learned = read_learned(home).values()
    words = dict(general_words())
    for entry in learned:
        words |= {short: plain for short, plain in entry.alike.items() if short not in general_words()}
    for entry in learned:
        words |= entry.pairs
    return Shorthand(words)


def shorthand_of_questions(home: Path) -> Shorthand:
    """What is known for sure, for questions: general words, and over them counted pairs.

    Raises:
        StorageError: what was learned cannot be read.
    """
    words = dict(general_words())
    for entry in read_learned(home).values():
        words |= entry.pairs
    return Shorthand(words)


class PlantShorthand:
    """A home's shorthand for questions, read anew when an import has taught more; threads may share it."""

    def __init__(self, home: Path) -> None:
        """Reads nothing yet."""
        self._home = home
        self._read: tuple[int, Shorthand] | None = None

    def current(self) -> Shorthand:
        """What is known now.

        Raises:
            StorageError: what was learned cannot be read.
        """
        path = self._home / LEARNED_FILE
        changed = path.stat().st_mtime_ns if path.is_file() else 0
        held = self._read
        if held is None or held[0] != changed:
            held = self._read = (changed, shorthand_of_questions(self._home))
        return held[1]


@cache
def _general() -> Mapping[str, str]:
    lists = yaml.safe_load(files("assistant").joinpath("shorthand.yaml").read_text(encoding="utf-8"))
    return {str(short).casefold(): str(plain) for words in lists.values() for short, plain in words.items()}


def _is_shouted(line: str) -> bool:
    letters = [sign for sign in line if sign.isalpha() and sign.isascii()]
    return sum(map(str.isupper, letters)) > SHOUTED * len(letters)


def _ended(plain: str, ending: str) -> str:
    """Plain words with the ending of the shorthand: 'brgs' -> 'bearings', "repl'd" -> 'replaced'."""
    if ending in {"s", "'s"}:
        return plain if plain.endswith("s") else f"{plain[:-1]}ies" if plain.endswith("ry") else f"{plain}s"
    return f"{plain.removesuffix('e')}ed"
