"""What Word does not write down but shows: heading levels by style, and the numbers of lists and headings."""

import re
from collections.abc import Iterator
from xml.etree.ElementTree import Element

_HEADING = re.compile(r"^(?:heading|标题)\s*([1-9])$", re.IGNORECASE)
_CONTENTS = re.compile(r"^(?:toc\s*\d|toc heading|table of figures)$", re.IGNORECASE)
_CHINESE = "零一二三四五六七八九"
_ROMAN = ((100, "c"), (90, "xc"), (50, "l"), (40, "xl"), (10, "x"), (9, "ix"), (5, "v"), (4, "iv"), (1, "i"))
BODY_LEVEL = 9


def local(element: Element) -> str:
    """An element's name without its namespace, of which Word has two sets."""
    return str(element.tag).rpartition("}")[2]


def child(parent: Element | None, name: str) -> Element | None:
    """The first child of a name."""
    return next((e for e in parent if local(e) == name), None) if parent is not None else None


def attribute(element: Element | None, name: str) -> str | None:
    """An attribute, whatever its namespace."""
    found = element.attrib.items() if element is not None else ()
    return next((value for key, value in found if key.rpartition("}")[2] == name), None)


class Styles:
    """The paragraph styles of a document."""

    def __init__(self, root: Element | None) -> None:
        """Reads word/styles.xml; None when the document has none."""
        styles = [e for e in root if local(e) == "style"] if root is not None else []
        self._by_id = {attribute(style, "styleId") or "": style for style in styles}

    def chain(self, paragraph: Element) -> Iterator[Element]:
        """The paragraph's style and those that it is based on."""
        name = attribute(child(child(paragraph, "pPr"), "pStyle"), "val")
        seen: set[str] = set()
        while name and name not in seen and name in self._by_id:
            seen.add(name)
            yield self._by_id[name]
            name = attribute(child(self._by_id[name], "basedOn"), "val")

    def heading_level(self, paragraph: Element) -> int | None:
        """0 for the title, 1 to 9 for headings, None for text."""
        direct = attribute(child(child(paragraph, "pPr"), "outlineLvl"), "val")
        if direct and direct.isdecimal():
            return int(direct) + 1 if int(direct) < BODY_LEVEL else None
        for style in self.chain(paragraph):
            name = attribute(child(style, "name"), "val") or ""
            if name.casefold() == "title":
                return 0
            heading = _HEADING.match(name)
            if heading:
                return int(heading.group(1))
            outline = attribute(child(child(style, "pPr"), "outlineLvl"), "val")
            if outline and outline.isdecimal():
                return int(outline) + 1 if int(outline) < BODY_LEVEL else None
        return None

    def is_contents(self, paragraph: Element) -> bool:
        """True for a line of the table of contents."""
        names = (attribute(child(style, "name"), "val") or "" for style in self.chain(paragraph))
        return any(_CONTENTS.match(name) for name in names)


class Numbering:
    """Counts numbered paragraphs in the order in which they are asked for."""

    def __init__(self, root: Element | None, styles: Styles) -> None:
        """Reads word/numbering.xml; None when the document has none."""
        self._styles = styles
        parts = list(root) if root is not None else []
        self._abstract = {attribute(e, "abstractNumId"): e for e in parts if local(e) == "abstractNum"}
        self._lists = {attribute(e, "numId"): e for e in parts if local(e) == "num"}
        self._counts: dict[str, dict[int, int]] = {}
        self._begun: set[str] = set()

    def next_number(self, paragraph: Element) -> str:
        """What Word prints before a paragraph: '3.2', 'a)', '•', or '' where it is not numbered."""
        properties = [child(paragraph, "pPr"), *(child(s, "pPr") for s in self._styles.chain(paragraph))]
        numbered = next((n for n in (child(p, "numPr") for p in properties) if n is not None), None)
        number = attribute(child(numbered, "numId"), "val")
        wanted = attribute(child(numbered, "ilvl"), "val") or "0"
        if number is None or number not in self._lists or not wanted.isdecimal():
            return ""
        depth = int(wanted)
        abstract = attribute(child(self._lists[number], "abstractNumId"), "val") or ""
        counts = self._counts.setdefault(abstract, {})
        if number not in self._begun:
            self._begun.add(number)
            for override in self._lists[number]:
                start = attribute(child(override, "startOverride"), "val")
                if start and start.isdecimal():
                    counts[int(attribute(override, "ilvl") or 0)] = int(start) - 1
        counts[depth] = counts.get(depth, self._start(abstract, depth) - 1) + 1
        for deeper in [d for d in counts if d > depth]:
            del counts[deeper]
        return self._written(abstract, depth, counts)

    def _written(self, abstract: str, depth: int, counts: dict[int, int]) -> str:
        level = self._level(abstract, depth)
        if attribute(child(level, "numFmt"), "val") == "bullet":
            return "•"
        text = attribute(child(level, "lvlText"), "val") or ""

        def count(match: re.Match[str]) -> str:
            at = int(match.group(1)) - 1
            kind = attribute(child(self._level(abstract, at), "numFmt"), "val") or "decimal"
            return spelled(counts.get(at, self._start(abstract, at)), kind)

        return re.sub(r"%([1-9])", count, text).strip()

    def _level(self, abstract: str, depth: int) -> Element | None:
        levels = self._abstract.get(abstract)
        found = (e for e in levels if local(e) == "lvl") if levels is not None else iter(())
        return next((level for level in found if attribute(level, "ilvl") == str(depth)), None)

    def _start(self, abstract: str, depth: int) -> int:
        start = attribute(child(self._level(abstract, depth), "start"), "val")
        return int(start) if start and start.isdecimal() else 1


def spelled(number: int, kind: str) -> str:
    """A count in one of Word's formats (ST_NumberFormat); those not known here as digits."""
    if kind == "none":
        return ""
    if kind in {"lowerLetter", "upperLetter"} and number > 0:
        letter = chr(ord("a") + (number - 1) % 26) * ((number - 1) // 26 + 1)
        return letter.upper() if kind == "upperLetter" else letter
    if kind in {"lowerRoman", "upperRoman"} and 0 < number < 400:
        roman, left = "", number
        for value, sign in _ROMAN:
            roman += sign * (left // value)
            left %= value
        return roman.upper() if kind == "upperRoman" else roman
    if kind.startswith(("chinese", "japaneseCounting", "taiwaneseCounting")) and 0 < number < 100:
        tens, ones = divmod(number, 10)
        ten = (_CHINESE[tens] if tens > 1 else "") + "十" if tens else ""
        return ten + (_CHINESE[ones] if ones or not tens else "")
    return f"{number:02}" if kind == "decimalZero" else str(number)
