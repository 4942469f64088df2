"""What speaks for and against a passage as the answer to a question, as numbers fit for any manual.

Most compare it with the other candidates of the same question: how near its meaning is, how much of what the
question speaks of it holds and how close together, whether it gives the kind of value asked for, and whether
it is of the kind that such questions are answered by.
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from assistant.attributes import held
from assistant.schema import Chunk, Hit
from assistant.understand import Understood
from assistant.wording import Wanted, spelled

Numbers = NDArray[np.float64]

# Rows, steps or sentences that are read together.
WINDOW = 3
# A difference in cosine that tells passages apart: e5 puts all that it finds within two or three of these.
NEAR = 0.05
# Words of a passage that is no more than a label.
LABEL = 12

_SENTENCE = re.compile(r"(?<=[.!?;])\s+(?=[A-Z(])|(?<=[。！？；])")
_LATER_STEP = re.compile(r"^\W*(?:[2-9]|1\d|[b-z](?=[.)]))\s*[.)、]")
_WORD = re.compile(r"[A-Za-z0-9]+|[\u3400-\u9fff]")
# What a question may want besides a value; general words, English and Chinese.
_WANTS = {
    "steps": re.compile(
        r"\bhow (?:do|to|can|should|would)\b|\bsteps?\b|\bprocedure\b|\bwalk me\b"
        r"|\b(?:right|proper|correct) way\b"
        r"|\b(?:replac|chang|swap|install|remov|adjust|align|calibrat|drain|fit|sett|clean|test)ing\b"
        r"|怎么(?!回事)|怎样|如何|步骤|流程|方法",
        re.IGNORECASE,
    ),
    "safety": re.compile(
        r"\b(?:danger|hazard|risk|safe|safely|safety|ppe|allowed|ok(?:ay)? to|can i|may i|injur\w*|kill|hurt"
        r"|careful|precautions?)\b|危险|安全|风险|注意|能不能|可以.{0,12}吗|能.{0,12}吗|防护|严禁|允许",
        re.IGNORECASE,
    ),
    "trouble": re.compile(
        r"\b(?:won'?t|doesn'?t|does not|can'?t|cannot|no longer|keeps?|leak\w*|nois\w*|hot|stuck|trips?"
        r"|stops|stopped|dead|fail\w*|slow|weak|alarm|fault|error|why|low|loose|broken|vibrat\w*|jerk\w*|slips?|smok\w*)\b"
        r"|不了|不动|不起|不上|不亮|漏|报警|故障|异响|抖|卡|为什么|原因|怎么回事|过热|发烫|打滑|掉|老是|总是|报",
        re.IGNORECASE,
    ),
}
# Tables that list a kind of value.
_LISTED_IN = {"torque": "torque", "fluid": "lubrication", "volume": "lubrication", "part_number": "parts"}
_LISTED_IN |= {"interval": "maintenance", "fault_code": "fault"}


def features(
    understood: Understood, wanted: Sequence[Wanted], hits: Sequence[Hit]
) -> tuple[dict[str, float], ...]:
    """One mapping of feature to value for each hit; what it leaves out is 0.

    Args:
        understood: the question.
        wanted: what it speaks of.
        hits: candidates of one search, with their fused score and the signals 'dense' and 'bm25'.
    """
    if not hits:
        return ()
    places = [_places(hit.chunk.text) for hit in hits]
    whole = [
        f"{spelled(hit.chunk.heading)}{''.join(spelt for _, spelt in told)}"
        for hit, told in zip(hits, places, strict=True)
    ]
    weights = _weights(np.array([[thing.held_in(text) for thing in wanted] for text in whole]))
    scale = _Scale(wanted, weights)
    wants = _wants(understood)
    field = _Field(hits)
    found = []
    for hit, text, told in zip(hits, whole, places, strict=True):
        covers, there = scale.coverage(hit.chunk, text, told)
        given = _given(understood, hit.chunk, there)
        found.append({**field.standing(hit), **covers, **given, **_kinds(hit.chunk, wants)})
    return tuple(found)


class _Scale:
    """Measures how much of what is wanted a text holds, 0 to 1."""

    def __init__(self, wanted: Sequence[Wanted], weights: Numbers) -> None:
        self._wanted = [
            (thing, float(weight)) for thing, weight in zip(wanted, weights, strict=True) if weight
        ]
        self._pairs = [
            first.wordings[0][0].rstrip() + second.wordings[0][0]
            for first, second in zip(wanted, wanted[1:], strict=False)
        ]
        self._asked = "".join(wording for thing in wanted for wording, _ in thing.wordings)

    def coverage(
        self, chunk: Chunk, text: str, places: Sequence[tuple[str, str]]
    ) -> tuple[dict[str, float], str]:
        """What a passage covers as a whole, in its best place and closely; and the words of the last."""
        heading = spelled(chunk.section[-1]) if chunk.section else ""
        covers = np.array([self._held(spelt) for _, spelt in places]).reshape(len(places), len(self._wanted))
        windows = (
            [float(covers[n : n + WINDOW].max(axis=0).sum()) for n in range(max(1, len(places) - WINDOW + 1))]
            if covers.size
            else [0.0]
        )
        best = int(np.argmax(windows))
        return {
            "covered": sum(self._held(text)),
            "covered_in_place": float(covers.sum(axis=1).max()) if covers.size else 0.0,
            "covered_closely": windows[best],
            "covered_by_heading": sum(self._held(heading)),
            "covered_by_path": sum(self._held(spelled(chunk.heading))),
            "heading_asked_for": self._asked_share(heading),
            "in_order": self._in_order([spelt for _, spelt in places]),
        }, "\n".join(place for place, _ in places[best : best + WINDOW])

    def _held(self, spelling: str) -> list[float]:
        return [weight * thing.held_in(spelling) for thing, weight in self._wanted]

    def _asked_share(self, heading: str) -> float:
        words = heading.split()
        asked = [
            word
            for word in words
            if f" {word} " in self._asked or (not word.isascii() and word in self._asked)
        ]
        return len(asked) / len(words) if words else 0.0

    def _in_order(self, places: Sequence[str]) -> float:
        """Share of neighbouring words of the question that are neighbours in some place too."""
        found = [any(pair in place for place in places) for pair in self._pairs]
        return sum(found) / len(found) if found else 0.0


class _Field:
    """The candidates as a field: where a passage stands in it, and what stands beside it."""

    def __init__(self, hits: Sequence[Hit]) -> None:
        dense = [hit.signals["dense"] for hit in hits if "dense" in hit.signals]
        self._nearest, self._farthest = (max(dense), min(dense)) if dense else (0.0, 0.0)
        self._words = max((hit.signals.get("bm25", 0.0) for hit in hits), default=0.0) or 1.0
        self._fused = max((hit.score for hit in hits), default=0.0) or 1.0
        self._pages: defaultdict[tuple[str, int], float] = defaultdict(float)
        self._sections: defaultdict[tuple[str, ...], float] = defaultdict(float)
        for hit in hits:
            self._pages[hit.chunk.revision, hit.chunk.page] += hit.score
            self._sections[hit.chunk.revision, *hit.chunk.section] += hit.score

    def standing(self, hit: Hit) -> dict[str, float]:
        chunk = hit.chunk
        return {
            "meaning": max((hit.signals.get("dense", self._farthest) - self._nearest) / NEAR, -2.0),
            "words": hit.signals.get("bm25", 0.0) / self._words,
            "fused": hit.score / self._fused,
            "of_machine": hit.signals.get("machine", 0.0),
            "page_found": min((self._pages[chunk.revision, chunk.page] - hit.score) / self._fused, 2.0),
            "section_found": min(
                (self._sections[chunk.revision, *chunk.section] - hit.score) / self._fused, 2.0
            ),
        }


def _given(understood: Understood, chunk: Chunk, there: str) -> dict[str, float]:
    """Whether it gives the values and identifiers asked for, and does so there, where it speaks of it."""
    asked, named = understood.attributes, understood.identifiers
    given = held(chunk.text, asked) if asked else frozenset()
    listed = any(_LISTED_IN.get(name) == chunk.extra.get("table", "") for name in asked)
    named_there = [name in chunk.identifiers for name in named]
    return {
        "gives_asked": len(given) / len(asked) if asked else 0.0,
        "gives_asked_there": len(held(there, asked)) / len(asked) if given else 0.0,
        "lists_asked": float(listed),
        "identifiers": sum(named_there) / len(named) if named else 0.0,
    }


def _kinds(chunk: Chunk, wants: Sequence[str]) -> dict[str, float]:
    """Which kind of passage it is, by itself and for what is wanted."""
    kind = "fault" if chunk.extra.get("table") == "fault" else chunk.kind
    label = len(_WORD.findall(chunk.text[: 20 * LABEL])) < LABEL
    later = bool(_LATER_STEP.match(chunk.text))
    return {
        kind: 1.0,
        **{f"{kind}_for_{want}": 1.0 for want in wants},
        "label": float(label),
        "later_step": float(later),
        "later_step_for_steps": float(later and "steps" in wants),
    }


def _wants(understood: Understood) -> list[str]:
    found = [name for name, says in _WANTS.items() if says.search(understood.standalone)]
    return [*found, *(["value"] if understood.attributes else [])]


@lru_cache(maxsize=4096)
def _places(text: str) -> tuple[tuple[str, str], ...]:
    """Rows, steps and sentences of a passage, each with its spelling."""
    return tuple((place, spelled(place)) for place in _cut(text))


def _cut(text: str) -> Iterator[str]:
    for line in text.split("\n"):
        pieces = [line] if " | " in line else _SENTENCE.split(line)
        yield from (piece for piece in pieces if piece.strip())


def _weights(held: Numbers) -> Numbers:
    """How well each wanted thing tells the candidates apart (inverse document frequency), summing to 1."""
    if not held.size:
        return np.zeros(held.shape[-1] if held.ndim > 1 else 0)
    count = (held > 0).sum(axis=0)
    weights: Numbers = np.log1p((len(held) - count + 0.5) / (count + 0.5)) * (count > 0)
    total = weights.sum()
    return weights / total if total else weights
