"""What an answer may say: every sentence stands on a retrieved passage, with every figure it names.

A sentence counts when one passage that it cites (or, where the model cited the wrong one or none, another
retrieved passage) holds all of its numbers and identifiers and most of its words. The rest is withheld.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from assistant.identifiers import find_identifiers, fold
from assistant.language import language_of, sentences
from assistant.schema import Citation, Hit
from assistant.sparse import SparseEncoder

# Share of a sentence's words that its passage must hold: more than half, so that chance does not reach it.
MIN_SUPPORT = 0.6
QUOTE_CHARACTERS = 1200

_MARK = re.compile(r"\s*[\[【](\d{1,2})[\]】]")
_NUMBER = re.compile(r"\d+(?:\.\d+)?")
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")
# Scanned manuals print '0. 50': a blank after the decimal point is the scanner's.
_SPLIT_DECIMAL = re.compile(r"(?<=\d)\. (?=\d)")
_STEP = re.compile(r"^\s*(?:\(?\d{1,2}[.)]|[-•*])\s+")


@dataclass(frozen=True, slots=True)
class Grounded:
    """What is left of a draft.

    Attributes:
        text: sentences that stand, each ending in its [n].
        citations: numbered from 1 in order of appearance.
        cited: the hits behind the citations, in the same order.
        withheld: sentences of the draft that no passage holds.
    """

    text: str
    citations: tuple[Citation, ...]
    cited: tuple[Hit, ...]
    withheld: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Evidence:
    hit: Hit
    numbers: frozenset[str]
    identifiers: frozenset[str]
    words: frozenset[int]
    language: str


class Grounder:
    """Checks drafts against passages."""

    def __init__(self, sparse: SparseEncoder) -> None:
        """Compares words as the search does: stemmed in English, segmented in Chinese."""
        self._sparse = sparse

    def check(self, draft: str, hits: Sequence[Hit]) -> Grounded:
        """Keeps what stands.

        Args:
            draft: the model's text with [n] markers that count the hits from 1.
            hits: the passages the model was shown, in that order.
        """
        evidence = [self._evidence(hit) for hit in hits]
        numbers: dict[int, int] = {}
        kept: list[str] = []
        withheld: list[str] = []
        for sentence in sentences(draft):
            bare = _MARK.sub("", sentence).strip()
            if not re.search(r"\w", bare):
                continue
            marked = [int(mark) - 1 for mark in _MARK.findall(sentence) if 0 < int(mark) <= len(hits)]
            supporting = self._supporting(bare, marked, evidence)
            if supporting is None:
                withheld.append(bare)
                continue
            n = numbers.setdefault(supporting, len(numbers) + 1)
            kept.append(_with_mark(bare, n))
        cited = tuple(hits[index] for index in numbers)
        citations = tuple(cite(n, hit) for n, hit in enumerate(cited, start=1))
        return Grounded("\n".join(kept), citations, cited, tuple(withheld))

    def _supporting(self, sentence: str, marked: Sequence[int], evidence: Sequence[_Evidence]) -> int | None:
        """Index of the passage that the sentence stands on: a cited one if it holds, else the best other."""
        claimed_numbers, claimed_identifiers = literals(sentence)
        words = frozenset(self._sparse.query(sentence).indices)
        language = language_of(sentence)

        def support(index: int) -> float:
            passage = evidence[index]
            if not (claimed_numbers <= passage.numbers and claimed_identifiers <= passage.identifiers):
                return 0.0
            if language != passage.language:
                # Words cannot be compared across languages; a citation by the model and a shared figure can.
                return MIN_SUPPORT if index in marked and (claimed_numbers or claimed_identifiers) else 0.0
            return len(words & passage.words) / max(len(words), 1)

        order = [*dict.fromkeys(marked), *(index for index in range(len(evidence)) if index not in marked)]
        cited = [index for index in dict.fromkeys(marked) if support(index) >= MIN_SUPPORT]
        candidates = cited or order
        best = max(candidates, key=support, default=None)
        return best if best is not None and support(best) >= MIN_SUPPORT else None

    def _evidence(self, hit: Hit) -> _Evidence:
        text = f"{hit.chunk.heading}\n{hit.chunk.text}"
        numbers, identifiers = literals(text)
        words = frozenset(self._sparse.query(text).indices)
        return _Evidence(
            hit, numbers, identifiers | frozenset(hit.chunk.identifiers), words, language_of(hit.chunk.text)
        )


def literals(text: str) -> tuple[frozenset[str], frozenset[str]]:
    """Numbers and identifiers of a text, each in the form they are compared in: '2,500.0' -> '2500'."""
    text = _STEP.sub("", text)
    plain = _SPLIT_DECIMAL.sub(".", _THOUSANDS.sub("", fold(text)))
    numbers = frozenset(_plain_number(number) for number in _NUMBER.findall(plain))
    return numbers, frozenset(find_identifiers(text))


def cite(n: int, hit: Hit) -> Citation:
    """The citation that points to a hit."""
    chunk = hit.chunk
    return Citation(
        n=n,
        document=chunk.document,
        revision=chunk.revision_label or chunk.revision,
        page=chunk.page,
        boxes=chunk.boxes,
        quote=chunk.text[:QUOTE_CHARACTERS],
        chunk_id=chunk.id,
        section=chunk.heading,
        source=chunk.source,
    )


def _plain_number(number: str) -> str:
    return number.rstrip("0").rstrip(".") if "." in number else number


def _with_mark(sentence: str, n: int) -> str:
    body, end = (sentence[:-1], sentence[-1]) if sentence[-1] in ".。!！?？;；" else (sentence, "")
    return f"{body} [{n}]{end}"
