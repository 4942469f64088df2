"""Model outputs kept beside the prompts that made them, so that a run can be scored again without a model.

A recording is JSON Lines of {"prompt": SHA-256, "text": output}. The key covers the whole prompt, so an
output is only ever replayed to the very question and passages that it was written for.
"""

import gzip
import hashlib
import json
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from langchain_core.messages import BaseMessage, convert_to_openai_messages

from assistant.errors import InputError, LLMUnavailableError, ModelError
from assistant.llm import LanguageModel


def prompt_key(messages: Sequence[BaseMessage]) -> str:
    """SHA-256 over the roles and texts of a prompt, as hex."""
    text = json.dumps(convert_to_openai_messages(list(messages)), ensure_ascii=False, sort_keys=True)
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def read_recording(path: Path) -> dict[str, str]:
    """Prompt key -> output, from a .jsonl or .jsonl.gz file.

    Raises:
        InputError: the file is missing or is no recording; names the line.
    """
    try:
        with (
            gzip.open(path, "rt", encoding="utf-8")
            if path.suffix == ".gz"
            else path.open(encoding="utf-8") as lines
        ):
            held = {}
            for number, line in enumerate(lines, start=1):
                try:
                    fields = json.loads(line)
                    held[fields["prompt"]] = fields["text"]
                except (ValueError, KeyError, TypeError) as problem:
                    raise InputError(f"{path} line {number} is no recorded output") from problem
            return held
    except OSError as problem:
        raise InputError(f"{path} cannot be read: {problem}", "Make a recording with --record.") from problem


def write_recording(path: Path, outputs: Mapping[str, str]) -> None:
    """Writes a recording in the order of its keys, so that equal recordings are equal files.

    Raises:
        InputError: the file cannot be written.
    """
    data = "".join(recording_line(key, outputs[key]) for key in sorted(outputs)).encode("utf-8")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(gzip.compress(data, mtime=0) if path.suffix == ".gz" else data)
    except OSError as problem:
        raise InputError(f"{path} cannot be written: {problem}", "Name another file.") from problem


def recording_line(key: str, text: str) -> str:
    """One output as a line of a recording."""
    return json.dumps({"prompt": key, "text": text}, ensure_ascii=False) + "\n"


class Recorder:
    """Passes a live model's output on and keeps it; one object serves all threads.

    A model that fails ends the run: answers quoted because the server died halfway are not what was measured.
    """

    def __init__(
        self, inner: LanguageModel, outputs: dict[str, str], keep: Callable[[str, str], None] | None = None
    ) -> None:
        """Keeps each finished output.

        Args:
            inner: the live model.
            outputs: takes the outputs by the key of their prompt.
            keep: told each key and output at once, so that they outlive this process.
        """
        self._inner = inner
        self._outputs = outputs
        self._keep = keep
        self._lock = threading.Lock()

    def stream(self, messages: Sequence[BaseMessage], claims: Sequence[str] = ()) -> Iterator[str]:
        """Yields the live output.

        Raises:
            ModelError: the live model failed.
        """
        pieces: list[str] = []
        try:
            for piece in self._inner.stream(messages, claims):
                pieces.append(piece)
                yield piece
        except LLMUnavailableError as problem:
            raise ModelError(
                f"{problem}, so the run stops here", "Start the model server and run again."
            ) from problem
        key, text = prompt_key(messages), "".join(pieces)
        with self._lock:
            self._outputs[key] = text
            if self._keep:
                self._keep(key, text)

    def ready(self) -> bool:
        """Whether the live model is."""
        return self._inner.ready()


class Replay:
    """Answers from a recording; a prompt that is not in it is counted, and its passages are quoted."""

    def __init__(self, outputs: Mapping[str, str]) -> None:
        """Reads from a recording."""
        self._outputs = outputs
        self._lock = threading.Lock()
        self._of_thread = threading.local()
        self.found = 0
        self.missing = 0

    def stream(self, messages: Sequence[BaseMessage], claims: Sequence[str] = ()) -> Iterator[str]:
        """Yields the recorded output in one piece.

        Raises:
            LLMUnavailableError: none was recorded for this prompt.
        """
        text = self._outputs.get(prompt_key(messages))
        with self._lock:
            self.found += text is not None
            self.missing += text is None
        if text is None:
            self._of_thread.missing = self.missing_here + 1
            raise LLMUnavailableError("No output is recorded for this prompt")
        yield text

    @property
    def missing_here(self) -> int:
        """Prompts of this thread that no output was recorded for."""
        return int(getattr(self._of_thread, "missing", 0))

    def ready(self) -> bool:
        """A recording always is."""
        return True
