"""Which places of the passages found answer the question: single rows, steps, sentences and notices.

Every place is scored by a logistic regression over a few features that mean the same in any manual. Those
that look best by their words are then compared with the question by meaning too, as many as time allows.
"""

import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray

from assistant.attributes import held
from assistant.embedding.base import Embedder
from assistant.identifiers import candidate_identifiers
from assistant.places import Place, PlaceKind, places_of
from assistant.schema import Box, Hit
from assistant.understand import Understood
from assistant.wording import Wanted, Wording, spelled

# Places compared by meaning: about 5 ms each on two cores.
COMPARED = 20
# A place of this many letters says all it can; a Chinese character counts for three.
LONG = 150.0
# What counts as the meaning of a place that looked too bad to be compared.
NOT_COMPARED = -0.5

_ASKS_STEPS = re.compile(
    r"\bhow (?:do|to|can|should|is|are|would)\b|\b(?:procedure|steps?|sequence|instructions?)\b"
    r"|\b(?:right|proper|correct) way\b|怎么(?!回事)|怎样|如何|步骤|流程|程序|方法",
    re.IGNORECASE,
)


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
    """A place with its features, values about 0..1, by the names of the weights."""

    hit: Hit
    place: Place
    features: Mapping[str, float]

    @property
    def text(self) -> str:
        """Verbatim."""
        return self.hit.chunk.text[self.place.start : self.place.end]


class EvidenceFinder:
    """Finds evidence; safe to share between threads."""

    def __init__(
        self, wording: Wording, embedder: Embedder, weights: Mapping[str, float] | None = None
    ) -> None:
        """Joins what compares words with what compares meaning.

        Args:
            wording: reads what a question speaks of.
            embedder: of the search.
            weights: of the features, by default those in assistant/data/evidence.json.
        """
        self._wording = wording
        self._embedder = embedder
        self._weights = weights or default_weights()

    def find(self, understood: Understood, hits: Sequence[Hit]) -> tuple[Evidence, ...]:
        """Every place of the hits, best first.

        Args:
            understood: the question.
            hits: passages found for it, best first.
        """
        return self.scored(self.candidates(understood, hits))

    def scored(self, candidates: Sequence[Candidate]) -> tuple[Evidence, ...]:
        """Candidates as evidence, best first."""
        found = [_evidence(candidate, self._probability(candidate)) for candidate in candidates]
        return tuple(sorted(found, key=lambda evidence: -evidence.score))

    def candidates(self, understood: Understood, hits: Sequence[Hit]) -> list[Candidate]:
        """The places of the hits with what their score is made of, those compared by meaning first."""
        asked = [self._wording.wanted(part) for part in understood.parts]
        ordered = sorted(_read(understood, asked, hits), key=lambda one: -self._probability(one))
        return [*self._compared(understood, ordered[:COMPARED]), *ordered[COMPARED:]]

    def _compared(self, understood: Understood, candidates: Sequence[Candidate]) -> Iterator[Candidate]:
        """Adds how near each is in meaning to the question, seen against the others."""
        if not candidates:
            return
        question = self._embedder.queries([understood.standalone])[0]
        near = self._embedder.passages([_in_context(one) for one in candidates]) @ question
        near = (near - near.mean()) / (near.std() + 1e-6)
        for one, nearness in zip(candidates, near, strict=True):
            yield replace(one, features={**one.features, "meaning": float(np.clip(nearness / 3, -1, 1))})

    def _probability(self, candidate: Candidate) -> float:
        logit = sum(self._weights[name] * value for name, value in candidate.features.items())
        return 1 / (1 + math.exp(-logit))


def asks_for_steps(question: str) -> bool:
    """Whether a question asks how something is done."""
    return _ASKS_STEPS.search(question) is not None


@cache
def default_weights() -> Mapping[str, float]:
    """The weights that come with Lineside, fitted by `python -m eval.quotes --fit`."""
    stored = files("assistant").joinpath("data/evidence.json").read_text(encoding="utf-8")
    weights: Mapping[str, float] = json.loads(stored)["weights"]
    return weights


def _read(
    understood: Understood, asked: Sequence[Sequence[Wanted]], hits: Sequence[Hit]
) -> Iterator[Candidate]:
    """The places of the hits with every feature but their meaning."""
    places = [(rank, hit, place) for rank, hit in enumerate(hits) for place in places_of(hit.chunk)]
    texts = [hit.chunk.text[place.start : place.end] for _, hit, place in places]
    in_context = [f"{_heading(hit)}\n{text}" for (_, hit, _), text in zip(places, texts, strict=True)]
    coverage = np.max([_coverage(wanted, in_context) for wanted in asked], axis=0)
    identifiers = frozenset(understood.identifiers)
    steps = asks_for_steps(understood.standalone)
    for (rank, hit, place), text, covered in zip(places, texts, coverage, strict=True):
        lacking = understood.attributes and not held(text, understood.attributes)
        features = {
            "bias": 1.0,
            "covered": float(covered),
            "first": float(rank == 0),
            "exact": float(hit.exact),
            "identifier": float(bool(identifiers and identifiers & _identifiers(text))),
            "lacks_value": float(bool(lacking)),
            "length": math.log(1 + min(_letters(text), LONG)) / math.log(1 + LONG),
            "drawing": float(hit.chunk.kind == "figure"),
            "step": float(place.kind == "step"),
            "step_asked": float(place.kind == "step" and steps),
            "meaning": NOT_COMPARED,
        }
        yield Candidate(hit, place, features)


def _evidence(candidate: Candidate, score: float) -> Evidence:
    hit, place = candidate.hit, candidate.place
    return Evidence(hit, candidate.text, score, hit.chunk.boxes, place.start, place.end, place.kind)


def _coverage(wanted: Sequence[Wanted], texts: Sequence[str]) -> NDArray[np.float64]:
    """Share of what is wanted that each text speaks of, 0..1; what few texts speak of weighs more."""
    if not wanted or not texts:
        return np.zeros(len(texts))
    held_in = np.array([[thing.held_in(spelled(text)) for thing in wanted] for text in texts])
    counts = (held_in > 0).sum(axis=0)
    weights = np.log(1 + (len(texts) - counts + 0.5) / (counts + 0.5))
    covered: NDArray[np.float64] = held_in @ weights / weights.sum()
    return covered


def _heading(hit: Hit) -> str:
    return hit.chunk.section[-1] if hit.chunk.section else ""


def _in_context(candidate: Candidate) -> str:
    heading = _heading(candidate.hit)
    return f"{heading}: {candidate.text}" if heading else candidate.text


@lru_cache(maxsize=16384)
def _identifiers(text: str) -> frozenset[str]:
    return frozenset(candidate_identifiers(text))


def _letters(text: str) -> int:
    return sum((1 if letter.isascii() else 3) for letter in text if letter.isalpha())
