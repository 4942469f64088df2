"""From facts to examples: question, passages, and the answer that serving should give."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from assistant.grounding import Grounder
from assistant.llm import NAMED
from assistant.prompt import REFUSAL, Style
from assistant.schema import Chunk, Language, Question, Turn
from finetune.example import Example, Split, wire_messages
from finetune.fact import Fact
from finetune.noise import Noise
from finetune.passages import Passages, Prepared, numbers_of
from finetune.wording import asked, follow_up, unheld

STOPS = ".。!！?？;；"
# What a model that points replies when no source answers, as the prompt tells it.
NONE = "none"


@dataclass(frozen=True, slots=True)
class Shares:
    """How often, 0..1, an example takes another form than question and answer.

    Attributes:
        gold_left_out: the passage that answers is not shown, and the answer is the refusal.
        unheld: something is asked that no passage tells, beside the passages that seem to.
        follow_up: the question leans on an earlier one.
        notice_first: a notice that stands in a procedure's own passage stands first in the answer.
    """

    gold_left_out: float = 0.14
    unheld: float = 0.12
    follow_up: float = 0.15
    notice_first: float = 0.6


class Composer:
    """Makes one example from one fact, or none when it would teach something wrong.

    Args:
        passages: what is shown.
        grounder: serving's own check; an answer of which it would withhold a sentence is not taught.
        noise: what happens to questions.
        shares: forms that examples take.
        styles: of the prompts; one is drawn for each example.
        notices: the notice chunks of the home, by id.
    """

    def __init__(
        self,
        passages: Passages,
        grounder: Grounder,
        noise: Noise,
        shares: Shares,
        styles: Sequence[Style],
        notices: Mapping[str, Chunk],
    ) -> None:
        self._passages = passages
        self._grounder = grounder
        self._noise = noise
        self._shares = shares
        self._styles = tuple(styles)
        self._notices = notices

    def example(
        self, fact: Fact, name: str, split: Split, source: str, chance: random.Random
    ) -> Example | None:
        """An example of a fact.

        Args:
            fact: what is asked for.
            name: id of the example.
            split: that the fact's document is in.
            source: that the document belongs to.
            chance: the source of randomness.
        """
        form, shares, style = chance.random(), self._shares, chance.choice(self._styles)
        if form < shares.unheld and (fact.names.get("key") or fact.names.get("code")):
            made = self._unheld(fact, style, chance)
        elif form < shares.unheld + shares.gold_left_out:
            made = self._left_out(fact, style, chance)
        elif fact.follows and chance.random() < shares.follow_up:
            made = self._follow_up(fact, fact.follows, style, chance)
        else:
            made = self._answered(self._warned(fact, chance), style, chance)
        return replace(made, id=name, split=split, source=source) if made else None

    def _answered(self, fact: Fact, style: Style, chance: random.Random) -> Example | None:
        question, changes = self._noise.applied(asked(fact, chance), chance)
        return self._stated(fact, Question(question), style, chance, changes)

    def _follow_up(self, fact: Fact, follows: Fact, style: Style, chance: random.Random) -> Example | None:
        history = (
            Turn("user", asked(fact, chance)),
            Turn("assistant", _answer(fact.statements, 1, fact.language)),
        )
        question = Question(follow_up(follows, chance), history=history)
        made = self._stated(follows, question, style, chance, ())
        return replace(made, kind="follow-up") if made else None

    def _left_out(self, fact: Fact, style: Style, chance: random.Random) -> Example | None:
        question, changes = self._noise.applied(asked(fact, chance), chance)
        said = "\n".join(_ended(statement, "", fact.language) for statement in fact.statements)
        prepared = self._passages.without_gold(Question(question), fact.chunk, said, style, chance)
        return _example(fact, question, prepared, style, changes, "") if prepared else None

    def _unheld(self, fact: Fact, style: Style, chance: random.Random) -> Example | None:
        wanted = unheld(fact, chance)
        question, changes = self._noise.applied(wanted.text, chance)
        prepared = self._passages.with_gold(Question(question), fact.chunk, fact.statements, style, chance)
        if prepared is None or wanted.unless.search(str(prepared.prompt.messages[-1].content)):
            return None
        return _example(fact, question, prepared, style, changes, "")

    def _warned(self, fact: Fact, chance: random.Random) -> Fact:
        """A procedure with the notice that stands in its own passage first, where there is one."""
        if fact.kind != "procedure" or chance.random() >= self._shares.notice_first:
            return fact
        held = (self._notices[name].text for name in fact.chunk.notices if name in self._notices)
        inside = next((text for text in held if text in fact.chunk.text), None)
        return replace(fact, statements=(" ".join(inside.split()), *fact.statements)) if inside else fact

    def _stated(
        self, fact: Fact, question: Question, style: Style, chance: random.Random, changes: tuple[str, ...]
    ) -> Example | None:
        """The example, unless serving would withhold part of its answer or answer in another language."""
        prepared = self._passages.with_gold(question, fact.chunk, fact.statements, style, chance)
        if prepared is None or prepared.understood.language != fact.language:
            return None
        answer, draft = self._answers(fact, prepared, style)
        grounded = self._grounder.check(draft, prepared.prompt.shown, prepared.understood.standalone)
        stands = grounded.text and not grounded.withheld and not grounded.repaired
        return _example(fact, question.text, prepared, style, changes, answer) if answer and stands else None

    def _answers(self, fact: Fact, prepared: Prepared, style: Style) -> tuple[str, str]:
        """What the model is to write, and the draft that serving makes of it; ('', '') when it cannot."""
        prompt = prepared.prompt
        if style == "point":
            numbers = numbers_of(prompt, prepared.gold)
            if not numbers or len(numbers) > NAMED:
                return "", ""
            return ", ".join(map(str, numbers)), "\n".join(prompt.claims[number - 1] for number in numbers)
        n = next(i for i, hit in enumerate(prompt.shown, start=1) if hit.chunk.id == fact.chunk.id)
        answer = _answer(fact.statements, n, fact.language)
        return answer, answer


def _example(
    fact: Fact, question: str, prepared: Prepared, style: Style, changes: tuple[str, ...], answer: str
) -> Example:
    """The record of an example; without an answer it is a refusal."""
    language = prepared.understood.language
    refusal = REFUSAL[language] if style == "write" else NONE
    return Example(
        id="",
        kind=fact.kind,
        style=style,
        language=language,
        split="train",
        source="",
        document=fact.chunk.document,
        question=question,
        messages=wire_messages(prepared.prompt),
        answer=answer or refusal,
        refused=not answer,
        changes=changes,
    )


def _answer(statements: Sequence[str], n: int, language: Language) -> str:
    return "\n".join(_ended(statement, f" [{n}]", language) for statement in statements)


def _ended(statement: str, mark: str, language: Language) -> str:
    """A statement with its mark before the full stop, which it gets when it has none."""
    body = statement.rstrip()
    stop = body[-1] if body and body[-1] in STOPS else ("。" if language == "zh" else ".")
    return f"{body.rstrip(STOPS)}{mark}{stop}"
