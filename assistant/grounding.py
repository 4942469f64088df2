"""What an answer may say: every sentence stands on a retrieved passage, with every figure it names.

A sentence counts when one place of a passage that it cites (or, where the model cited the wrong one or none,
of another retrieved passage) holds all of its numbers and identifiers and most of its words. A place is one
row of a table or a few sentences in a row: a figure from the neighbouring row is a wrong figure. And a figure
counts only for what was asked: the words that a sentence with figures shares with the question must all stand
there too, unless the sentence names its subject by a code that stands there. The rest is withheld.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from assistant.identifiers import candidate_identifiers, find_identifiers, fold
from assistant.language import language_of, sentences
from assistant.schema import Citation, Hit
from assistant.sparse import SparseEncoder

# Share of a sentence's words that its place must hold: one word of three unheld is too many.
MIN_SUPPORT = 0.7
# Sentences in a row that count as one place, since an answer may join what a manual says in two or three.
WINDOW = 3
QUOTE_CHARACTERS = 1200

_MARK = re.compile(r"\s*[\[【](\d{1,2})[\]】]")
_NUMBER = re.compile(r"\d+(?:\.\d+)?")
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")
# Scanned manuals print '0. 50': a blank after the decimal point is the scanner's.
_SPLIT_DECIMAL = re.compile(r"(?<=\d)\. (?=\d)")
_STEP = re.compile(r"^\s*(?:\(?[1-9]\d?[.)]|[-•*])\s+")


@dataclass(frozen=True, slots=True)
class Grounded:
    """What is left of a draft.

    Attributes:
        text: sentences that stand, each ending in its [n], one a line.
        citations: numbered from 1 in order of appearance.
        cited: the hits behind the citations, in the same order.
        withheld: sentences of the draft that no passage holds.
    """

    text: str
    citations: tuple[Citation, ...]
    cited: tuple[Hit, ...]
    withheld: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Claim:
    """A sentence as it is compared: its figures, its words (hashed stems) and its language."""

    numbers: frozenset[str]
    identifiers: frozenset[str]
    words: frozenset[int]
    language: str


class Grounder:
    """Checks drafts against passages; safe to share between threads."""

    def __init__(self, sparse: SparseEncoder) -> None:
        """Compares words as the search does: stemmed in English, segmented in Chinese."""
        self._sparse = sparse

    def check(self, draft: str, hits: Sequence[Hit], question: str = "") -> Grounded:
        """Keeps what stands.

        Args:
            draft: the model's text with [n] markers that count the hits from 1.
            hits: the passages the model was shown, in that order.
            question: a sentence that only repeats it is dropped, since it answers nothing; so is a sentence
                that only announces a list.
        """
        places = [list(self._places(hit)) for hit in hits]
        typed = f"{question} {' '.join(candidate_identifiers(question))}"
        asked = frozenset(self._sparse.query(typed).indices)
        numbers: dict[int, int] = {}
        kept: list[str] = []
        withheld: list[str] = []
        for sentence in sentences(draft):
            bare = _MARK.sub("", sentence).strip()
            claim = self._claim(bare)
            if claim.words <= asked or bare.endswith((":", "：")):
                continue
            marked = [int(mark) - 1 for mark in _MARK.findall(sentence) if 0 < int(mark) <= len(hits)]
            supporting = _supporting(claim, claim.words & asked, marked, places)
            if supporting is None:
                withheld.append(bare)
            else:
                kept.append(_with_mark(bare, numbers.setdefault(supporting, len(numbers) + 1)))
        cited = tuple(hits[index] for index in numbers)
        citations = tuple(cite(n, hit) for n, hit in enumerate(cited, start=1))
        return Grounded("\n".join(kept), citations, cited, tuple(withheld))

    def _places(self, hit: Hit) -> Iterator[_Claim]:
        chunk = hit.chunk
        if chunk.kind == "table":
            rows = [line for line in chunk.text.splitlines() if line.strip()]
            yield from (self._claim(f"{row}\n{chunk.heading}") for row in rows)
            return
        parts = sentences(chunk.text)
        for start in range(max(len(parts) - WINDOW + 1, 1)):
            yield self._claim("\n".join([*parts[start : start + WINDOW], chunk.heading]))

    def _claim(self, text: str) -> _Claim:
        numbers, identifiers = literals(text)
        return _Claim(numbers, identifiers, frozenset(self._sparse.query(text).indices), language_of(text))


def _supporting(
    claim: _Claim, subject: frozenset[int], marked: Sequence[int], places: Sequence[Sequence[_Claim]]
) -> int | None:
    """Index of the passage that a sentence stands on: a cited one if it holds, else the best other."""
    support = {
        index: max((_support(claim, subject, place, index in marked) for place in held), default=0.0)
        for index, held in enumerate(places)
    }
    holding = [index for index, share in support.items() if share >= MIN_SUPPORT]
    candidates = [index for index in holding if index in marked] or holding
    return max(candidates, key=lambda index: support[index], default=None)


def _support(claim: _Claim, subject: frozenset[int], place: _Claim, cited: bool) -> float:
    if not (claim.numbers <= place.numbers and claim.identifiers <= place.identifiers):
        return 0.0
    if claim.language != place.language:
        # Words cannot be compared across languages; a citation by the model and a shared figure can.
        return MIN_SUPPORT if cited and (claim.numbers or claim.identifiers) else 0.0
    # A code pins the subject better than words do.
    if claim.numbers and not claim.identifiers and not subject <= place.words:
        return 0.0
    return len(claim.words & place.words) / max(len(claim.words), 1)


def literals(text: str) -> tuple[frozenset[str], frozenset[str]]:
    """Numbers and identifiers of a text, each in the form they are compared in: '2,500.0' -> '2500'."""
    plain = _THOUSANDS.sub("", fold(_STEP.sub("", text)))
    # '1. 15 bar' may be step 1 and 15 bar, or a scanned 1.15 bar: a passage holds both readings.
    read = [*_NUMBER.findall(plain), *_NUMBER.findall(_SPLIT_DECIMAL.sub(".", plain))]
    return frozenset(_plain_number(number) for number in read), frozenset(find_identifiers(text))


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
    body, end = (sentence[:-1], sentence[-1]) if sentence[-1] in ".。!！?？;；:：" else (sentence, "")
    return f"{body} [{n}]{end}"
