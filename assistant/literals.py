"""What an answer must take over as it stands: numbers, quantities with their units, codes and part numbers.

Each is compared in one form: '2,500' and '2 500' are 2500, '0. 50' of a scan is 0.5, 'N·m', 'N.m' and '牛米'
are Nm, 'Ｅ－０７' is e07. Units are never converted: 50 °C is not 50 °F, and 5 bar is not 72.5 psi.
"""

import re
from dataclasses import dataclass
from functools import lru_cache

from assistant.identifiers import find_identifiers, fold

# Units in every spelling, between semicolons; those of one or two letters count in the case they stand in.
_UNITS = """
bar|barg|巴 ; mbar|毫巴 ; kPa|千帕 ; MPa|兆帕 ; Pa|帕 ; psi|psig|psia|lbf/in2|磅/平方英寸 ; inHg ; mmHg
°C|degC|deg C|摄氏度 ; °F|degF|deg F|华氏度 ; K ; %|percent|per cent ; ppm
Nm|N.m|N-m|N m|牛米|牛顿米|牛.米 ; kN|千牛 ; N|牛|牛顿
lb-ft|ft-lb|ft.lb|lbf-ft|lbf.ft|ft lb ; lb-in|in-lb|lbf-in|in lb
mm|毫米 ; cm|厘米 ; µm|um|μm|微米 ; m|米 ; km ; in|inch|inches|英寸 ; ft|feet|foot|英尺
g|gram|grams|克 ; kg|公斤|千克 ; mg ; t|tonne|tonnes|吨 ; lb|lbs|pound|pounds|磅 ; oz|ounce|ounces
L|l|litre|litres|liter|liters|升 ; mL|ml|cc|cm3|cm³|毫升
gal|gallon|gallons|加仑 ; qt|qts|quart|quarts ; pint|pints
L/min|l/min ; m3/min|m³/min ; m3/h|m³/h ; gpm ; cfm|scfm
ms|毫秒 ; s|sec|second|seconds|秒|秒钟 ; min|mins|minute|minutes|分钟 ; h|hr|hrs|hour|hours|小时
day|days|天 ; week|weeks|周|星期 ; month|months|个月 ; year|years|年
V|VDC|VAC|volt|volts|伏 ; mV ; kV ; A|amp|amps|ampere|amperes|安|安培 ; mA|毫安
kW|千瓦 ; W|watt|watts|瓦 ; kVA ; hp ; Hz|赫兹
Ω|ohm|ohms|欧|欧姆 ; kΩ ; MΩ ; rpm|r/min|min-1|转/分|转/分钟|转每分 ; m/s ; mm/s ; dB|dB(A) ; °|degrees|度
"""
_NAMES = {
    spelling: unit.split("|", 1)[0].strip()
    for unit in re.split(r";|\n", fold(_UNITS))
    for spelling in map(str.strip, unit.split("|"))
    if spelling
}
_ANY_CASE = {spelling.casefold(): name for spelling, name in _NAMES.items() if len(spelling) > 2}
_SPELLED = "|".join(re.escape(spelling) for spelling in sorted(_NAMES, key=len, reverse=True))
# Latin units end where the word ends; Chinese ones run into the next word.
_UNIT = rf"(?:(?:{_SPELLED})(?![A-Za-z])(?<=[A-Za-z0-9%°Ω)])|(?:{_SPELLED})(?<=[\u4e00-\u9fff]))"
# A minus belongs to its number where nothing stands before it that could be a range's other end.
_WITH_UNIT = re.compile(rf"((?:(?<![\w.%°)])(?<![\d%°]\s)-)?\d+(?:\.\d+)?)[\s\-]?({_UNIT})", re.IGNORECASE)
_ANY_UNIT = re.compile(rf"(?<![A-Za-z])({_UNIT})", re.IGNORECASE)

_NUMBER = re.compile(r"\d+(?:\.\d+)?")
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")
_BLANK_THOUSANDS = re.compile(r"(?<![\w,.\-])(\d{1,3}) (?=\d{3}(?!\d))")
# Scanned manuals print '0. 50': a blank after the decimal point is the scanner's.
_SPLIT_DECIMAL = re.compile(r"(?<=\d)\. (?=\d)")
_ZERO_POINT = re.compile(r"(?<![\d.,])0\. (?=\d)")
_STEP = re.compile(r"^\s*(?:\(?[1-9]\d?[.)]|[-•*])\s+")
_NEWTON_METRE = re.compile(r"(?<=N)\s?[·⋅•∙‧]\s?(?=m\b)")

_WORDS = "two three four five six seven eight nine ten eleven twelve".split()
_SPELLED_OUT = {word: str(number) for number, word in enumerate(_WORDS, start=2)}
_SPELLED_OUT |= {digit: str(number) for number, digit in enumerate("二三四五六七八九十", start=2)} | {
    "两": "2"
}
_MEASURE = "个|次|根|条|块|颗|台|圈|遍|处|套|只|把|班|人|级|档|倍|层|小时|分钟|秒|天|周|年|吨|米"
_WORD = re.compile(
    rf"\b(?:{'|'.join(_WORDS)})\b|(?<![十百])[二三四五六七八九十两](?=\s*(?:{_MEASURE}))", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Literals:
    """The literals of a text.

    Attributes:
        numbers: in the form they are compared in.
        identifiers: codes, part and model numbers, in normal form.
        quantities: number and unit, one name for each unit.
    """

    numbers: frozenset[str]
    identifiers: frozenset[str]
    quantities: frozenset[tuple[str, str]]

    def __bool__(self) -> bool:
        return bool(self.numbers or self.identifiers)

    def stand_in(self, place: "Literals") -> bool:
        """Whether a place holds every one of them."""
        return (
            self.numbers <= place.numbers
            and self.identifiers <= place.identifiers
            and self.quantities <= place.quantities
        )


def literals(text: str) -> tuple[frozenset[str], frozenset[str]]:
    """Numbers and identifiers of a text, each in the form they are compared in: '2,500.0' -> '2500'."""
    plain = _THOUSANDS.sub("", fold(_STEP.sub("", text)))
    # '1. 15 bar' may be step 1 and 15 bar, or a scanned 1.15 bar: a passage holds both readings.
    read = [*_NUMBER.findall(plain), *_NUMBER.findall(_SPLIT_DECIMAL.sub(".", plain))]
    return frozenset(_plain_number(number) for number in read), frozenset(find_identifiers(text))


@lru_cache(maxsize=16384)
def said(text: str) -> Literals:
    """The literals that a sentence says; the number of its step is none."""
    plain = _joined(text)
    numbers, identifiers = literals(plain)
    spelled = {_SPELLED_OUT[word.casefold()] for word in _WORD.findall(plain)}
    return Literals(numbers | spelled, identifiers, frozenset(_quantities(plain)))


@lru_cache(maxsize=16384)
def held_by(text: str) -> Literals:
    """The literals that a place holds; a number without a unit of its own has any that stands in its line."""
    numbers: set[str] = set()
    quantities: set[tuple[str, str]] = set()
    for line in map(_joined, text.splitlines()):
        spelled = {_SPELLED_OUT[word.casefold()] for word in _WORD.findall(line)}
        found = literals(line)[0] | spelled
        own = set(_quantities(line)) | set(_quantities(_SPLIT_DECIMAL.sub(".", line)))
        units = {_name(unit) for unit in _ANY_UNIT.findall(line)} - {""}
        bare = found - {number.lstrip("-") for number, _ in own}
        numbers |= found
        quantities |= own | {(number, unit) for number in bare for unit in units}
    return Literals(frozenset(numbers), frozenset(find_identifiers(text)), frozenset(quantities))


def without_literals(text: str) -> str:
    """A text without its figures, their units and its codes: the words that remain."""
    bare = _WITH_UNIT.sub(" ", _joined(text))
    return " ".join(word for word in bare.split() if not any(map(str.isdigit, word)) or not word.isascii())


def _joined(text: str) -> str:
    """Folded, with '2 500' as '2,500', 'N·m' as 'Nm' and '0. 50', which no step is, as '0.50'."""
    return _ZERO_POINT.sub("0.", _BLANK_THOUSANDS.sub(r"\1,", _NEWTON_METRE.sub("", fold(text))))


def _quantities(text: str) -> list[tuple[str, str]]:
    found = _WITH_UNIT.findall(_THOUSANDS.sub("", text))
    return [(_plain_number(number), _name(unit)) for number, unit in found if _name(unit)]


def _name(unit: str) -> str:
    """The one name of a unit; empty for letters in a case that is no unit ('2 a')."""
    return _NAMES.get(unit) or _ANY_CASE.get(unit.casefold(), "")


def _plain_number(number: str) -> str:
    return number.rstrip("0").rstrip(".") if "." in number else number
