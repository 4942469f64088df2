"""Shop shorthand learned from a plant's own orders: 'brg' stands where 'bearing' does, and is spelt like it.

With a clean text beside the raw one the pairs are counted. Without, a short or misspelt word is matched to a
word that can be shortened or mistyped to it (a beginning, consonants in order, one slip of the keys) and that
keeps the same company: the cosine of weighted neighbours (Jurafsky and Martin, Speech and Language
Processing, 3rd ed., chapter 6).
"""

import math
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from difflib import SequenceMatcher
from pathlib import Path

from assistant.identifiers import fold
from assistant.records.catalogue import Catalogue
from assistant.shorthand import Learned, Shorthand, general_words, keep_learned
from assistant.store.base import ChunkStore

# Fewer orders than this do not show which company a word keeps.
LEAST_TEXTS = 200
# More orders than this teach hardly more, and would make a large import wait.
MOST_TEXTS = 20_000
# A full word stands so often in orders and manuals together, and has so many letters.
LEAST_SEEN, LEAST_LETTERS = 3, 5
FULL_WORDS_PER_LETTER = 500
MANUAL_CHUNKS = 20_000
# Score from which a match counts, and how far it must be ahead of the second. On company A of MaintNorm 0.25
# gave the best F1 of 0.15, 0.25, 0.35 and 0.5; companies B and C were only tested with it.
THRESHOLD, AHEAD = 0.25, 1.15
# A slip is so much rarer than what was meant.
RARER = 30
# In pairs, the share in which a raw word was written out the same way.
PAIR_SHARE = 0.5
_NUMBER = "#"
_EDGE = "$"
_STRIPPED = "()[]\"'.,;:!?"
_INFLECTIONS = ("", *"s es ed d ing ings er ers r or ly y e n al age ment".split())
_FULL = re.compile(rf"[a-z]{{{LEAST_LETTERS},}}")
_SHORT = re.compile(r"[a-z](?:[a-z'/&\-]*[a-z])?")


def learn_shorthand(
    home: Path, document: str, orders: Sequence[Mapping[str, str]], manuals: Callable[[], Mapping[str, int]]
) -> int:
    """Learns from the orders of a file and keeps it in the home, in place of what that file taught before.

    Args:
        home: LINESIDE_HOME.
        document: the file.
        orders: our fields of each order; with `plain` beside `description` the pairs are counted.
        manuals: words of the plant's manuals, asked for only when needed.

    Returns:
        Number of words learned.

    Raises:
        StorageError: the home cannot be read or written.
    """
    pairs = [(order["description"], order["plain"]) for order in orders if order.get("plain")]
    texts = list(
        dict.fromkeys(
            f"{order.get('description', '')} {order.get('details', '')}".strip() for order in orders
        )
    )
    if len(texts) < LEAST_TEXTS:
        return 0
    general = general_words()
    learned = Learned(learn_from_pairs(pairs), learn_from_texts(texts[-MOST_TEXTS:], manuals(), general))
    keep_learned(home, document, learned)
    return len({**learned.alike, **learned.pairs})


def words_of_manuals(catalogue: Catalogue, store: ChunkStore) -> Counter[str]:
    """Words of the visible manuals with their counts, from up to MANUAL_CHUNKS passages."""
    words: Counter[str] = Counter()
    left = MANUAL_CHUNKS
    for revision in catalogue.revisions("visible"):
        chunks = store.section(revision.id, 0, left) if left > 0 else []
        left -= len(chunks)
        for chunk in chunks:
            words.update(re.findall(r"[a-z]{2,}", chunk.text.casefold()))
    return words


def learn_from_pairs(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Words that are written out the same way at least half of the time.

    Args:
        pairs: raw text and the same text in clean words.

    Returns:
        Casefolded raw word -> clean words.
    """
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for raw, clean in pairs:
        before, after = _words(raw), fold(clean).casefold().split()
        for tag, i, j, m, n in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
            if tag == "equal":
                for word in before[i:j]:
                    counts[word][word] += 1
            elif tag == "replace":
                for word, written in _aligned(before[i:j], after[m:n]):
                    counts[word][written] += 1
    learned = {}
    for word, ways in counts.items():
        written, count = ways.most_common(1)[0]
        if written not in {"", word} and count >= PAIR_SHARE * ways.total() and _SHORT.fullmatch(word):
            learned[word] = written
    return learned


def learn_from_texts(
    texts: Sequence[str], known: Mapping[str, int], general: Mapping[str, str]
) -> dict[str, str]:
    """Short and misspelt words of raw orders, with the full word that each stands for.

    Args:
        texts: raw orders, each once.
        known: words of the plant's manuals with their counts: what stands there is no shorthand.
        general: shorthand known already; it is written out first, so that neighbours compare.

    Returns:
        Casefolded shorthand -> full word; empty for fewer than LEAST_TEXTS.
    """
    if len(texts) < LEAST_TEXTS:
        return {}
    seen, company = _company([_words(text) for text in texts], Shorthand(general))
    full = _full_words(seen, known, general)
    learned = {}
    for word in seen:
        letters = re.sub(r"[^a-z]", "", word)
        if len(letters) < 2 or word in general or known.get(word, 0) > 1 or not _SHORT.fullmatch(word):
            continue
        found = [
            (likeness * (_cosine(company[word], company.get(whole)) + 0.02 * math.log1p(count)), whole)
            for whole, count in full.get(word[0], ())
            if whole != word and (likeness := _likeness(letters, seen[word], whole, count))
        ]
        best = _best(found)
        if best:
            learned[word] = best
    return learned


def _best(found: list[tuple[float, str]]) -> str | None:
    if not found:
        return None
    found.sort(reverse=True)
    score, word = found[0]
    second, other = found[1] if len(found) > 1 else (0.0, "")
    # 'Bearing' and 'bearings' do not contest each other.
    kin = word.startswith(other[:-1]) or other.startswith(word[:-1])
    return word if score >= THRESHOLD and (score >= AHEAD * second or kin) else None


def _likeness(short: str, often: int, whole: str, whole_often: int) -> float:
    """How well a word can be shortened or mistyped to another, 0 where it cannot."""
    stems = (short, short[:-1], short + short[-1])
    if any(whole == stem + ending for stem in stems for ending in _INFLECTIONS):
        return 0.0
    if len(whole) >= len(short) + 2:
        if not _in_order(short, whole):
            return 0.0
        if whole.startswith(short):
            return 1.0 if len(short) > 2 else 0.5
        bones = whole[0] + re.sub("[aeiou]", "", whole[1:])
        if bones == short or (bones.startswith(short) and len(short) > 2):
            return 1.2
        return 0.0 if len(short) < 3 else 0.8 if short[-1] == whole[-1] else 0.5
    slip = len(short) >= LEAST_LETTERS and whole_often >= RARER * often and _one_slip(short, whole)
    return 2.0 if slip else 0.0


def _in_order(short: str, whole: str) -> bool:
    letters = iter(whole)
    return all(letter in letters for letter in short)


def _one_slip(one: str, other: str) -> bool:
    """One letter more, less or other, or two swapped (Damerau 1964)."""
    if abs(len(one) - len(other)) > 1:
        return False
    same = next(
        (i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other))
    )
    a, b = one[same:], other[same:]
    return a[1:] == b[1:] or a == b[1:] or a[1:] == b or (a[1:2] + a[:1] == b[:2] and a[2:] == b[2:])


def _company(
    orders: Iterable[Sequence[str]], general: Shorthand
) -> tuple[Counter[str], dict[str, dict[tuple[int, str], float]]]:
    """How often each word stands in the orders, and its weighted neighbours as a vector of unit length."""
    seen: Counter[str] = Counter()
    near: dict[str, Counter[tuple[int, str]]] = defaultdict(Counter)
    for words in orders:
        plain = [_NUMBER if any(map(str.isdigit, word)) else general.plain(word) for word in words]
        around = [_EDGE, _EDGE, *plain, _EDGE, _EDGE]
        for place, word in enumerate(words):
            neighbours = {(step, around[place + 2 + step]): 1.0 / abs(step) for step in (-2, -1, 1, 2)}
            # What is shorthand already speaks for the word that it stands for, too.
            for name in dict.fromkeys((word, plain[place])):
                if name == _NUMBER:
                    continue
                seen[name] += 1
                for neighbour, weight in neighbours.items():
                    near[name][neighbour] += weight  # type: ignore[assignment]
    spread = Counter(neighbour for counts in near.values() for neighbour in counts)
    return seen, {word: _unit(counts, spread, len(near)) for word, counts in near.items()}


def _unit(
    counts: Mapping[tuple[int, str], float], spread: Mapping[tuple[int, str], int], words: int
) -> dict[tuple[int, str], float]:
    weights = {key: math.log1p(count) * math.log(1 + words / spread[key]) for key, count in counts.items()}
    length = math.sqrt(sum(weight * weight for weight in weights.values())) or 1.0
    return {key: weight / length for key, weight in weights.items()}


def _cosine(one: Mapping[tuple[int, str], float], other: Mapping[tuple[int, str], float] | None) -> float:
    if not other:
        return 0.0
    few, many = sorted((one, other), key=len)
    return sum(weight * many.get(key, 0.0) for key, weight in few.items())


def _full_words(
    seen: Mapping[str, int], known: Mapping[str, int], general: Mapping[str, str]
) -> dict[str, list[tuple[str, int]]]:
    """By first letter the words that shorthand may stand for, with their counts, most frequent first."""
    counts = {
        word: seen.get(word, 0) + known.get(word, 0)
        for word in {*seen, *known}
        if _FULL.fullmatch(word) and word not in general
    }
    full: dict[str, list[tuple[str, int]]] = defaultdict(list)
    for word, count in sorted(counts.items(), key=lambda pair: (-pair[1], pair[0])):
        if count >= LEAST_SEEN and len(full[word[0]]) < FULL_WORDS_PER_LETTER:
            full[word[0]].append((word, count))
    return full


def _words(text: str) -> list[str]:
    return [word for token in fold(text).casefold().split() if (word := token.strip(_STRIPPED))]


def _aligned(raw: Sequence[str], clean: Sequence[str]) -> list[tuple[str, str]]:
    """Raw words, each with the clean words that took its place, as far as first letters tell."""
    if len(raw) == 1:
        return [(raw[0], " ".join(clean))]
    if len(raw) == len(clean):
        return list(zip(raw, clean, strict=True))
    starts = []
    place = 0
    for word in raw:
        found = next((i for i in range(place, len(clean)) if clean[i][:1] == word[:1]), None)
        if found is None:
            return []
        starts.append(found)
        place = found + 1
    ends = [*starts[1:], len(clean)]
    return [(word, " ".join(clean[start:end])) for word, start, end in zip(raw, starts, ends, strict=True)]
