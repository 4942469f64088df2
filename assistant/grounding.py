"""What an answer may say: every sentence stands on a retrieved passage, with every figure it names.

A sentence counts when one place of a passage that it cites (or, where the model cited the wrong one or none,
of another retrieved passage) holds all of its literals and enough of its words, and does not deny it. A place
is one row of a table or a few sentences in a row: a figure from the neighbouring row is a wrong figure. And a
figure counts only for what was asked: the words that a sentence with figures shares with the question must
all stand there too, unless the sentence names its subject by a code that stands there.

A sentence whose figure is wrong gives way to the manual's own words where one short place speaks of just
that; the rest is withheld.
"""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby

from assistant.claims import Claim, Reader
from assistant.identifiers import candidate_identifiers
from assistant.language import language_of, sentences
from assistant.literals import without_literals
from assistant.places import CELLS, Place, places_of
from assistant.schema import Citation, Hit, Language
from assistant.sparse import SparseEncoder
from assistant.trace import Check
from assistant.wording import Wording

# Sentences in a row that count as one place, since an answer may join what a manual says in two or three.
WINDOW = 3
QUOTE_CHARACTERS = 1200
# A place longer than this is no sentence to put in another's stead.
REPAIR_CHARACTERS = 300
# Support across languages for a passage that the model did not cite itself.
UNCITED_ACROSS = 0.6
# Fewer words than this are in no language: '260 Nm'.
WORDS = 3
REASONS = {
    "literals": "a figure, unit or code that no passage gives for this",
    "support": "words that no passage holds",
    "negation": "the passage says the opposite",
    "language": "not in the language of the question",
}

_MARK = re.compile(r"\s*[\[【](\d{1,2})[\]】]")
_MARKDOWN = re.compile(r"\*\*|__|`|^\s*#{1,6}\s+")
_WORD = re.compile(r"[A-Za-z]{3,}|[\u3400-\u9fff]")


@dataclass(frozen=True, slots=True)
class Grounded:
    """What is left of a draft.

    Attributes:
        text: sentences that stand, each ending in its [n], one a line.
        citations: numbered from 1 in order of appearance.
        cited: the hits behind the citations, in the same order.
        withheld: sentences of the draft that no passage holds.
        repaired: sentences of the draft that gave way to the passage's own words.
        checks: what was checked, for the trace.
    """

    text: str
    citations: tuple[Citation, ...]
    cited: tuple[Hit, ...]
    withheld: tuple[str, ...]
    repaired: tuple[str, ...] = ()
    checks: tuple[Check, ...] = ()


@dataclass(frozen=True, slots=True)
class _Held:
    """A place of a passage: rows stand alone, with the other rows beside them; sentences in windows."""

    index: int
    start: int
    end: int
    text: str
    claim: Claim
    beside: tuple[Claim, ...] = ()


@dataclass(slots=True)
class _Draft:
    """The answer as it grows: which passages are cited by which number, and where in them."""

    lines: list[str] = field(default_factory=list)
    numbers: dict[int, int] = field(default_factory=dict)
    spans: dict[int, list[tuple[int, int]]] = field(default_factory=dict)

    def add(self, sentence: str, place: _Held) -> None:
        line = _with_mark(sentence, self.numbers.setdefault(place.index, len(self.numbers) + 1))
        self.spans.setdefault(place.index, []).append((place.start, place.end))
        if line not in self.lines:
            self.lines.append(line)


class Grounder:
    """Checks drafts against passages; safe to share between threads."""

    def __init__(self, sparse: SparseEncoder) -> None:
        """Compares words as the search does: stemmed in English, segmented in Chinese."""
        self._sparse = sparse
        self._reader = Reader(sparse, Wording(sparse))

    def check(
        self, draft: str, hits: Sequence[Hit], question: str = "", language: Language | None = None
    ) -> Grounded:
        """Keeps what stands, mends what can be mended.

        Args:
            draft: the model's text with [n] markers that count the hits from 1.
            hits: the passages the model was shown, in that order.
            question: a sentence that only repeats it is dropped, since it answers nothing; so is a sentence
                that only announces a list.
            language: of the answer; sentences in the other one are withheld. By default that of the question.
        """
        places = [place for index, hit in enumerate(hits) for place in self._places(index, hit)]
        language = (language or language_of(question)) if _has_words(question) else None
        typed = f"{question} {' '.join(candidate_identifiers(question))}"
        asked = frozenset(self._sparse.query(typed).indices)
        wanted = self._reader.sentence(question)
        answer, failed = _Draft(), Counter[str]()
        withheld: list[str] = []
        repaired: list[str] = []
        recited = total = 0
        for sentence in sentences(draft):
            bare = _MARKDOWN.sub("", _MARK.sub("", sentence)).strip()
            claim = self._reader.sentence(bare)
            if not claim.content:
                # A bare figure says what was asked.
                claim = replace(claim, text=question, content=wanted.content, language=wanted.language)
            if claim.words <= asked or bare.endswith((":", "：")):
                continue
            total += 1
            marked = {int(mark) - 1 for mark in _MARK.findall(sentence)}
            found, reason = self._standing(claim, claim.words & asked, marked, places)
            if found is not None and not _in_language(bare, language):
                found, reason = None, "language"
            if found is not None:
                recited += found.index not in marked
                answer.add(bare, found)
                continue
            failed[reason] += 1
            mended = (
                self._mended(claim, claim.words & asked, places, language) if reason == "literals" else None
            )
            if mended is None:
                withheld.append(bare)
            else:
                repaired.append(bare)
                answer.add(" ".join(mended.text.split()), mended)
        cited = tuple(hits[index] for index in answer.numbers)
        citations = tuple(cite(n, hits[index], answer.spans[index]) for index, n in answer.numbers.items())
        checks = _checks(total, recited, failed, len(repaired))
        return Grounded("\n".join(answer.lines), citations, cited, tuple(withheld), tuple(repaired), checks)

    def _places(self, index: int, hit: Hit) -> list[_Held]:
        chunk, held = hit.chunk, []
        for in_table, run in groupby(places_of(chunk), key=lambda place: place.kind == "row"):
            members = list(run)
            windows = [(one, one) for one in members] if in_table else _windows(members)
            texts = [chunk.text[first.start : last.end] for first, last in windows]
            claims = [self._reader.place(f"{text}\n{chunk.heading}") for text in texts]
            for (first, last), text, claim in zip(windows, texts, claims, strict=True):
                beside = tuple(other for other in claims if other is not claim) if in_table else ()
                held.append(_Held(index, first.start, last.end, text, claim, beside))
        return held

    def _standing(
        self, claim: Claim, subject: frozenset[int], marked: set[int], places: Sequence[_Held]
    ) -> tuple[_Held | None, str]:
        """The place that a sentence stands on, of a cited passage if one holds it; or why there is none."""
        best: tuple[bool, float] = (False, 0.0)
        found, reason = None, "support"
        for place in places:
            cited = place.index in marked
            support = self._reader.support(claim, place.claim)
            if support < self._enough(claim, place.claim, cited):
                continue
            if not claim.literals.stand_in(place.claim.literals) or not _about(claim, subject, place.claim):
                reason = "literals" if reason == "support" else reason
                continue
            if (cited, support) <= best:
                continue
            denial = self._reader.contradicts(claim, place.claim, place.beside)
            if denial:
                reason = "literals" if denial == "figure" else "negation"
                continue
            best, found = (cited, support), place
        return found, reason

    def _enough(self, claim: Claim, place: Claim, cited: bool) -> float:
        enough = self._reader.enough(claim, place)
        return enough if cited or claim.language == place.language else max(enough, UNCITED_ACROSS)

    def _mended(
        self, claim: Claim, subject: frozenset[int], places: Sequence[_Held], language: Language | None
    ) -> _Held | None:
        """The short place that speaks of what a sentence with a wrong figure speaks of."""
        fitting = [
            (support, place)
            for place in places
            if place.claim.language == claim.language
            and len(place.text) <= REPAIR_CHARACTERS
            and any(map(str.isdigit, place.text))
            and _in_language(place.text, language)
            and subject <= place.claim.words
            and claim.literals.identifiers <= place.claim.literals.identifiers
            and (support := self._reader.support(claim, place.claim))
            >= self._reader.enough(claim, place.claim)
            and not self._reader.contradicts(claim, place.claim, place.beside)
        ]
        return max(fitting, key=lambda one: (one[0], -len(one[1].text)), default=(0.0, None))[1]


def cite(n: int, hit: Hit, spans: Iterable[tuple[int, int]] = ()) -> Citation:
    """The citation that points to a hit, and to the places of it that count."""
    chunk, counting = hit.chunk, tuple(sorted(set(spans)))
    return Citation(
        n=n,
        document=chunk.document,
        revision=chunk.revision_label or chunk.revision,
        page=chunk.page,
        boxes=chunk.boxes,
        quote=chunk.text[: max([QUOTE_CHARACTERS, *(end for _, end in counting)])],
        chunk_id=chunk.id,
        section=chunk.heading,
        source=chunk.source,
        spans=counting,
    )


def _windows(places: Sequence[Place]) -> list[tuple[Place, Place]]:
    last = len(places) - 1
    return [
        (places[start], places[min(start + WINDOW - 1, last)]) for start in range(max(last - WINDOW + 2, 1))
    ]


def _about(claim: Claim, subject: frozenset[int], place: Claim) -> bool:
    """Whether a figure is given for what was asked; a code pins the subject better than words do."""
    if claim.language != place.language or claim.literals.identifiers or not claim.literals.numbers:
        return True
    return subject <= place.words


def _in_language(text: str, language: Language | None) -> bool:
    return language is None or not _has_words(text) or language_of(_words_of(text)) == language


def _has_words(text: str) -> bool:
    return len(_WORD.findall(_words_of(text))) >= WORDS


def _words_of(text: str) -> str:
    return without_literals(text.replace(CELLS, " "))


def _checks(total: int, recited: int, failed: Counter[str], repaired: int) -> tuple[Check, ...]:
    """One check for each way to fail, the citations first."""
    citations = Check(
        "citations", not recited, f"{recited} of {total} sentences cited anew" if recited else ""
    )
    mended = f"; {repaired} replaced by the manual's own words" if repaired else ""
    others = (
        Check(
            name,
            not failed[name],
            f"{failed[name]} of {total} sentences: {why}{mended if name == 'literals' else ''}"
            if failed[name]
            else "",
        )
        for name, why in REASONS.items()
    )
    return (citations, *others)


def _with_mark(sentence: str, n: int) -> str:
    body, end = (sentence[:-1], sentence[-1]) if sentence[-1] in ".。!！?？;；:：" else (sentence, "")
    return f"{body} [{n}]{end}"
