"""From a fact to the words in which somebody asks for it."""

import random
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from string import Formatter
from typing import Any

import yaml

from finetune.fact import Fact

# Codes as people type them: 'E-07', 'E07', 'e 07'.
_CODE_DASH = re.compile(r"(?<=[A-Za-z])-(?=\d)")


@dataclass(frozen=True, slots=True)
class Unheld:
    """A question that manuals rarely answer, and what would show that this one does."""

    text: str
    unless: re.Pattern[str]


def asked(fact: Fact, chance: random.Random) -> str:
    """A question for a fact, in one of many wordings.

    Raises:
        LookupError: no wording fits what the fact names.
    """
    fitting = [w for w in _table()[fact.language].get(fact.wanted, []) if _fits(w, fact.names)]
    if not fitting:
        raise LookupError(f"no wording for {fact.wanted}")
    return _filled(chance.choice(fitting), fact.names, chance)


def follow_up(fact: Fact, chance: random.Random) -> str:
    """A question that leans on the one before it and asks for a remedy."""
    return chance.choice(_table()[fact.language]["follow.remedy"])


def unheld(fact: Fact, chance: random.Random) -> Unheld:
    """A question about a fact's subject that its manual hardly answers."""
    names = fact.names
    key = names.get("key") or names.get("code") or names["message"]
    entry = chance.choice(_unheld()[f"{fact.language}.{'thing' if names.get('key') else 'fault'}"])
    wording = chance.choice(entry["ask"])
    return Unheld(_filled(wording, {"key": key}, chance), re.compile(entry["unless"], re.IGNORECASE))


def _fits(wording: str, names: Mapping[str, str]) -> bool:
    return all(names.get(field) for _, field, _, _ in Formatter().parse(wording) if field)


def _filled(wording: str, names: Mapping[str, str], chance: random.Random) -> str:
    typed = {name: _typed(name, text, chance) for name, text in names.items()}
    return re.sub(r"\s+", " ", wording.format(**typed)).strip()


def _typed(name: str, text: str, chance: random.Random) -> str:
    if name == "code":
        form = chance.random()
        if form < 0.15:
            return _CODE_DASH.sub("", text).lower()
        if form < 0.25:
            return _CODE_DASH.sub(" ", text)
        return text
    # A name in the middle of a sentence begins small, unless it is an abbreviation.
    if name in {"key", "heading", "message"} and text[:1].isupper() and text[1:2].islower():
        return text[0].lower() + text[1:]
    return text


@cache
def _read() -> dict[str, dict[str, list[str]]]:
    return dict(yaml.safe_load(files("finetune").joinpath("wordings.yaml").read_text(encoding="utf-8")))


def _table() -> Mapping[str, Mapping[str, list[str]]]:
    return _read()


def _unheld() -> Mapping[str, list[dict[str, Any]]]:
    return _read()["unheld"]  # type: ignore[return-value]
