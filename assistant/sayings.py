"""What a row or a sentence says, cut into its words and its figures, so that two of them can be compared."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from assistant.identifiers import fold
from assistant.literals import literals, said
from assistant.places import places_of
from assistant.schema import Chunk

# Share of the words of both that two places must have in common to speak of the same thing.
ALIKE = 0.6

_WORD = re.compile(r"[a-z]{2,}|(?=([\u3400-\u9fff]{2}))[\u3400-\u9fff]")
_DIGITS = re.compile(r"\S*\d\S*")
# Words of tables, units, standards and quantities tell no subject, nor do those of what was done.
_COMMON = frozenset(
    "the of and or to in on at for with by is are be as an it its must not no only per each all from this"
    " that item value point note type part task remark code message cause remedy interval section revision"
    " iso din bar mpa kpa psi nm mm kg rpm ml litre hour min hz pressure torque temperature speed level gap"
    " quantity time both after before then new old now again"
    " 压力 力矩 扭矩 温度 转速 液位 油位 间隙 数量 时间 处理 方法 原因 检查".split()
)
# Lubricants, fluids and greases go by the name of a standard and a grade, quantities by their unit.
_GRADE = re.compile(
    r"(?<![a-z])(vg|hlpd?|hvlp|hees|clpf?|cglp|vdl|vbl|sae|nlgi|dot|atf|pao)[\s-]*(\d{1,4})(?!\d)"
)
_FIGURE = re.compile(r"\d[\d.,]*(?<=\d)")
# What was done with a figure, not what was read: 'set to', 'filled w/', 换成.
_DONE_WORDS = re.compile(
    r"\b(?:re)?(?:set|adjusted|torqued|tightened|filled|charged|fitted|installed|changed|chg|chgd|c/o|placed|greased)\b"
    r"|\b(?:topped|swapped|lubed|used|using|done|put|with|was|up|off)\b|w/"
    r"|换成|换为|改成|改为|调到|调至|设为|设到|拧到|紧到|充到|充至|用了|加了|加注"
)
_DONE = re.compile(rf"(?:{_DONE_WORDS.pattern})[^.;。；|]{{0,30}}$")
# Work orders join what they tell by full stops, commas and lines.
_CLAUSE = re.compile(r"[;；。，,\n]|\.(?!\d)")


@dataclass(frozen=True, slots=True)
class Saying:
    """A place as it is compared.

    Attributes:
        words: without figures, identifiers and what every table says.
        figures: numbers and identifiers in the form they are compared in.
        values: (number, unit or standard) of what is measured or graded.
    """

    words: frozenset[str]
    figures: frozenset[str]
    values: frozenset[tuple[str, str]]


@lru_cache(maxsize=4096)
def saying(text: str) -> Saying:
    """A row or a sentence, cut up."""
    found = said(text)
    folded = fold(text).casefold()
    # 'oils' and 'oil' are one.
    read = (match[1] or match[0] for match in _WORD.finditer(_DIGITS.sub(" ", folded)))
    words = {word.removesuffix("s") if len(word) > 3 else word for word in read if len(word) > 1}
    grades = {(match[2], match[1]) for match in _GRADE.finditer(folded)}
    return Saying(frozenset(words - _COMMON), found.numbers | found.identifiers, found.quantities | grades)


def alike(one: frozenset[str], other: frozenset[str]) -> float:
    """Share of all words that both have, 0..1 (Jaccard)."""
    return len(one & other) / len(one | other) if one or other else 0.0


def said_otherwise(manual: Saying, other: Chunk, at_stake: frozenset[str]) -> str:
    """The place of another manual that says the same with another figure; empty when there is none."""
    texts = [other.text[place.start : place.end] for place in places_of(other)]
    if any(manual.figures <= saying(text).figures for text in texts):
        return ""
    for text in texts:
        there = saying(text)
        if alike(manual.words, there.words) >= ALIKE and _differs(manual, there, at_stake):
            return text
    return ""


def done_otherwise(manual: Saying, order: Chunk, at_stake: frozenset[str], old: frozenset[str]) -> str:
    """What a work order tells was done with another figure than the manual gives; empty when nothing.

    Args:
        manual: the manual's place.
        order: the work order.
        at_stake: figures of the place that the answer states.
        old: figures that the replaced revision gave there: work done after it needs no further sign.
    """
    kinds = [kind for _, kind in manual.values]
    single = Saying(
        manual.words, manual.figures, frozenset(v for v in manual.values if kinds.count(v[1]) == 1)
    )
    before = ""
    for text in _CLAUSE.split(order.text):
        there = saying(text)
        told = there.figures & old or _was_done(single, text)
        if told and _differs(single, there, at_stake) and _same_subject(manual, before, text):
            return text.strip()
        before = text
    return ""


def _same_subject(manual: Saying, before: str, text: str) -> bool:
    """Whether a clause names the manual's subject before its figure; else the clause before it counts."""
    figures = list(_before_values(manual, text))
    named = (_named(figures[0]) if figures else frozenset()) or _named(before)
    # Who writes an order cuts words short: 'hyd oil', 'accu'.
    shared = sum(any(word.startswith(name) for word in manual.words) for name in named)
    return bool(named) and 3 * shared >= 2 * len(named)


def _named(text: str) -> frozenset[str]:
    return saying(_DONE_WORDS.sub(" ", fold(text).casefold())).words


def _differs(manual: Saying, there: Saying, at_stake: frozenset[str]) -> bool:
    """Whether a value at stake has one of its own kind there, and none that is equal."""
    kinds = {kind for number, kind in manual.values if number in at_stake or f"{kind}{number}" in at_stake}
    held = {(number, kind) for number, kind in there.values if kind in kinds}
    return bool(held) and not held & manual.values


def _was_done(manual: Saying, text: str) -> bool:
    """Whether a value of a kind that the manual gives was set, filled or fitted, by the words before it."""
    return any(_DONE.search(before) for before in _before_values(manual, text))


def _before_values(manual: Saying, text: str) -> Iterator[str]:
    """What stands before each value of a kind that the manual gives."""
    folded = fold(text).casefold()
    kinds = {kind for _, kind in manual.values}
    numbers = {number for number, kind in saying(text).values if kind in kinds}
    for match in _FIGURE.finditer(folded):
        if literals(match[0])[0] & numbers:
            yield folded[: match.start()]
