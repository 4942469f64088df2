"""Which places of the passages found answer the question: single rows, steps, sentences and notices.

Every place is scored by a logistic regression over a few features that hold for any manual: how much of the
question's words it covers (rare words weigh more), alone and together with what stands around it, how far up
its passage was found, whether it holds an identifier that was asked for, and whether it gives a figure.
"""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from assistant.identifiers import candidate_identifiers
from assistant.places import CELLS, Place, PlaceKind, places_of
from assistant.schema import Box, Hit
from assistant.sparse import SparseEncoder
from assistant.understand import Understood

# Fitted by eval/evidence.py; see docs/decisions/0020-evidence-and-quotes.md.
WEIGHTS: Mapping[str, float] = {
    "bias": -3.0,
    "covered": 3.0,
    "covered_around": 1.5,
    "upfront": 2.0,
    "identifier": 1.5,
    "figure": 0.5,
    "fragment": -1.5,
}
# Fewer letters than these say nothing by themselves: a label in a drawing, the signal word of a notice.
FRAGMENT_LETTERS = 12


@dataclass(frozen=True, slots=True)
class Evidence:
    """A place that may answer the question.

    Attributes:
        text: verbatim, a row with the words of its header.
        score: estimated probability that a right answer rests on it, 0..1.
        boxes: of the passage; the page picture narrows them to the place.
        start: offset of the text in the chunk's text; end: offset after it.
        kind: of the place.
    """

    hit: Hit
    text: str
    score: float
    boxes: tuple[Box, ...]
    start: int
    end: int
    kind: PlaceKind = "sentence"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A place with its features, by the names of WEIGHTS; values 0..1."""

    hit: Hit
    place: Place
    features: Mapping[str, float]


class EvidenceFinder:
    """Finds evidence; safe to share between threads."""

    def __init__(self, sparse: SparseEncoder, weights: Mapping[str, float] = WEIGHTS) -> None:
        """Compares words as the search does: stemmed in English, segmented in Chinese."""
        self._sparse = sparse
        self._weights = weights

    def find(self, understood: Understood, hits: Sequence[Hit]) -> tuple[Evidence, ...]:
        """Every place of the hits, best first.

        Args:
            understood: the question.
            hits: passages found for it, best first.
        """
        found = [self._evidence(candidate) for candidate in self.candidates(understood, hits)]
        return tuple(sorted(found, key=lambda evidence: -evidence.score))

    def candidates(self, understood: Understood, hits: Sequence[Hit]) -> list[Candidate]:
        """The places of the hits in their order, with what the score is made of."""
        places = [places_of(hit.chunk) for hit in hits]
        words = [
            [self._words(_text(hit, place)) for place in held] for hit, held in zip(hits, places, strict=True)
        ]
        frames = [self._words(f"{hit.chunk.title}\n{hit.chunk.heading}") for hit in hits]
        rarity = _rarity([held | frame for row, frame in zip(words, frames, strict=True) for held in row])
        asked = [self._words(part) for part in understood.parts]
        wanted = frozenset(understood.identifiers) or frozenset(candidate_identifiers(understood.standalone))
        candidates = []
        for rank, (hit, held, said, frame) in enumerate(zip(hits, places, words, frames, strict=True)):
            whole = frame.union(*said)
            for place, own in zip(held, said, strict=True):
                text = _text(hit, place)
                features = {
                    "bias": 1.0,
                    "covered": max(_share(part, own, rarity) for part in asked),
                    "covered_around": max(_share(part, whole, rarity) for part in asked),
                    "upfront": 1 / (1 + rank),
                    "identifier": float(bool(wanted & frozenset(candidate_identifiers(text)))),
                    "figure": float(any(map(str.isdigit, text))),
                    "fragment": float(_letters(text) < FRAGMENT_LETTERS and CELLS not in text),
                }
                candidates.append(Candidate(hit, place, features))
        return candidates

    def _evidence(self, candidate: Candidate) -> Evidence:
        hit, place = candidate.hit, candidate.place
        logit = sum(self._weights[name] * value for name, value in candidate.features.items())
        return Evidence(
            hit=hit,
            text=_text(hit, place),
            score=1 / (1 + math.exp(-logit)),
            boxes=hit.chunk.boxes,
            start=place.start,
            end=place.end,
            kind=place.kind,
        )

    def _words(self, text: str) -> frozenset[int]:
        return frozenset(self._sparse.query(text).indices)


def _text(hit: Hit, place: Place) -> str:
    return hit.chunk.text[place.start : place.end]


def _letters(text: str) -> int:
    """Letters of a text, a Chinese character counting for three."""
    return sum((1 if letter.isascii() else 3) for letter in text if letter.isalpha())


def _rarity(places: Sequence[frozenset[int]]) -> Mapping[int, float]:
    """Inverse frequency of each word among the places found, 0 for one that stands in all of them."""
    counts = Counter(word for place in places for word in place)
    return {word: math.log(1 + (len(places) - n + 0.5) / (n + 0.5)) for word, n in counts.items()}


def _share(asked: frozenset[int], held: frozenset[int], rarity: Mapping[int, float]) -> float:
    """Share of the asked words' weight that is held, 0..1; words that no place holds weigh most."""
    most = max(rarity.values(), default=1.0)
    weight = sum(rarity.get(word, most) for word in asked)
    return sum(rarity.get(word, most) for word in asked & held) / weight if weight else 0.0
