"""Kinds of value: which one a question asks for, and which ones a passage gives.

A question for a torque is answered where a torque stands. The table in attributes.yaml is general terminology
of maintenance in English and Chinese, with the units of either system.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import yaml

from assistant.identifiers import fold

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
# Numbers as they end and begin: '0.5', '1/2', '2,500', '±3'.
_NUMBER_BEFORE = r"(?:\d[)\]]?|\d\s?(?:±|\+/?-)\s?\d+)\s?-?\s?"
_NUMBER_AFTER = r"[^|\n]{0,12}?\d"
_WORDS = (
    r"\b(?:half|one|two|three|four|five|six|seven|eight|nine|ten|twelve|fifteen|twenty|thirty)[\s-](?:an? )?"
)


@dataclass(frozen=True, slots=True)
class Attribute:
    """One kind of value; the patterns match folded, casefolded text."""

    name: str
    asks: re.Pattern[str] | None
    noun: re.Pattern[str] | None
    gives: re.Pattern[str]

    def asked_in(self, text: str) -> bool:
        """Whether a question asks for it."""
        if self.asks and self.asks.search(text):
            return True
        noun = self.noun
        return noun is not None and any(noun.search(clause) for clause in _CLAUSE.split(text))


def asked(text: str) -> tuple[str, ...]:
    """Names of the kinds of value that a question asks for, in the table's order; () for none known."""
    folded = fold(text)
    return tuple(attribute.name for attribute in attributes().values() if attribute.asked_in(folded))


def held(text: str) -> frozenset[str]:
    """Names of the kinds of value that a passage gives, units and identifiers as its evidence."""
    folded = fold(text)
    return frozenset(a.name for a in attributes().values() if a.gives.search(folded))


def attributes() -> Mapping[str, Attribute]:
    """The table, by name."""
    return _table()


@cache
def _table() -> Mapping[str, Attribute]:
    read = yaml.safe_load(files("assistant").joinpath("attributes.yaml").read_text(encoding="utf-8"))
    return {name: _attribute(name, entry) for name, entry in read.items()}


def _attribute(name: str, entry: Mapping[str, list[str]]) -> Attribute:
    nouns = "|".join(entry.get("nouns", ()))
    gives = []
    if units := "|".join(entry.get("units", ())):
        gives.append(rf"{_NUMBER_BEFORE}(?:{units})(?![a-z0-9]|[-·.][a-z])")
        gives.append(rf"{_WORDS}(?:{units})(?![a-z0-9]|[-·.][a-z])|[(\[]\s?(?:{units})\.?\s?[)\]]")
        gives.append(rf"[\s(\[,/](?:{units})[)\]]?\s*[:：]{_NUMBER_AFTER}")
    gives += [f"(?:{pattern})" for pattern in entry.get("gives", ())]
    return Attribute(
        name,
        _compiled("|".join(f"(?:{pattern})" for pattern in entry.get("asks", ()))),
        re.compile(_noun(nouns), re.IGNORECASE) if nouns else None,
        re.compile("|".join(gives), re.IGNORECASE),
    )


def _noun(nouns: str) -> str:
    """A quantity's name counts in a clause that wants a figure, or when the clause has said all with it."""
    name = rf"{_BEFORE}(?:{nouns}){_AFTER}(?!{_PART})"
    return rf"^(?=.*(?:{_FIGURE})).*?{name}|{name}{_ENDS}"


def _compiled(asks: str) -> re.Pattern[str] | None:
    return re.compile(rf"{_BEFORE}(?:{asks}){_AFTER}", re.IGNORECASE) if asks else None
