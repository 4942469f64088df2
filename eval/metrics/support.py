"""Does a cited passage hold a sentence: all its literals in one place, and enough of its content there.

A place is one row of a table or up to three sentences in a row; a figure from the neighbouring row is not
held. Content is compared by stemmed words, and between English and Chinese by the terms of a small glossary
of the trade. What counts as enough is fitted on hand-labelled pairs (eval/metrics/calibration.py).
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from assistant.identifiers import fold
from assistant.language import language_of, sentences
from assistant.sparse import SparseEncoder
from eval.metrics.literals import find_literals, held_literals, without_literals
from eval.metrics.wording import is_quoted, unmarked

GLOSSARY = Path(__file__).parents[1] / "data" / "glossary.tsv"
# Sentences in a row that make one place, since an answer may join what a manual says in two or three.
WINDOW = 3
# A line this long that ends without a stop was broken by the page and goes on in the next.
WRAPPED = 30

# Words of the answer's own frame, which no manual has to hold.
_FRAME = (
    "mean means indicates shows refers says states according manual page section should must need needs "
    "needed required use used when then also first following value number part take takes given has have "
    "表示 根据 手册 说明 规定 需要 应 应该 必须 可以 可 先 再 时 后 并 或 和 与 的 了 为 是 在 将 把 用 "
    "由 到 至 对 及 于 等 其 该 请 您 才 也 会"
)

_STOPPED = re.compile(r"[.!?:;。！？：；|]\s*$")
_GOES_ON = re.compile(r"[a-z\u3400-\u9fff(]")


class Support:
    """Scores sentences against passages; keeps what it has read, so that four systems cost little more."""

    def __init__(self, sparse: SparseEncoder, glossary: Path = GLOSSARY) -> None:
        """Reads the glossary.

        Args:
            sparse: stems and segments words as the search does.
            glossary: a line a term: Chinese wordings, a tab, English wordings; both comma-separated.
        """
        self._sparse = sparse
        rows = [line.split("\t") for line in glossary.read_text(encoding="utf-8").splitlines() if line]
        terms = [(tuple(chinese.split(",")), tuple(english.split(","))) for chinese, english in rows]
        # Longest first, so that 'relief valve' is one term and not also 'valve'.
        self._chinese = _by_length((word, english) for words, english in terms for word in words)
        self._english = _by_length((word, chinese) for chinese, words in terms for word in words)
        self._frame = frozenset(self._sparse.query(_FRAME).indices)
        self._words = lru_cache(maxsize=200_000)(self._stems)
        self._places = lru_cache(maxsize=20_000)(lambda passage: tuple(places(passage)))
        self._language = lru_cache(maxsize=200_000)(lambda text: language_of(without_literals(text)))

    def score(self, sentence: str, passage: str, section: str = "") -> float:
        """How much of a sentence the passage holds in its best place.

        Args:
            sentence: one sentence, with or without markers.
            passage: the words of the cited block.
            section: the headings above it, which belong to every place.

        Returns:
            0 to 1; 0 when some literal stands in no one place.
        """
        if is_quoted(sentence, passage):
            return 1.0
        said = find_literals(sentence)
        scores = [0.0]
        for place in self._places(passage):
            text = f"{section}\n{place}"
            held = held_literals(text)
            if (
                said.numbers <= held.numbers
                and said.identifiers <= held.identifiers
                and said.quantities <= held.quantities
            ):
                scores.append(self._content(sentence, text))
        return max(scores)

    def across(self, sentence: str, passage: str) -> bool:
        """Whether sentence and passage are in different languages."""
        return self._language(sentence) != self._language(passage)

    def _content(self, sentence: str, place: str) -> float:
        if self.across(sentence, place):
            return self._shared_terms(sentence, place)
        said = self._words(sentence)
        if not said:
            return 1.0 if find_literals(sentence) else 0.0
        return len(said & self._words(place)) / len(said)

    def _shared_terms(self, sentence: str, place: str) -> float:
        chinese = language_of(sentence) == "zh"
        terms = _terms(fold(unmarked(sentence)), self._chinese) if chinese else self._english_terms(sentence)
        if not terms:
            return 1.0 if find_literals(sentence) else 0.0
        held = self._words(place)
        met = [
            any(self._words(word) <= held for word in words)
            if chinese
            else any(word in place for word in words)
            for words in terms
        ]
        return sum(met) / len(met)

    def _english_terms(self, sentence: str) -> list[tuple[str, ...]]:
        said = self._words(sentence)
        found: dict[frozenset[int], tuple[str, ...]] = {}
        for word, chinese in self._english:
            stems = self._words(word)
            if stems and stems <= said and not any(stems < longer for longer in found):
                found[stems] = (*found.get(stems, ()), *chinese)
        return list(found.values())

    def _stems(self, text: str) -> frozenset[int]:
        """Hashed stems of a text's words, without its literals."""
        said = self._sparse.query(without_literals(text)).indices
        return frozenset(said) - self._frame


def places(passage: str) -> Iterator[str]:
    """The rows of a passage's tables, and its sentences, three at a time."""
    run: list[str] = []
    for line in _unwrapped(passage):
        if " | " in line:
            yield from _windows(run)
            run = []
            yield line
        else:
            run += sentences(line)
    yield from _windows(run)


def _windows(run: list[str]) -> Iterator[str]:
    for start in range(max(len(run) - WINDOW + 1, min(len(run), 1))):
        yield "\n".join(run[start : start + WINDOW])


def _unwrapped(passage: str) -> list[str]:
    lines: list[str] = []
    for line in filter(None, map(str.strip, passage.splitlines())):
        goes_on = (
            lines and len(lines[-1]) >= WRAPPED and not _STOPPED.search(lines[-1]) and _GOES_ON.match(line)
        )
        if goes_on and " | " not in lines[-1] and " | " not in line:
            lines[-1] += line if "\u3400" <= lines[-1][-1] <= "\u9fff" else f" {line}"
        else:
            lines.append(line)
    return lines


def _terms(text: str, vocabulary: list[tuple[str, tuple[str, ...]]]) -> list[tuple[str, ...]]:
    """The translations of each term that stands in a Chinese text, longest terms first, no word twice."""
    found = []
    for word, english in vocabulary:
        if word in text:
            found.append(english)
            text = text.replace(word, "\n")
    return found


def _by_length(terms: Iterator[tuple[str, tuple[str, ...]]]) -> list[tuple[str, tuple[str, ...]]]:
    return sorted(terms, key=lambda term: len(term[0]), reverse=True)
