"""Words of the shop and words of manuals that mean the same, within a language and across the two."""

import re
from collections import defaultdict
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

import yaml

_CHINESE = re.compile(r"[\u3400-\u9fff]")


class Glossary:
    """Knows which wordings say the same; safe to share between threads.

    Attributes:
        longest: words of its longest English wording.
    """

    def __init__(self, lines: Mapping[str, list[str]]) -> None:
        """Reads lines 'English, English | Chinese, Chinese', each of one thing, under any headings."""
        alike: defaultdict[str, dict[str, None]] = defaultdict(dict)
        for line in (line for group in lines.values() for line in group):
            wordings = [wording.strip() for wording in re.split(r"[,|]", line)]
            for wording in wordings:
                alike[key(wording)].update({other: None for other in wordings if key(other) != key(wording)})
        self._alike = {wording: tuple(others) for wording, others in alike.items()}
        english = [wording for wording in self._alike if not _CHINESE.search(wording)]
        self.longest = max(len(wording.split()) for wording in english)
        chinese = sorted((w for w in self._alike if _CHINESE.search(w) and len(w) > 1), key=len, reverse=True)
        self._chinese = re.compile("|".join(map(re.escape, chinese)))

    def alike(self, wording: str) -> tuple[str, ...]:
        """Other wordings of the same thing, in both languages; () for what it does not know."""
        return self._alike.get(key(wording), ())

    def chinese_in(self, text: str) -> list[str]:
        """Its Chinese wordings that stand in a text, the longest where they overlap."""
        return self._chinese.findall(text)


def key(wording: str) -> str:
    """The form in which wordings are looked up: small letters, no plural, no dashes."""
    words = wording.casefold().replace("-", " ").replace("_", " ").split()
    return " ".join(
        word[:-1] if len(word) > 3 and word[-1] == "s" and word[-2] != "s" else word for word in words
    )


@cache
def glossary() -> Glossary:
    """The one that comes with Lineside."""
    return Glossary(yaml.safe_load(files("assistant").joinpath("glossary.yaml").read_text(encoding="utf-8")))
