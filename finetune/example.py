"""One training example: the messages that serving would send, and the answer to be learned."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from langchain_core.messages import convert_to_openai_messages

from assistant.errors import InputError
from assistant.prompt import Prompt, Style
from assistant.schema import Json, Language

Kind = Literal[
    "fault",
    "specification",
    "part",
    "procedure",
    "entry",
    "article",
    "notice",
    "follow-up",
    "triage",
]
Split = Literal["train", "validation"]


@dataclass(frozen=True, slots=True)
class Example:
    """A question with the passages shown for it.

    Attributes:
        id: unique in the dataset.
        kind: what the answer is taken from; refusals keep the kind of the question.
        style: whether the model is to write or to point, as in LINESIDE_LLM_STYLE.
        language: of the question and the answer.
        split: all examples of one document are on one side.
        source: name of the source that the document belongs to.
        document: that holds the answer.
        question: the last message, as typed.
        messages: what the model reads, as {"role", "content"}.
        answer: what the model is to write.
        refused: the passages do not hold the answer, so that it is the refusal.
        changes: names of the augmentations that the question went through.
    """

    id: str
    kind: Kind
    style: Style
    language: Language
    split: Split
    source: str
    document: str
    question: str
    messages: tuple[Json, ...]
    answer: str
    refused: bool
    changes: tuple[str, ...] = ()


def wire_messages(prompt: Prompt) -> tuple[Json, ...]:
    """The messages of serving's prompt, in the form in which they go over the wire."""
    messages = convert_to_openai_messages(list(prompt.messages))
    return tuple(messages) if isinstance(messages, list) else (messages,)


def write_examples(path: Path, examples: Iterable[Example]) -> int:
    """Writes one example a line, in the columns that trl's SFTTrainer takes; returns how many."""
    count = 0
    with path.open("w", encoding="utf-8") as out:
        for example in examples:
            line = asdict(example)
            line["prompt"] = line.pop("messages")
            line["completion"] = [{"role": "assistant", "content": line.pop("answer")}]
            out.write(json.dumps(line, ensure_ascii=False) + "\n")
            count += 1
    return count


def read_examples(path: Path) -> Iterator[Example]:
    """Reads what write_examples wrote.

    Raises:
        InputError: the file is missing, or a line is no example.
    """
    try:
        with path.open(encoding="utf-8") as lines:
            for number, line in enumerate(lines, start=1):
                yield _example(path, number, line)
    except OSError as problem:
        raise InputError(
            f"{path} cannot be read: {problem.strerror}", "Make it with `lineside finetune dataset`."
        ) from problem


def _example(path: Path, number: int, line: str) -> Example:
    try:
        fields = json.loads(line)
        fields["messages"] = tuple(fields.pop("prompt"))
        fields["answer"] = fields.pop("completion")[0]["content"]
        fields["changes"] = tuple(fields["changes"])
        return Example(**fields)
    except (ValueError, KeyError, IndexError, TypeError, AttributeError) as problem:
        raise InputError(f"{path}, line {number} is no example", "Make the dataset again.") from problem
