"""How the maintenance crew writes its work orders: shorthand, remarks, and a typo now and then."""

import re
from random import Random

TYPO_SHARE = 0.07
FLAG_SHARE = 0.3
SHOUT_SHARE = 0.05


class Voice:
    """One crew's way of writing, from the wordings in shop_talk/ and a random stream of its own."""

    def __init__(self, phrases: dict[str, list[str]], random: Random) -> None:
        self._phrases = phrases
        self._random = random
        self._last: dict[str, str] = {}

    def headline(self, wordings: list[str]) -> str:
        """Returns a DESCRIPTION, sometimes with a flag such as 'line dwn'."""
        text = self._choose(wordings)
        if self._random.random() < FLAG_SHARE:
            text = self._random.choice(self._phrases["flag"]).format(text)
        return self._hurried(text)

    def complaint(self, wordings: list[str]) -> str:
        """Returns the DESCRIPTION of a second call for the same trouble."""
        return self._hurried(self._random.choice(self._phrases["again"]).format(self._choose(wordings)))

    def routine(self, wordings: list[str]) -> str:
        """Returns the DESCRIPTION of a planned service."""
        return self._hurried(self._choose(wordings))

    def details(self, wordings: list[str], with_parts: bool) -> str:
        """Returns a LONGDESCRIPTION: what was found and done, and up to two remarks."""
        possible = self._phrases["tail"] + (self._phrases["parts_tail"] if with_parts else [])
        remarks = self._random.sample(possible, self._random.choice((0, 0, 1, 1, 2)))
        sentences = [self._choose(wordings), *(self._choose([remark]) for remark in remarks)]
        closed = [text if text[-1] in ".。!" else text + self._phrases["stop"] for text in sentences]
        return self._phrases["space"].join(closed) if remarks else sentences[0]

    def waiting(self) -> str:
        """Returns why an order is still open."""
        return self._random.choice(self._phrases["waiting"])

    def _choose(self, wordings: list[str]) -> str:
        """Returns one of the wordings, not the last one again when there is another."""
        fresh = [text for text in wordings if text != self._last.get(wordings[0])]
        text = self._random.choice(fresh or wordings)
        self._last[wordings[0]] = text
        return re.sub(r"<([\d.]+)-([\d.]+)>", self._figure, text)

    def _figure(self, bounds: re.Match[str]) -> str:
        digits = len(bounds[1].partition(".")[2])
        return f"{self._random.uniform(float(bounds[1]), float(bounds[2])):.{digits}f}"

    def _hurried(self, text: str) -> str:
        if self._random.random() < SHOUT_SHARE:
            return text.upper()
        words = list(re.finditer(r"\b[a-z]{5,}\b", text))
        if not words or self._random.random() > TYPO_SHARE:
            return text
        word = self._random.choice(words)
        at = self._random.randrange(word.start() + 1, word.end() - 2)
        return text[:at] + text[at + 1] + text[at] + text[at + 2 :]
