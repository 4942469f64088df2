"""Whether training data repeats what evaluation asks, by shared runs of words (n-grams).

The practice of GPT-3 and its successors (Brown et al. 2020, appendix C, 13-grams), with a shorter run for
questions, which are short.
"""

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from assistant.errors import InputError
from assistant.identifiers import fold

QUESTION_RUN = 8
PASSAGE_RUN = 13
_TOKEN = re.compile(r"[a-z0-9]+|[\u3400-\u9fff]")


@dataclass(frozen=True, slots=True)
class SuiteQuestion:
    """A question of an evaluation suite and the documents that hold its answer."""

    suite: str
    id: str
    text: str
    documents: tuple[str, ...]


def read_questions(paths: Iterable[Path]) -> tuple[SuiteQuestion, ...]:
    """Questions of suites; lines without one (triage forms) give what happened instead.

    Raises:
        InputError: a suite is missing or no JSON Lines.
    """
    found: list[SuiteQuestion] = []
    for path in paths:
        try:
            lines = [
                json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()
            ]
        except (OSError, ValueError) as problem:
            raise InputError(f"{path} is no suite: {problem}", "Give JSON Lines.") from problem
        for line in lines:
            text = line.get("question") or line.get("form", {}).get("happened", "")
            groups = line.get("gold") or line.get("page") or []
            documents = {place["document"] for group in groups for place in group}
            found.append(SuiteQuestion(path.name, str(line.get("id", "")), text, tuple(sorted(documents))))
    return tuple(found)


class Overlap:
    """Knows the runs of words of evaluation questions and of the documents kept out."""

    def __init__(self, questions: Sequence[SuiteQuestion], passages: Iterable[str] = ()) -> None:
        """Reads what must not be met in training."""
        tokens = [_tokens(question.text) for question in questions]
        self._whole = {tuple(words) for words in tokens if words}
        self._questions = {run for words in tokens for run in _runs(words, QUESTION_RUN)}
        self._passages = {run for text in passages for run in _runs(_tokens(text), PASSAGE_RUN)}

    def in_questions(self, question: str) -> bool:
        """Whether a question is one of evaluation's, or shares a run of QUESTION_RUN words with one."""
        words = _tokens(question)
        return tuple(words) in self._whole or not self._questions.isdisjoint(_runs(words, QUESTION_RUN))

    def in_passages(self, text: str) -> bool:
        """Whether a text shares a run of PASSAGE_RUN words with a document that is kept out."""
        return not self._passages.isdisjoint(_runs(_tokens(text), PASSAGE_RUN))


def _tokens(text: str) -> list[str]:
    return _TOKEN.findall(fold(text).casefold())


def _runs(words: Sequence[str], length: int) -> set[int]:
    return {hash(tuple(words[i : i + length])) for i in range(len(words) - length + 1)}
