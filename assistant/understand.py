"""What a question asks for, before anything is searched."""

import re
from dataclasses import dataclass

from assistant.attributes import asked
from assistant.clean import visible
from assistant.followups import points_back, written_out
from assistant.identifiers import candidate_identifiers, fold
from assistant.language import language_of
from assistant.parts import parts_of
from assistant.schema import Language, Question, Turn

_LETTERS = re.compile(r"[a-z]{3,}|[\u3400-\u9fff]", re.IGNORECASE)


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

    @property
    def naming(self) -> str:
        """What names the codes asked about: the text, or all of it when the text only points at one."""
        points = points_back(self.text) and not candidate_identifiers(self.text)
        return self.standalone if points else self.text


class Understander:
    """Reads questions; holds nothing, so threads may share it."""

    def read(self, question: Question) -> Understood:
        """What a question asks for, with its history taken into account."""
        text = visible(question.text).strip()
        standalone = written_out(text, question.history)
        return Understood(
            text=text,
            language=_language(text, question.history),
            standalone=standalone,
            parts=parts_of(text) if standalone == text else (standalone,),
            identifiers=candidate_identifiers(text) or candidate_identifiers(standalone),
            attributes=asked(text) or asked(standalone),
        )


def _language(text: str, history: tuple[Turn, ...]) -> Language:
    """Of the text; of the last turn that has words when the text is nothing but a code."""
    if _LETTERS.search(fold(text)):
        return language_of(text)
    said = (turn.content for turn in reversed(history) if _LETTERS.search(fold(turn.content)))
    return language_of(next(said, text))
