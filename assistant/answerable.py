"""What speaks for and against an answer standing in the passages found, measured without a language model.

Whether manuals hold an answer shows less in how well passages match a question than in what is missing
beside the match: the place that speaks of the part and gives no torque, the code that stands nowhere, the
term that no passage has under any of its names.
"""

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from assistant.attributes import asked, held
from assistant.evidence import Evidence
from assistant.identifiers import find_identifiers, fold, named_codes, normal_form
from assistant.language import language_of
from assistant.places import places_of
from assistant.schema import Hit
from assistant.understand import Understood
from assistant.wording import Wanted, Wording, spelled

# Passages looked at, from the best.
PASSAGES = 8
# What a word counts for that only names the kind of value asked for ('torque'): a place must give the value.
KIND_OF_VALUE = 0.25
# From this many words found in one place more tell nothing new.
ENOUGH_WORDS = 6
# A name with so many digits is a number of something, whether or not others like it are held.
FEWEST_DIGITS = 3
# Words of fewer letters than this are not worth telling that they were not found.
TOLD_LETTERS = 4

_WORD = re.compile(r"[A-Za-z][A-Za-z\-]*|[\u3400-\u9fff]+")
_LONG_WORD = re.compile(r"[a-z]{5,}")
_CHINESE = re.compile(r"[\u3400-\u9fff]{2,}")
_DASHED = re.compile(r"(?<![A-Za-z0-9\-])[A-Za-z]{1,3}-\d{2,}(?![A-Za-z0-9\-])")
_TYPED_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9\-_./]*(?:\s\d+)?")


@dataclass(frozen=True, slots=True)
class Signals:
    """What was measured for one question.

    Attributes:
        values: by name, each 0 to 1; the names are those of refusal.json.
        missing: codes, then words of the question that no passage found has, as typed, terms first.
        kinds: kinds of value asked for of which the place that fits best gives none.
        unspoken: no passage found has any word or code of the question, in a language that can be compared.
    """

    values: Mapping[str, float]
    missing: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    unspoken: bool = False


@dataclass(frozen=True, slots=True)
class _Place:
    """A row, a step or a sentence under its headings.

    Attributes:
        has: how well it says each thing wanted, 0 to 1.
        gives: kinds of value asked for that it gives.
        near: the same with the lines before and after it.
    """

    has: tuple[float, ...]
    gives: frozenset[str]
    near: frozenset[str]


class SignalReader:
    """Measures signals; safe to share between threads."""

    def __init__(self, wording: Wording) -> None:
        """Compares words with their other names in both languages."""
        self._wording = wording

    def read(
        self,
        understood: Understood,
        hits: Sequence[Hit],
        evidence: Sequence[Evidence],
        machine: Sequence[str] = (),
    ) -> Signals:
        """The signals of a question.

        Args:
            understood: the question.
            hits: passages found for it, best first; at least one.
            evidence: places in them that may answer it, best first.
            machine: tag and model that the passages hold for; as names they are no codes.
        """
        hits = hits[:PASSAGES]
        question, kinds = understood.standalone, understood.attributes
        wanted = self._wording.wanted(question)
        places = [place for hit in hits for place in _places(hit, wanted, kinds)]
        kind_words = _kind_words(question, wanted)
        weights = _weights(wanted, places, kind_words)
        covered = [sum(h * w for h, w in zip(place.has, weights, strict=True)) for place in places]
        ranked = sorted(range(len(places)), key=lambda n: -covered[n])
        best = places[ranked[0]]
        valued = max((covered[n] for n in ranked if places[n].gives), default=0.0)
        said = spelled("\n".join(f"{hit.chunk.title}\n{hit.chunk.heading}\n{hit.chunk.text}" for hit in hits))
        unsaid = [t for t in wanted if t.wordings[0][0] not in kind_words and not _is_said(t, said)]
        terms = [thing for thing in unsaid if len(thing.wordings) > 1]
        found = frozenset(code for hit in hits for code in hit.chunk.identifiers)
        codes = _codes(understood, found, machine)
        absent = [code for code in codes if code not in found]
        words_found = min(1.0, sum(best.has) / ENOUGH_WORDS)
        first, third = ([one.score for one in evidence] + [0.0] * 3)[:3:2]
        values = {
            "asks_value": float(bool(kinds)),
            "value_absent": float(bool(kinds) and not any(place.gives for place in places)),
            "value_gap": covered[ranked[0]] - valued if kinds else 0.0,
            "words_found": words_found,
            "words_for_value": words_found if kinds else 0.0,
            "term_unsaid": float(bool(terms)),
            "code_absent": float(bool(absent)),
            "code_held": float(len(absent) < len(codes)),
            "evidence_alone": max(0.0, first - third),
            "followup": float(question != understood.text),
        }
        lacking = tuple(kind for kind in kinds if kind not in best.near)
        # A value that is not given says more than words that are not there, unless they are terms; and what a
        # word without another name is called in the other language nobody knows.
        across = language_of(hits[0].chunk.text) != understood.language
        words = terms if lacking or across else [*terms, *(thing for thing in unsaid if thing not in terms)]
        missing = (*(_code_typed(code, question) for code in absent), *_told(words, question))
        unspoken = not across and not any(best.has) and len(absent) == len(codes)
        return Signals(values, tuple(dict.fromkeys(missing)), lacking, unspoken)


def _places(hit: Hit, wanted: Sequence[Wanted], kinds: Sequence[str]) -> Iterator[_Place]:
    frame = spelled(f"{hit.chunk.title}\n{hit.chunk.heading}")
    headed = [thing.held_in(frame) for thing in wanted]
    texts = [hit.chunk.text[place.start : place.end] for place in places_of(hit.chunk)] or [""]
    gives = [held(text, kinds) if kinds else frozenset() for text in texts]
    for n, text in enumerate(texts):
        own = spelled(text)
        has = tuple(max(above, thing.held_in(own)) for above, thing in zip(headed, wanted, strict=True))
        yield _Place(has, gives[n], frozenset().union(*gives[max(0, n - 1) : n + 2]))


def _kind_words(question: str, wanted: Sequence[Wanted]) -> frozenset[str]:
    """Spellings of the words that by themselves ask for a kind of value ('torque', '多重')."""
    english = (spelled(word) for word in _WORD.findall(question) if word.isascii() and asked(word))
    words = (thing.wordings[0][0] for thing in wanted)
    return frozenset((*english, *(word for word in words if not word.isascii() and asked(word))))


def _weights(wanted: Sequence[Wanted], places: Sequence[_Place], kind_words: frozenset[str]) -> list[float]:
    """What each thing wanted counts for, 1 in all: rare ones more, names of the asked kind of value less."""
    counts = [sum(place.has[n] > 0 for place in places) for n in range(len(wanted))]
    rarity = [math.log(1 + (len(places) - n + 0.5) / (n + 0.5)) for n in counts]
    weights = [
        weight * (KIND_OF_VALUE if thing.wordings[0][0] in kind_words else 1.0)
        for weight, thing in zip(rarity, wanted, strict=True)
    ]
    total = sum(weights) or 1.0
    return [weight / total for weight in weights]


def _codes(understood: Understood, found: frozenset[str], machine: Sequence[str]) -> tuple[str, ...]:
    """Codes, part and model numbers that a question names, in normal form.

    What merely looks like one ('N2', 'b4', 'M36') counts when it is held, or when others of its family are
    and it is no slang in small letters; what is written as codes are ('E-33') counts anyway.
    """
    text = understood.text if find_identifiers(understood.text) else understood.standalone
    named = {normal_form(name) for name in machine}
    families = {_family(code) for code in found}
    dashed = {normal_form(match.group()) for match in _DASHED.finditer(fold(text))}
    called = named_codes(text)
    return tuple(
        code
        for code in dict.fromkeys((*called, *find_identifiers(text)))
        if code not in named
        and (
            code in called
            or code in found
            or code in dashed
            or _digits(code) >= FEWEST_DIGITS
            or (_family(code) in families and (_digits(code) > 1 or code.upper() in text))
        )
    )


def _family(code: str) -> str:
    """What codes of one list have in common: 'e#' for e07 and e112."""
    return re.sub(r"\d+", "#", code)


def _digits(code: str) -> int:
    return sum(sign.isdigit() for sign in code)


def _is_said(thing: Wanted, said: str) -> bool:
    """Whether a text says it, under any name or with one letter amiss."""
    if thing.held_in(said):
        return True
    word = thing.wordings[0][0].strip()
    if not _LONG_WORD.fullmatch(word):
        return False
    return any(word[0] == other[0] and _one_apart(word, other) for other in set(_LONG_WORD.findall(said)))


def _one_apart(word: str, other: str) -> bool:
    """Whether one letter added, left out, changed or swapped with its neighbour makes one of the other."""
    if abs(len(word) - len(other)) > 1:
        return False
    short, long = sorted((word, other), key=len)
    n = next((n for n, (a, b) in enumerate(zip(short, long, strict=False)) if a != b), len(short))
    if len(short) < len(long):
        return short[n:] == long[n + 1 :]
    swapped = short[n + 1 : n + 2] + short[n : n + 1] + short[n + 2 :]
    return short[n + 1 :] == long[n + 1 :] or swapped == long[n:]


def _code_typed(code: str, question: str) -> str:
    typed = (match.group() for match in _TYPED_CODE.finditer(fold(question)))
    return next((text for text in typed if normal_form(text) == code), code)


def _told(things: Sequence[Wanted], question: str) -> Iterator[str]:
    """Things as the question spells them, without words too small to be worth telling."""
    typed = {spelled(word).strip(): word for word in _WORD.findall(fold(question))}
    for thing in things:
        spelling = thing.wordings[0][0].strip()
        word = typed.get(spelling, spelling)
        if _CHINESE.fullmatch(word) or (word.isalpha() and word.isascii() and len(word) >= TOLD_LETTERS):
            yield word
