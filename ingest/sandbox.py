"""Parsing in a process of its own per file: what breaks or loops there harms nothing else.

The child limits itself (see sandbox_limits) and gets an empty environment; the parent ends it when the wall
clock runs out, when more memory is resident than allowed, or when its answer grows too long. The result comes
back as JSON, progress as lines on standard error.

    python -m ingest.sandbox TYPE PATH MEMORY_MB CPU_S OCR
"""

import functools
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil

from assistant.errors import DocumentError, LinesideError
from assistant.schema import Block, Box, ParsedFile, ParsedPage
from ingest.files import FileType
from ingest.sandbox_limits import check_text, limit_process

if TYPE_CHECKING:
    # The child, started for every file, does without what settings import: a third of its start.
    from assistant.settings import IngestSettings

Progress = Callable[[int, int], None]
PROGRESS = "progress "
MAX_RESULT_BYTES = 128 * 1024 * 1024
MAX_ERROR_LINES = 200
MAX_LINE = 4000
LOOK_S = 0.02
BEAT_S = 1.0
_OUT_OF_MEMORY = re.compile(
    r"MemoryError|bad_alloc|out of memory|cannot allocate|failed to allocate", re.IGNORECASE
)


def parse_in_sandbox(
    path: Path, kind: FileType, settings: "IngestSettings", progress: Progress
) -> ParsedFile:
    """Parses a file in a child process.

    Args:
        path: the file.
        kind: from file_type().
        settings: limits on memory and time.
        progress: called with (pages done, pages in all) from other threads, every second at least.

    Raises:
        DocumentError: the file is damaged or protected, needs more memory or time than allowed, or makes the
            parser crash; one line says which.
        BaseException: whatever `progress` raised; it ends the child.
    """
    command = [sys.executable, "-m", "ingest.sandbox", kind, str(path.resolve())]
    command += [str(settings.memory_mb), str(int(settings.timeout_s * 2)), settings.ocr]
    with subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=_environment(),
        start_new_session=True,
    ) as child:
        assert child.stdout is not None and child.stderr is not None
        errors: list[str] = []
        teller = _Teller(child, progress)
        watcher = threading.Thread(target=_watch, args=(child, teller, errors), daemon=True)
        watcher.start()
        guard = _Guard(child, settings, teller)
        try:
            answer = child.stdout.read(MAX_RESULT_BYTES + 1)
            if len(answer) > MAX_RESULT_BYTES:
                child.kill()
            child.wait()
        finally:
            guard.end()
            child.kill()
        watcher.join(timeout=5)
    if teller.stopped:
        raise teller.stopped
    return _result(path, child.returncode, answer, errors, guard.reason, settings)


class _Teller:
    """Passes progress on, again and again, so that a caller can also stop a parser that tells nothing."""

    def __init__(self, child: "subprocess.Popen[bytes]", progress: Progress) -> None:
        self.stopped: BaseException | None = None
        self._child = child
        self._progress = progress
        self._last = (0, 0)
        self._next = time.monotonic() + BEAT_S
        self._lock = threading.Lock()

    def tell(self, done: int, total: int) -> None:
        """What the caller raises ends the child, and is raised again in the caller's thread."""
        with self._lock:
            self._last, self._next = (done, total), time.monotonic() + BEAT_S
            if self.stopped:
                return
            try:
                self._progress(done, total)
            except BaseException as problem:
                self.stopped = problem
                self._child.kill()

    def beat(self) -> None:
        """Tells the last again when nothing was told for a while."""
        if time.monotonic() > self._next:
            self.tell(*self._last)


class _Guard:
    """Ends a child that takes too long or too much, and remembers why."""

    def __init__(self, child: "subprocess.Popen[bytes]", settings: "IngestSettings", teller: _Teller) -> None:
        self.reason = ""
        self._teller = teller
        self._child = child
        self._memory = settings.memory_mb * 1024 * 1024
        self._until = time.monotonic() + settings.timeout_s
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    def end(self) -> None:
        """Stops looking."""
        self._ended.set()
        self._thread.join()

    def _look(self) -> None:
        try:
            process = psutil.Process(self._child.pid)
            while not self._ended.wait(LOOK_S):
                self._teller.beat()
                if time.monotonic() > self._until:
                    self.reason = "time"
                elif process.memory_info().rss > self._memory:
                    self.reason = "memory"
                if self.reason:
                    self._child.kill()
                    return
        except psutil.NoSuchProcess:
            return


def _result(
    path: Path, code: int, answer: bytes, errors: list[str], ended: str, settings: "IngestSettings"
) -> ParsedFile:
    if code == 0 and len(answer) <= MAX_RESULT_BYTES:
        try:
            return _decoded(json.loads(answer))
        except (ValueError, KeyError, TypeError) as problem:
            raise DocumentError(f"{path.name} could not be read: its parser answered nonsense") from problem
    if len(answer) > MAX_RESULT_BYTES:
        raise DocumentError(f"{path.name} gives more text than a document holds", "Split it.")
    if ended == "time" or code == -signal.SIGXCPU:
        raise DocumentError(
            f"{path.name} took longer than {settings.timeout_s:.0f} s to read",
            "Split it, or raise LINESIDE_INGEST_TIMEOUT_S.",
        )
    if code == 2 and errors:
        raise DocumentError(errors[-1])
    if ended == "memory" or code == 3 or any(_OUT_OF_MEMORY.search(line) for line in errors):
        raise DocumentError(
            f"{path.name} needs more than {settings.memory_mb} MB of memory to read",
            "Split it, or raise LINESIDE_INGEST_MEMORY_MB.",
        )
    if code < 0:
        name = signal.Signals(-code).name if -code in set(signal.Signals) else str(-code)
        raise DocumentError(f"{path.name} is damaged: its parser crashed ({name})", "Save it anew.")
    told = f" ({errors[-1][:200]})" if errors else ""
    raise DocumentError(f"{path.name} is damaged: its parser stopped{told}", "Save it anew.")


def _watch(child: "subprocess.Popen[bytes]", teller: _Teller, errors: list[str]) -> None:
    assert child.stderr is not None
    # Read in pieces: a line without an end must not fill this process.
    for raw_line in iter(functools.partial(child.stderr.readline, MAX_LINE), b""):
        line = raw_line.decode("utf-8", "replace").strip()
        if line.startswith(PROGRESS):
            done, total = line.removeprefix(PROGRESS).split()
            teller.tell(int(done), int(total))
        elif line and len(errors) < MAX_ERROR_LINES:
            errors.append(line)


def _environment() -> dict[str, str]:
    """Only what Python needs to start: no keys or addresses for a parser to leak."""
    kept = ("PATH", "LANG", "LC_ALL", "TMPDIR", "LD_LIBRARY_PATH", "VIRTUAL_ENV")
    environment = {name: os.environ[name] for name in kept if name in os.environ}
    roots = [str(Path(__file__).resolve().parents[1]), *(p for p in sys.path if p)]
    # Few arenas: each thread of the OCR engine would reserve 64 MB for itself.
    fixed = {"PYTHONPATH": os.pathsep.join(roots), "PYTHONIOENCODING": "utf-8", "MALLOC_ARENA_MAX": "2"}
    return environment | fixed


def _decoded(data: dict[str, Any]) -> ParsedFile:
    pages = tuple(
        ParsedPage(
            **{
                **page,
                "blocks": tuple(_block(block) for block in page["blocks"]),
                "remarks": tuple(page["remarks"]),
            }
        )
        for page in data["pages"]
    )
    return ParsedFile(data["title"], pages)


def _block(data: dict[str, Any]) -> Block:
    return Block(**{**data, "boxes": tuple(Box(**box) for box in data["boxes"])})


def _main(arguments: list[str]) -> int:
    """The child: parses and answers on standard output. Exit codes: 0 read, 2 rejected, 3 out of memory."""
    kind, path, memory_mb, cpu_s, ocr = arguments
    # Imported before the limits: after them Python could not keep the compiled modules for the next file.
    from ingest.parse import parse_file

    if kind == "pdf":
        import ingest.layout  # noqa: F401
        import ingest.ocr  # noqa: F401
    limit_process(int(memory_mb), int(cpu_s))

    def report(done: int, total: int) -> None:
        sys.stderr.write(f"{PROGRESS}{done} {total}\n")
        sys.stderr.flush()

    try:
        parsed = parse_file(Path(path), kind, report, ocr)  # type: ignore[arg-type]
        check_text(parsed, Path(path).name)
        text = json.dumps(asdict(parsed), ensure_ascii=False)
        sys.stdout.buffer.write(text.encode("utf-8", "replace"))
        sys.stdout.flush()
    except LinesideError as problem:
        sys.stderr.write(f"{problem}\n")
        return 2
    except MemoryError:
        return 3
    except RecursionError:
        sys.stderr.write(f"{Path(path).name} is nested too deeply\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(_main(sys.argv[1:]))
