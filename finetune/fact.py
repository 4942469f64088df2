"""Something that can be asked and that one chunk answers."""

from collections.abc import Mapping
from dataclasses import dataclass

from assistant.schema import Chunk, Language
from finetune.example import Kind

# Longest sentence that an answer may take over, in characters.
MAX_STATEMENT = 260


@dataclass(frozen=True, slots=True)
class Fact:
    """Something that can be asked and that one chunk answers.

    Attributes:
        wanted: which part of it is asked for; with the kind it names the wordings.
        names: what the wordings speak of ('code', 'key', 'column', 'heading', ...).
        statements: the answer's sentences or lines without their marks.
        follows: the rest of the same row, for a question that follows up.
    """

    kind: Kind
    wanted: str
    language: Language
    chunk: Chunk
    names: Mapping[str, str]
    statements: tuple[str, ...]
    follows: "Fact | None" = None
