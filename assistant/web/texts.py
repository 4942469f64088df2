"""The words of the pages, in both languages, from texts.json."""

import json
from collections.abc import Mapping
from functools import lru_cache
from importlib.resources import files
from typing import get_args

from assistant.schema import Language

LANGUAGES: tuple[Language, ...] = get_args(Language)


@lru_cache(maxsize=len(LANGUAGES))
def texts(language: Language) -> Mapping[str, str]:
    """Key -> text; both languages have the same keys (a test keeps it so)."""
    table: dict[str, dict[str, str]] = json.loads(
        files("assistant.web").joinpath("texts.json").read_text(encoding="utf-8")
    )
    return table[language]
