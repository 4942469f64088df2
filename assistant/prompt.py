"""From a question and what was found for it to the messages that the model reads.

A model writes the answer, or only points: it names the numbers of the places that answer, whose own words are
then the draft. The head of a prompt is the same for every question in a language, so that the model server's
prefix cache keeps it. Prompts are short, because two cores read some 400 tokens in a second: places that
answer rather than whole passages. What they say is data: nothing in it passes for a number or a mark of ours.
"""

import difflib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Literal

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage

from assistant.clean import visible
from assistant.evidence import Evidence
from assistant.language import language_of, sentences
from assistant.schema import Hit, Language, Question, Turn
from assistant.tokens import token_estimate
from assistant.understand import Understander, Understood

Style = Literal["write", "point"]
REFUSAL: dict[Language, str] = {
    "en": "The manuals held here do not answer this.",
    "zh": "现有手册没有给出这个问题的答案。",
}
# Tokens of a prompt that is built from whole passages.
WHOLE = 3000
# Characters kept of a source, a question and an earlier turn.
SOURCE_CHARACTERS = 700
QUESTION_CHARACTERS = 1200
TURN_CHARACTERS = 300
TURNS = 4
# Tokens of labels and of what a chat template puts around messages.
FRAME = 60
# Small models change a word of the phrase ('The manual held here ...').
NEARLY = 0.85

_LABELS: dict[Language, tuple[str, str]] = {"en": ("Sources", "Question"), "zh": ("资料", "问题")}
_MARK = re.compile(r"\s*[\[【]\d{1,2}[\]】]")
_WORD = re.compile(r"[A-Za-z]{3,}|[\u3400-\u9fff]")
# Brackets number our sources; '<' before a word opens what chat templates take for a mark of theirs.
_BRACKETS = str.maketrans("[]【】", "()()")
_OPENING = re.compile(r"<(?=[^\s\d=])")
_BLANKS = re.compile(r"\s+")
# Where a text may be cut: never inside a word or a number, whose point or comma it may hold.
_END_OF_WORD = re.compile(r"(?<=[\u3400-\u9fff。；，])(?![\d.,])|(?=\s)")


@dataclass(frozen=True, slots=True)
class Source:
    """A numbered source: a passage, and the places of it that the model is shown, verbatim."""

    hit: Hit
    places: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Prompt:
    """What a model is asked.

    Attributes:
        messages: the rules, earlier turns where the question leans on them, sources and question.
        shown: the passages that the numbers [n] of a draft count, from 1.
        tokens: estimated length, rather too high.
        claims: for a model that points, what each number that it may name stands for, with its [n].
    """

    messages: tuple[BaseMessage, ...]
    shown: tuple[Hit, ...]
    tokens: int
    claims: tuple[str, ...] = ()


def sources_of(evidence: Sequence[Evidence], limit: int) -> tuple[Source, ...]:
    """The best places as sources: those of one passage together, in the order of their best.

    Args:
        evidence: best first.
        limit: places to take.
    """
    held: dict[str, list[Evidence]] = {}
    for one in evidence[:limit]:
        held.setdefault(one.hit.chunk.id, []).append(one)
    return tuple(
        Source(places[0].hit, tuple(one.text for one in sorted(places, key=lambda one: one.start)))
        for places in held.values()
    )


def whole_passages(hits: Sequence[Hit]) -> tuple[Source, ...]:
    """Passages as sources, where no places were looked for."""
    return tuple(Source(hit, (hit.chunk.text,)) for hit in hits)


def build_prompt(
    understood: Understood,
    sources: Sequence[Source],
    history: Sequence[Turn],
    budget: int,
    style: Style = "write",
) -> Prompt:
    """The prompt for one question, within a budget.

    What does not fit is left out in this order: the oldest turns, then the last sources; the first source is
    cut at the end of a word, never in a number.

    Args:
        understood: the question.
        sources: best first.
        history: earlier turns; read only by a question that leans on them.
        budget: tokens that the prompt may take.
        style: whether the model is to write or to point.
    """
    language = understood.language
    rules = _rules(style, language)
    asked = _cut(_as_data(understood.standalone), QUESTION_CHARACTERS)
    room = budget - token_estimate(rules) - token_estimate(asked) - FRAME
    if style == "point":
        sources = [Source(source.hit, (place,)) for source in sources for place in source.places]
    fitting = _fitting(sources, room)
    room -= sum(_cost(source) for source in fitting)
    turns = _recent(history, room) if understood.standalone != understood.text else []
    title, question = _LABELS[language]
    lines = "\n".join(f"[{number}] {_line(source)}" for number, source in enumerate(fitting, start=1))
    messages = (SystemMessage(rules), *turns, HumanMessage(f"{title}:\n{lines}\n\n{question}: {asked}"))
    hits = {source.hit.chunk.id: source.hit for source in fitting}
    claims = [
        f"{_unnumbered(source.places[0])} [{list(hits).index(source.hit.chunk.id) + 1}]" for source in fitting
    ]
    return Prompt(
        messages=messages,
        shown=tuple(hits.values()),
        tokens=sum(token_estimate(str(message.content)) for message in messages) + FRAME,
        claims=tuple(claims) if style == "point" else (),
    )


def build_messages(question: str, hits: Sequence[Hit], history: Sequence[Turn] = ()) -> list[BaseMessage]:
    """The messages that make a model write from whole passages.

    Args:
        question: as typed.
        hits: in the order of their numbers, from [1].
        history: earlier turns.
    """
    understood = Understander().read(Question(question, history=tuple(history)))
    return list(build_prompt(understood, whole_passages(hits), history, WHOLE).messages)


def is_refusal(text: str) -> bool:
    """Whether the model refused, in the phrase it was given or nearly."""
    return any(
        phrase in text or difflib.SequenceMatcher(None, phrase, text.strip()).ratio() >= NEARLY
        for phrase in REFUSAL.values()
    )


def in_language(draft: str, language: Language) -> bool:
    """Whether most of a draft's sentences that have words are in a language."""
    said = [sentence for sentence in sentences(_MARK.sub("", draft)) if _WORD.search(sentence)]
    right = sum(language_of(sentence) == language for sentence in said)
    return 2 * right > len(said) or not said


@cache
def _rules(style: Style, language: Language) -> str:
    template = files("assistant").joinpath(f"prompts/{style}-{language}.md").read_text(encoding="utf-8")
    return template.format(refusal=REFUSAL[language]).strip()


def _fitting(sources: Sequence[Source], room: int) -> list[Source]:
    """As many of the first sources as there is room for; of the first one, as much as there is room for."""
    shown: list[Source] = []
    for source in sources:
        tokens = _cost(source)
        if tokens > room and shown:
            break
        if tokens > room:
            # Characters for tokens, on the safe side in either language.
            source = Source(source.hit, (_cut(_as_data(" ".join(source.places)), max(room, 20)),))
        shown.append(source)
        room -= tokens
    return shown


def _cost(source: Source) -> int:
    """Tokens of a source's line with its number."""
    return token_estimate(f"[00] {_line(source)}\n")


def _line(source: Source) -> str:
    heading = source.hit.chunk.section[-1] if source.hit.chunk.section else ""
    said = _cut(" … ".join(_as_data(place) for place in source.places), SOURCE_CHARACTERS)
    return f"({_as_data(heading)}) {said}" if heading else said


def _recent(history: Sequence[Turn], room: int) -> list[BaseMessage]:
    """The last turns that there is room for, oldest first."""
    kept: list[BaseMessage] = []
    for turn in reversed(history[-TURNS:]):
        text = _cut(_as_data(turn.content), TURN_CHARACTERS)
        room -= token_estimate(text) + 5
        if room < 0:
            break
        kept.insert(0, HumanMessage(text) if turn.role == "user" else AIMessage(text))
    return kept


def _as_data(text: str) -> str:
    """Text on one line, without what could pass for a number or a mark of the prompt."""
    return _OPENING.sub("< ", _unnumbered(text))


def _unnumbered(text: str) -> str:
    """Text on one line, without what could pass for a number of ours."""
    return _BLANKS.sub(" ", visible(text)).strip().translate(_BRACKETS)


def _cut(text: str, characters: int) -> str:
    if len(text) <= characters:
        return text
    ends = [match.start() for match in _END_OF_WORD.finditer(text, 0, characters + 1) if match.start()]
    return f"{text[: ends[-1]].rstrip()} …" if ends else ""
