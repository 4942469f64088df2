"""What a question asks for, before anything is searched."""

from dataclasses import dataclass

from assistant.schema import Language


@dataclass(frozen=True, slots=True)
class Understood:
    """A question, read.

    Attributes:
        text: as typed, without characters that cannot be seen.
        language: of the text as typed; the answer is in it.
        standalone: the text with what it takes from the history written out; the text itself otherwise.
        parts: the questions in it, each to be searched for by itself; (standalone,) for a single one.
        identifiers: what may be a code, part or model number, in normal form, from the parts.
        attributes: names of the kinds of value asked for ('torque', 'interval', 'part_number').
    """

    text: str
    language: Language
    standalone: str
    parts: tuple[str, ...]
    identifiers: tuple[str, ...] = ()
    attributes: tuple[str, ...] = ()
