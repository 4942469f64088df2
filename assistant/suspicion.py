"""Text that speaks to the assistant instead of the technician, as attackers plant it in documents.

Manuals tell people what to do with machines; an indirect prompt injection (Greshake et al. 2023,
arXiv:2302.12173) tells whoever writes an answer what to say, what to leave out or which rules to drop. Each
sign of that (suspicion.yaml) has a weight; one that manuals show too weighs half and needs another close by.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files
from pathlib import PurePath

import yaml

from assistant.clean import hides_words, visible
from assistant.identifiers import fold
from assistant.language import sentences
from assistant.schema import Chunk, Language
from assistant.trace import Check

# Signs of this weight together, in one sentence or in two in a row, are enough.
ENOUGH = 1.0
# Name of the check that tells of passages left out, and how much of each it shows.
CHECK, SHOWN = "passages speak to technicians", 600
LEFT_OUT: dict[Language, str] = {
    "en": "{count} passage(s) left out: they speak to the assistant instead of a technician.",
    "zh": "已略去{count}段：其内容针对问答系统，而不是维修人员。",
}

_NAME = re.compile(r"\{([a-z]+)\}")


@dataclass(frozen=True, slots=True)
class _Signs:
    """The file of signs, compiled; `cores`: a text without any of them holds no sign worth looking for."""

    cores: tuple[str, ...]
    signs: tuple[tuple[float, re.Pattern[str]], ...]


def addressed(chunk: Chunk) -> str:
    """What a passage, its headings or its document's name say to the assistant; empty for nothing."""
    name = PurePath(chunk.document).name
    return speaks_to_assistant("\n".join((name, chunk.title, chunk.heading, chunk.text)))


def left_out_check(chunks: Sequence[Chunk]) -> Check:
    """The check of an answer that tells a supervisor which passages were left out, and what they say."""
    said = (f"{chunk.document} p. {chunk.page}: {' '.join(chunk.text.split())[:SHOWN]}" for chunk in chunks)
    return Check(CHECK, not chunks, " … ".join(said))


@lru_cache(maxsize=8192)
def speaks_to_assistant(text: str) -> str:
    """The words of a text that are meant for the assistant rather than for a technician; empty for none.

    Args:
        text: a passage, heading or file name as it was read, invisible characters included.
    """
    shown = fold(visible(text))
    if hides_words(text):
        return shown.strip()
    known, lower = _signs(), shown.lower()
    if not any(core in lower for core in known.cores):
        return ""
    pieces = sentences(shown)
    held = [{sign for sign in known.signs if sign[1].search(piece)} for piece in pieces]
    for place, signs in enumerate(held):
        following = held[place + 1] if place + 1 < len(held) else set()
        for count, together in enumerate((signs, signs | following), start=1):
            if sum(weight for weight, _ in together) >= ENOUGH:
                return " ".join(pieces[place : place + count])
    return ""


@cache
def _signs() -> _Signs:
    loaded = yaml.safe_load(files("assistant").joinpath("suspicion.yaml").read_text(encoding="utf-8"))
    names: dict[str, str] = loaded["names"]

    def compiled(pattern: str) -> re.Pattern[str]:
        return re.compile(_NAME.sub(lambda name: names[name[1]], pattern), re.IGNORECASE)

    return _Signs(
        tuple(loaded["cores"]),
        tuple((float(sign["weight"]), compiled(sign["pattern"])) for sign in loaded["signs"]),
    )
