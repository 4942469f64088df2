"""From hits and history to the messages that the model reads.

The head of the prompt is the same for every question in a language, so that the model server's prefix cache
keeps it. Passages are data: they stand between markers, and nothing in them is an instruction.
"""

import difflib
from collections.abc import Sequence
from importlib.resources import files

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage

from assistant.language import language_of
from assistant.schema import Hit, Language, Turn

REFUSAL: dict[Language, str] = {
    "en": "The manuals held here do not answer this.",
    "zh": "现有手册没有给出这个问题的答案。",
}
# Characters kept of each passage and earlier turn: about what the smallest context has room for.
PASSAGE_CHARACTERS = 1400
TURN_CHARACTERS = 400
TURNS = 4
# Small models change a word of the phrase ('The manual held here ...').
NEARLY = 0.85

_LABELS: dict[Language, tuple[str, str]] = {"en": ("Sources", "Question"), "zh": ("资料", "问题")}


def build_messages(question: str, hits: Sequence[Hit], history: Sequence[Turn] = ()) -> list[BaseMessage]:
    """Messages for one question.

    Args:
        question: as typed.
        hits: passages in the order of their numbers, from [1].
        history: earlier turns; the last few are kept.
    """
    language = language_of(question)
    template = files("assistant").joinpath("prompts/answer.md").read_text(encoding="utf-8")
    messages: list[BaseMessage] = [SystemMessage(template.format(refusal=REFUSAL[language]))]
    for turn in history[-TURNS:]:
        kind = HumanMessage if turn.role == "user" else AIMessage
        messages.append(kind(turn.content[:TURN_CHARACTERS]))
    sources, asked = _LABELS[language]
    passages = "\n".join(f"[{number}] {passage_text(hit)}" for number, hit in enumerate(hits, start=1))
    messages.append(HumanMessage(f"{sources}:\n{passages}\n\n{asked}: {question.strip()}"))
    return messages


def passage_text(hit: Hit) -> str:
    """A passage as the model reads it: its place in the document, then its words on one line."""
    words = " ".join(hit.chunk.text.split())[:PASSAGE_CHARACTERS]
    return f"({hit.chunk.heading}) {words}" if hit.chunk.heading else words


def is_refusal(text: str) -> bool:
    """Whether the model refused, in the phrase it was given or nearly."""
    return any(
        phrase in text or difflib.SequenceMatcher(None, phrase, text.strip()).ratio() >= NEARLY
        for phrase in REFUSAL.values()
    )
