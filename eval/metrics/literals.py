"""Numbers, quantities with units, codes and part numbers of an answer that no cited block holds."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from assistant.identifiers import fold, normal_form
from assistant.literals import literals
from eval.metrics.wording import is_quoted, statements, unmarked

# One unit a line, its name first; single letters count only in the case they are written in.
_UNITS = """
bar | mbar | kPa 千帕 | MPa 兆帕 | Pa 帕 | psi psig | °C degC 摄氏度 | °F degF | % percent 百分之
Nm N.m N-m 牛米 牛.米 | kN 千牛 | N 牛 | lb-ft ft-lb ft.lb lbf-ft | lb-in in-lb
mm 毫米 | cm 厘米 | µm um 微米 | m 米 | km | inch inches 英寸 | ft feet 英尺
g gram grams 克 | kg 公斤 千克 | mg | t tonne tonnes 吨 | lb lbs
L l litre litres liter liters 升 | mL ml 毫升 | gal gallon gallons | L/min l/min | m3/min | m3/h
ms 毫秒 | s sec second seconds 秒 秒钟 | min minute minutes 分钟 | h hr hrs hour hours 小时
day days 天 | week weeks 周 星期 | month months 个月 | year years 年
V VDC VAC volt volts 伏 | mV | A amp amps ampere amperes 安 | mA 毫安 | kW 千瓦 | W watt watts | kVA | Hz 赫兹
Ω ohm ohms 欧 | kΩ | MΩ | rpm r/min 转/分 转/分钟 | m/s | mm/s | °
"""
_NAMES = {
    spelling if len(spelling) == 1 else spelling.casefold(): entry.split()[0]
    for line in _UNITS.strip().splitlines()
    for entry in line.split("|")
    for spelling in map(fold, entry.split())
}
_SPELLED = "|".join(re.escape(spelling) for spelling in sorted(_NAMES, key=len, reverse=True))
# Latin units end where the word ends; Chinese ones run into the next word.
_UNIT = rf"(?:(?:{_SPELLED})(?![A-Za-z])(?<=[A-Za-z%°ΩΩ])|(?:{_SPELLED})(?<=[\u4e00-\u9fff]))"
_QUANTITY = re.compile(rf"(\d+(?:\.\d+)?)[\s\-]?({_UNIT})", re.IGNORECASE)
_ANY_UNIT = re.compile(rf"(?<![A-Za-z])(?:{_UNIT})", re.IGNORECASE)
_THOUSANDS = re.compile(r"(?<![\w,\-])(?<!\d\.)(\d{1,3})[ ,](?=\d{3}(?!\d))")
# '1. 15 bar' in a cell is the first cause, and in a scanned manual a decimal; a passage may mean either.
_ENUMERATED = re.compile(r"(?<=\d)\. (?=\d)")
_CODE = re.compile(r"[A-Za-z]*[\d.,/:×\-]*\d[\w.\-/]*|[A-Za-z]+-\d\S*")
_NEWTON_METRE = re.compile(r"(?<=N)[·⋅•∙](?=m)")

_WORDS = {
    word: str(number)
    for number, word in enumerate(
        "one two three four five six seven eight nine ten eleven twelve".split(), start=1
    )
} | {"fifteen": "15", "twenty": "20", "thirty": "30", "forty": "40", "fifty": "50", "hundred": "100"}
_DIGITS = {digit: str(number) for number, digit in enumerate("一二三四五六七八九十", start=1)} | {"两": "2"}
_WORD = re.compile(rf"\b(?:{'|'.join(_WORDS)})\b", re.IGNORECASE)
_MEASURE = "个|次|根|条|块|颗|台|圈|遍|处|套|只|把|班|人|级|档|倍|层|小时|分钟|秒|天|周|年|吨|米"
_DIGIT = re.compile(rf"[一二两三四五六七八九十](?=\s*(?:{_MEASURE}))")


@dataclass(frozen=True, slots=True)
class Literals:
    """What must be taken over from a source as it stands.

    Attributes:
        numbers: in the form they are compared in, '2,500.0' as '2500'.
        identifiers: codes, part and model numbers, in normal form.
        quantities: number and unit, one name for each unit.
    """

    numbers: frozenset[str]
    identifiers: frozenset[str]
    quantities: frozenset[tuple[str, str]]

    def __bool__(self) -> bool:
        return bool(self.numbers or self.identifiers)


@lru_cache(maxsize=50_000)
def find_literals(text: str) -> Literals:
    """The literals of a sentence; markers and the number of its step are none."""
    bare = _units_joined(unmarked(text))
    numbers, identifiers = literals(bare)
    return Literals(numbers, identifiers, frozenset(_quantities(bare)))


@lru_cache(maxsize=50_000)
def held_literals(text: str) -> Literals:
    """What a passage can vouch for.

    Its literals, its numbers in words ('ten minutes'), and in each line every unit with every number, since
    a table may name the unit once.
    """
    numbers: set[str] = set()
    quantities: set[tuple[str, str]] = set()
    spelled = _DIGIT.sub(_digit, _WORD.sub(_number, fold(text)))
    for line in map(_units_joined, spelled.splitlines()):
        in_line = literals(line)[0] | literals(_ENUMERATED.sub(" ", line))[0]
        units = {_name(unit) for unit in _ANY_UNIT.findall(line)} - {""}
        numbers |= in_line
        quantities |= {(number, unit) for number in in_line for unit in units} | set(_quantities(line))
    _, identifiers = literals(text)
    return Literals(frozenset(numbers), identifiers, frozenset(quantities))


def unheld_literals(answer: str, blocks: Sequence[str], given: str = "") -> tuple[str, ...]:
    """Literals of an answer that none of its cited blocks holds, in order of appearance, each once.

    Args:
        answer: with or without markers.
        blocks: the cited passages.
        given: what the technician chose (the asset's tag); naming it again invents nothing.
    """
    held = [held_literals(block) for block in blocks]
    named = {normal_form(given)} | set(find_literals(given).identifiers)
    given_numbers = find_literals(given).numbers
    unheld: dict[str, None] = {}
    for sentence in statements(answer):
        if any(is_quoted(sentence, block) for block in blocks):
            continue
        said = find_literals(sentence)
        for identifier in sorted(said.identifiers - named):
            if not any(identifier in block.identifiers for block in held):
                unheld[identifier] = None
        for number in sorted(said.numbers - given_numbers):
            part_of_code = any(number in identifier for identifier in said.identifiers)
            if not part_of_code and not any(number in block.numbers for block in held):
                unheld[number] = None
        for number, unit in sorted(said.quantities):
            if number not in unheld and not any((number, unit) in block.quantities for block in held):
                unheld[f"{number} {unit}"] = None
    return tuple(unheld)


def without_literals(text: str) -> str:
    """A text without its figures, their units, its codes and its markers: the words that remain."""
    return _CODE.sub(" ", _QUANTITY.sub(" ", _units_joined(unmarked(text))))


def _units_joined(text: str) -> str:
    return _THOUSANDS.sub(r"\1", _NEWTON_METRE.sub("", fold(text)))


def _quantities(text: str) -> list[tuple[str, str]]:
    found = [(literals(number)[0], _name(unit)) for number, unit in _QUANTITY.findall(text)]
    return [(next(iter(number)), unit) for number, unit in found if number and unit]


def _name(unit: str) -> str:
    """The one name of a unit; empty for a single letter in a case that is no unit ('2 a')."""
    return _NAMES.get(unit if len(unit) == 1 else unit.casefold(), "")


def _number(match: re.Match[str]) -> str:
    return f"{match.group()} {_WORDS[match.group().casefold()]}"


def _digit(match: re.Match[str]) -> str:
    return _DIGITS[match.group()]
