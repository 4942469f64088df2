"""The prompt of an example: made as serving makes it, with the gold places among what the search finds.

RAFT (Zhang et al. 2024, https://arxiv.org/abs/2403.10131): the distractors are what retrieval brings up, and
some examples come without the gold passage, so that the model learns when to refuse.
"""

import random
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from assistant.evidence import Evidence, EvidenceFinder
from assistant.grounding import Grounder
from assistant.prompt import Prompt, Style, build_prompt, sources_of
from assistant.retrieve import Retriever
from assistant.schema import Chunk, Hit, Question
from assistant.settings import LLMSettings, RetrievalSettings
from assistant.understand import Understander, Understood

# Share of a statement's words that the gold places must hold; what it adds are words like 'for' and 'number'.
HELD = 0.7
_WORD = re.compile(r"[a-z0-9]+|[\u3400-\u9fff]")
_NUMBERING = re.compile(r"^\s*\d{1,2}[.)、]\s+")


@dataclass(frozen=True, slots=True)
class Prepared:
    """A prompt and the places in it that answer.

    Attributes:
        understood: the question as serving reads it.
        prompt: messages and what its numbers stand for.
        gold: texts of the places that answer, best first; () when none is shown.
        hit: the gold passage; None when it is not shown.
    """

    understood: Understood
    prompt: Prompt
    gold: tuple[str, ...] = ()
    hit: Hit | None = None


class Passages:
    """Builds prompts for questions about one home.

    Args:
        retriever: of the home that holds the documents.
        finder: of places, as in serving.
        grounder: tells which other passages show the answer too.
        retrieval: how many passages and places serving takes.
        writing: how long serving's prompts may be.
        allowed: whether two chunks may stand in one prompt.
    """

    def __init__(
        self,
        retriever: Retriever,
        finder: EvidenceFinder,
        grounder: Grounder,
        retrieval: RetrievalSettings,
        writing: LLMSettings,
        allowed: Callable[[Chunk, Chunk], bool],
    ) -> None:
        self._retriever = retriever
        self._finder = finder
        self._grounder = grounder
        self._places = retrieval.prompt_places
        self._budget = writing.prompt_budget
        self._allowed = allowed
        self._understander = Understander()

    def served(self, question: Question, applies_to: tuple[str, ...], style: Style) -> Prompt:
        """The prompt that serving makes of a question, nothing added and nothing mixed up."""
        understood = self._understander.read(question)
        hits = self._retriever.retrieve(understood, applies_to)
        return self._prompt(understood, self._finder.find(understood, hits)[: self._places], question, style)

    def with_gold(
        self, question: Question, gold: Chunk, statements: Sequence[str], style: Style, chance: random.Random
    ) -> Prepared | None:
        """The gold places and the best others, in an order of chance.

        Args:
            question: with its history.
            gold: the passage that answers.
            statements: what it answers; its places must hold them.
            style: of the prompt.
            chance: the source of randomness.

        Returns:
            None when the places that hold the statements do not fit into serving's prompt.
        """
        understood = self._understander.read(question)
        hit = Hit(gold, 1.0)
        evidence = self._finder.find(understood, [hit, *self._others(understood, gold)])
        needed = _covering([one for one in evidence if one.hit.chunk.id == gold.id], statements)
        others = [one for one in evidence if one not in needed]
        if not needed or len(needed) > self._places:
            return None
        chosen = [*needed, *others[: self._places - len(needed)]]
        chance.shuffle(chosen)
        prompt = self._prompt(understood, chosen, question, style)
        shown = _plain(str(prompt.messages[-1].content))
        if not all(_plain(one.text) in shown for one in needed):
            return None
        return Prepared(understood, prompt, tuple(one.text for one in needed), hit)

    def without_gold(
        self, question: Question, gold: Chunk, said: str, style: Style, chance: random.Random
    ) -> Prepared | None:
        """The best places of passages that do not show the answer, in an order of chance; None when all do.

        Args:
            question: with its history.
            gold: the passage that answers, which is left out.
            said: the answer without marks; passages on which a sentence of it stands are left out too.
            style: of the prompt.
            chance: the source of randomness.
        """
        understood = self._understander.read(question)
        silent = [
            hit
            for hit in self._others(understood, gold)
            if not _same_place(hit.chunk, gold)
            and not self._grounder.check(said, [hit], understood.standalone).text
        ]
        chosen = list(self._finder.find(understood, silent)[: self._places])
        if not chosen:
            return None
        chance.shuffle(chosen)
        return Prepared(understood, self._prompt(understood, chosen, question, style))

    def _others(self, understood: Understood, gold: Chunk) -> list[Hit]:
        words = _plain(gold.text)
        return [
            hit
            for hit in self._retriever.retrieve(understood, gold.applies_to)
            if hit.chunk.id != gold.id and _plain(hit.chunk.text) != words and self._allowed(hit.chunk, gold)
        ]

    def _prompt(
        self, understood: Understood, evidence: Sequence[Evidence], question: Question, style: Style
    ) -> Prompt:
        sources = sources_of(evidence, self._places)
        return build_prompt(understood, sources, question.history, self._budget, style)


def numbers_of(prompt: Prompt, gold: Sequence[str]) -> tuple[int, ...]:
    """The numbers from 1 that a model which points should name for some places; () when one is not shown."""
    claims = [_plain(claim.rpartition(" [")[0]) for claim in prompt.claims]
    plain = [_plain(text) for text in gold]
    return tuple(claims.index(text) + 1 for text in plain) if set(plain) <= set(claims) else ()


def _same_place(one: Chunk, other: Chunk) -> bool:
    """Whether two passages of running text stand under one heading, which may be all that is asked for."""
    return other.kind != "table" and (one.document, one.section) == (other.document, other.section)


def _covering(places: Sequence[Evidence], statements: Sequence[str]) -> list[Evidence]:
    """The fewest places, taken greedily, that hold all statements, in reading order; else []."""
    taken: list[Evidence] = []
    while left := [one for one in statements if not _holds(taken, one)]:
        wanted = {word for statement in left for word in _words(statement)}
        wanted -= {word for one in taken for word in _words(one.text)}
        best = max(places, key=lambda one: len(wanted & _words(one.text)), default=None)
        if best is None or not wanted & _words(best.text):
            return []
        taken.append(best)
    return sorted(taken, key=lambda one: one.start)


def _holds(places: Sequence[Evidence], statement: str) -> bool:
    """Whether places hold all figures of a statement and most of its words."""
    missing = _words(statement) - {word for one in places for word in _words(one.text)}
    figures = any(word.isdecimal() for word in missing)
    return not figures and len(missing) <= (1 - HELD) * len(_words(statement))


def _words(text: str) -> set[str]:
    return set(_WORD.findall(_NUMBERING.sub("", text).casefold()))


def _plain(text: str) -> str:
    """Letters and figures alone, so that brackets, blanks and marks of the prompt make no difference."""
    return "".join(sign for sign in text.casefold() if sign.isalnum())
