"""`lineside ask`: one question, or a file of them through one loaded pipeline."""

import json
import sys
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import track

from assistant.admission import admitted
from assistant.answer import Answerer, Final, Token
from assistant.app import open_lineside
from assistant.clean import visible
from assistant.contract import answer_document
from assistant.errors import InputError, LinesideError, QuestionError
from assistant.explain import explain
from assistant.schema import Answer, Citation, Question, Turn
from assistant.settings import load_settings

DISAGREE = {
    "revisions": "Two revisions disagree:",
    "documents": "Two documents disagree:",
    "work_order": "The manual and past work orders disagree:",
}


def ask(
    question: Annotated[str | None, typer.Argument(help="What you want to know.")] = None,
    asset: Annotated[str | None, typer.Option(help="Tag, name or model of the machine.")] = None,
    history: Annotated[
        Path | None, typer.Option(help='JSON list of earlier turns: [{"role": "user", "content": "…"}].')
    ] = None,
    batch: Annotated[
        Path | None, typer.Option(help="JSON lines with question and, if wanted, id, asset, history.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Where the answers of --batch go, as JSON lines.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the answer document as JSON.")] = False,
    explained: Annotated[
        bool, typer.Option("--explain", help="Tell as well how the answer came about.")
    ] = False,
) -> int:
    """Answer from the manuals, with cited pages, or say that they do not hold it."""
    if (question is None) == (batch is None) or (batch is None) != (out is None):
        raise InputError("Give either a question, or --batch FILE.jsonl with --out FILE.jsonl")
    if batch and out:
        return _ask_batch(read_batch(batch), out, explained)
    asked = admitted(Question(question or "", asset, read_history(history) if history else ()))
    with open_lineside(load_settings()) as lineside:
        answer = lineside.answerer.ask(asked) if as_json else _streamed(lineside.answerer, asked)
    if as_json:
        print(json.dumps(answer_document(answer, explained=explained), ensure_ascii=False))
    else:
        print(visible("\n".join(_lines(answer))))
        if explained and answer.trace:
            print(visible(f"\n{explain(answer.trace)}"))
    return 0


def read_history(path: Path) -> tuple[Turn, ...]:
    """Earlier turns from a JSON file.

    Raises:
        InputError: the file is missing or holds something else.
    """
    try:
        return parse_history(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError) as problem:
        raise InputError(f"{path} holds no history: {problem}", "See lineside ask --help.") from problem


def parse_history(turns: Any) -> tuple[Turn, ...]:
    """Earlier turns from decoded JSON.

    Raises:
        ValueError: not a list of {"role": "user" | "assistant", "content": text}.
    """
    if not isinstance(turns, list):
        raise ValueError("history is not a list")
    for turn in turns:
        fits = isinstance(turn, dict) and turn.get("role") in {"user", "assistant"}
        if not fits or not isinstance(turn.get("content"), str):
            raise ValueError('a turn is not {"role": "user" or "assistant", "content": "…"}')
    return tuple(Turn(turn["role"], turn["content"]) for turn in turns)


def read_batch(path: Path) -> list[tuple[Any, Question]]:
    """Questions with their ids, all read before the first is answered.

    Raises:
        InputError: the file is missing, or a line is not a question; names the line.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, ValueError) as problem:
        raise InputError(f"{path} cannot be read: {problem}") from problem
    questions = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            fields = json.loads(line)
            if not isinstance(fields, dict) or not isinstance(fields.get("question"), str):
                raise ValueError('no "question"')
            asset = fields.get("asset")
            if asset is not None and not isinstance(asset, str):
                raise ValueError('"asset" is not text')
            asked = Question(fields["question"], asset or None, parse_history(fields.get("history") or []))
        except ValueError as problem:
            raise InputError(f"{path} line {number}: {problem}", "Nothing was answered.") from problem
        questions.append((fields.get("id"), asked))
    if not questions:
        raise InputError(f"{path} holds no questions")
    return questions


def _ask_batch(questions: list[tuple[Any, Question]], out: Path, explained: bool) -> int:
    """Answers in order; a question that cannot be asked gets a line with its error, and exit code 1."""
    failed = 0
    try:
        partial = tempfile.NamedTemporaryFile(
            "w", encoding="utf-8", dir=out.parent, prefix=f".{out.name}.", delete=False
        )
    except OSError as problem:
        raise InputError(f"{out} cannot be written: {problem}") from problem
    with partial, open_lineside(load_settings()) as lineside:
        for name, question in _progress(questions):
            try:
                document = answer_document(lineside.answerer.ask(question), explained=explained)
            except QuestionError as problem:
                document, failed = {"error": str(problem)}, failed + 1
            identity = {} if name is None else {"id": name}
            partial.write(json.dumps({**identity, **document}, ensure_ascii=False) + "\n")
            partial.flush()
    Path(partial.name).replace(out)
    if failed:
        print(
            f"lineside: {failed} of {len(questions)} questions could not be asked; see {out}", file=sys.stderr
        )
    return 1 if failed else 0


def _progress(questions: list[tuple[Any, Question]]) -> Iterable[tuple[Any, Question]]:
    return track(questions, description="Answering", console=Console(stderr=True))


def _streamed(answerer: Answerer, question: Question) -> Answer:
    """Shows the draft on standard error as it comes; the checked answer is what is printed."""
    drafting = sys.stderr.isatty()
    for event in answerer.stream(question):
        if isinstance(event, Token) and drafting:
            print(visible(event.text), end="", file=sys.stderr, flush=True)
        elif isinstance(event, Final):
            if drafting:
                print("\n", file=sys.stderr)
            return event.answer
    raise LinesideError("The pipeline ended without an answer")


def _lines(answer: Answer) -> Iterator[str]:
    for notice in answer.safety:
        yield f"{notice.level}: {notice.text}  ({notice.document}, page {notice.page})\n"
    yield answer.text
    if answer.citations:
        yield ""
    for citation in answer.citations:
        yield f"[{citation.n}] {_place(citation)}"
    for conflict in answer.conflicts:
        yield f"\n{DISAGREE[conflict.kind]}"
        for label, side in (("applies", conflict.leading), ("other", conflict.other)):
            dated = f"{side.date}, " if side.date else ""
            yield f"  {label}: {side.text}  ({dated}{_place(side.citation)})"
    if answer.closest:
        yield "\nClosest pages:"
    for citation in answer.closest:
        yield f"  {_place(citation)}" + (f", {citation.section}" if citation.section else "")
    if answer.note:
        yield f"\n{answer.note}"


def _place(citation: Citation) -> str:
    revision = f", revision {citation.revision}" if citation.revision else ""
    return f"{citation.document}{revision}, page {citation.page}"
