"""Kinds of value: which one a question asks for, and which ones a passage gives.

A question for a torque is answered where a torque stands. The table in attributes.yaml is general terminology
of maintenance in English and Chinese, with the units of either system.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files

import yaml

from assistant.identifiers import fold

# Characters at either end of a long text that may hold its question.
ENDS = 300

# Says that a figure is wanted, so that a quantity's name is more than the name of a symptom.
_FIGURE = (
    r"\b(?:what|whats|which|how (?:much|many|high|low|big|great|large)|max(?:imum|\.)?|min(?:imum|\.)?"
    r"|limits?|rated|rating|nominal|specs?|settings?|set (?:to|at)|values?|figures?|range|normal|highest"
    r"|lowest|allowed|allowable|permitted|default|correct|pls|please|number)\b"
    r"|多少|几|多[大高低]|最[高低大小]|额定|范围|[上下]限|标准|设定|规定|允许|正常|要求"
)
# A part that is called after a quantity: 'pressure switch', '压力传感器'.
_PART = (
    r"(?:\s|-)*(?:switch|sensor|valve|filter|gauges?|gage|relief|line|hose|side|alarm|regulator|cap|dew|tank|vessel"
    r"|reducer|transmitter|transducer|probe|relay|control\w*|plate|port|pump|test\w*|washer|cell|loss|drop|element|plug|pad"
    r"|(?:is |was |too |very |so )?(?:low|high|drops|falls|lost|wont|won't|builds|keeps"
    r"|comes up|fluctuat\w*|unstable)\b"
    r"|开关|传感器?|表|阀|继电器|变送器|控制器|报警|过滤|滤芯|油管|管路|加大|上不|不[够足稳]|不显示|异常|过[高低]|太[高低]|低|高)"
)
_CLAUSE = re.compile(r"[,;.!?，；。！？\n]+(?!\d)|\s[-–—]\s")
_ENDS = r"[\s?？.!呢吗]*(?:$|(?=\b(?:of|for|at|on|in|to|by|when|with|from|both|each)\b|多少|是|为))"
_BEFORE, _AFTER = r"(?<![a-z])", r"(?![a-z])"
# What stands behind a number, in figures or words: the unit, and a word or two that it may consist of.
_WORDS = "half|one|two|three|four|five|six|seven|eight|nine|ten|twelve|fifteen|twenty|thirty"
_TAIL = r"([^\s\d|,;:，；：。、(（]{1,14}(?:[ ./][^\s\d|,;:，；：。、(（]{1,12}){0,3})"
_BEHIND = re.compile(
    rf"(?:\d[)\]]?|(?<![a-z])(?:{_WORDS})(?: an?)?(?=[ -]))(?: ?(?:±|\+/?-) ?\d+)?[ \-]{{0,2}}{_TAIL}",
    re.IGNORECASE,
)
# A unit in the heading of a column: 'Torque (Nm)', 'Pressure, bar: 45', 'GPM: 3'.
_HEADING = re.compile(
    r"[(\[]\s?([^()\[\]\d]{1,14}?)\s?[)\]]|[\s,/]([^\s\d|,;:()\[\]]{1,10})\s?: ?[^|\n]{0,12}?\d"
)


@dataclass(frozen=True, slots=True)
class Given:
    """What shows that a passage gives a value of one kind.

    Attributes:
        kind: name of the attribute.
        unit: matches what stands behind a number.
        other: finds what else gives it.
    """

    kind: str
    unit: re.Pattern[str] | None
    other: re.Pattern[str] | None

    def search(self, text: str) -> bool:
        """Whether a folded text gives such a value."""
        if self.unit and self.kind in _units_in(text):
            return True
        return bool(self.other and self.other.search(text))


@dataclass(frozen=True, slots=True)
class Attribute:
    """One kind of value; the patterns are for folded text of any case.

    Attributes:
        asks, noun: find a question for it in a text and in a clause.
        gives: what shows that a passage gives it.
    """

    name: str
    asks: re.Pattern[str] | None
    noun: re.Pattern[str] | None
    gives: Given

    def asked_in(self, text: str) -> bool:
        """Whether a question asks for it."""
        if self.asks and self.asks.search(text):
            return True
        noun = self.noun
        return noun is not None and any(noun.search(clause) for clause in _CLAUSE.split(text))


@lru_cache(maxsize=512)
def asked(text: str) -> tuple[str, ...]:
    """Names of the kinds of value that a question asks for, in the table's order; () for none known.

    Of a long text, a pasted log say, only what stands first and last is taken for the question.
    """
    folded = fold(text)
    if len(folded) > 2 * ENDS:
        folded = f"{folded[:ENDS]}\n{folded[-ENDS:]}"
    return tuple(attribute.name for attribute in attributes().values() if attribute.asked_in(folded))


def without_asking(text: str) -> str:
    """A short question without the words that ask for a value: 'torque of the lid?' -> 'of the lid?'."""
    rest = fold(text)
    for attribute in attributes().values():
        rest = attribute.asks.sub(" ", rest) if attribute.asks else rest
    return rest


def held(text: str, names: Iterable[str] | None = None) -> frozenset[str]:
    """Names of the kinds of value that a passage gives, units and identifiers as its evidence.

    Args:
        text: of a passage, a row or a sentence.
        names: the kinds to look for, which is quicker; all by default.
    """
    folded = fold(text)
    return frozenset(
        name for name in (attributes() if names is None else names) if attributes()[name].gives.search(folded)
    )


def attributes() -> Mapping[str, Attribute]:
    """The table, by name."""
    return _table()


@lru_cache(maxsize=2048)
def _units_in(text: str) -> frozenset[str]:
    """Kinds of value whose units stand in a text."""
    tails = set(_BEHIND.findall(text))
    heads = {inner or before for inner, before in _HEADING.findall(text)}
    found = [_kinds(tail, False) for tail in tails] + [_kinds(head.strip(" ."), True) for head in heads]
    return frozenset().union(*found)


@lru_cache(maxsize=8192)
def _kinds(written: str, whole: bool) -> frozenset[str]:
    """Kinds of value that a unit belongs to; `whole` when nothing may follow it."""
    if not _any_unit().match(written):
        return frozenset()
    units = ((attribute.name, attribute.gives.unit) for attribute in attributes().values())
    if whole:
        return frozenset(name for name, unit in units if unit and unit.fullmatch(written))
    return frozenset(name for name, unit in units if unit and unit.match(written))


@cache
def _any_unit() -> re.Pattern[str]:
    units = (attribute.gives.unit for attribute in attributes().values())
    return re.compile("|".join(f"(?:{unit.pattern})" for unit in units if unit), re.IGNORECASE)


@cache
def _table() -> Mapping[str, Attribute]:
    read = yaml.safe_load(files("assistant").joinpath("attributes.yaml").read_text(encoding="utf-8"))
    return {name: _attribute(name, entry) for name, entry in read.items()}


def _attribute(name: str, entry: Mapping[str, list[str]]) -> Attribute:
    nouns = "|".join(entry.get("nouns", ()))
    units = "|".join(entry.get("units", ()))
    return Attribute(
        name,
        _compiled(entry.get("asks", ()), _BEFORE, _AFTER),
        re.compile(_noun(nouns), re.IGNORECASE) if nouns else None,
        Given(
            name,
            re.compile(rf"(?:{units})(?![a-z0-9]|[-·.][a-z])", re.IGNORECASE) if units else None,
            _compiled(entry.get("gives", ())),
        ),
    )


def _noun(nouns: str) -> str:
    """A quantity's name counts in a clause that wants a figure, or when the clause has said all with it."""
    name = rf"{_BEFORE}(?:{nouns}){_AFTER}(?!{_PART})"
    return rf"^(?=.*(?:{_FIGURE})).*?{name}|{name}{_ENDS}"


def _compiled(patterns: Sequence[str], before: str = "", after: str = "") -> re.Pattern[str] | None:
    either = "|".join(f"(?:{pattern})" for pattern in patterns)
    return re.compile(rf"{before}(?:{either}){after}", re.IGNORECASE) if patterns else None
