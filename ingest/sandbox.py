"""Parsing in a process of its own per file: what breaks or loops there harms nothing else.

The child gets limits on memory, processor time and file size and an empty environment; the parent kills it
when the wall clock runs out. The result comes back as JSON, progress as lines on standard error.

    python -m ingest.sandbox TYPE PATH MEMORY_MB CPU_S
"""

import json
import os
import resource
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from assistant.errors import DocumentError, LinesideError
from assistant.schema import Block, Box, ParsedFile, ParsedPage
from assistant.settings import IngestSettings
from ingest.files import FileType

Progress = Callable[[int, int], None]
PROGRESS = "progress "
MAX_RESULT_BYTES = 256 * 1024 * 1024
MAX_ERROR_LINES = 200


def parse_in_sandbox(path: Path, kind: FileType, settings: IngestSettings, progress: Progress) -> ParsedFile:
    """Parses a file in a child process.

    Args:
        path: the file.
        kind: from file_type().
        settings: limits on memory and time.
        progress: called with (pages done, pages in all) from another thread.

    Raises:
        DocumentError: the file is damaged or protected, needs more memory or time than allowed, or makes the
            parser crash; one line says which.
        BaseException: whatever `progress` raised; it ends the child.
    """
    command = [sys.executable, "-m", "ingest.sandbox", kind, str(path.resolve())]
    command += [str(settings.memory_mb), str(int(settings.timeout_s * 2))]
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
        stopped: list[BaseException] = []
        watcher = threading.Thread(target=_watch, args=(child, progress, errors, stopped), daemon=True)
        watcher.start()
        late = threading.Event()
        timer = threading.Timer(settings.timeout_s, _kill, (child, late))
        timer.start()
        try:
            answer = child.stdout.read(MAX_RESULT_BYTES + 1)
            if len(answer) > MAX_RESULT_BYTES:
                child.kill()
            child.wait()
        finally:
            timer.cancel()
            child.kill()
        watcher.join(timeout=5)
    if stopped:
        raise stopped[0]
    if late.is_set():
        raise DocumentError(
            f"{path.name} took longer than {settings.timeout_s:.0f} s to read",
            "Split it, or raise LINESIDE_INGEST_TIMEOUT_S.",
        )
    return _result(path, child.returncode, answer, errors, settings)


def _result(path: Path, code: int, answer: bytes, errors: list[str], settings: IngestSettings) -> ParsedFile:
    if code == 0 and len(answer) <= MAX_RESULT_BYTES:
        try:
            return _decoded(json.loads(answer))
        except (ValueError, KeyError, TypeError) as problem:
            raise DocumentError(f"{path.name} could not be read: its parser answered nonsense") from problem
    if code == 2 and errors:
        raise DocumentError(errors[-1])
    if code == 3 or any("MemoryError" in line or "bad_alloc" in line for line in errors):
        raise DocumentError(
            f"{path.name} needs more than {settings.memory_mb} MB of memory to read",
            "Split it, or raise LINESIDE_INGEST_MEMORY_MB.",
        )
    told = f" ({errors[-1][:200]})" if errors else ""
    raise DocumentError(f"{path.name} is damaged: its parser stopped{told}", "Save it anew.")


def _watch(
    child: "subprocess.Popen[bytes]", progress: Progress, errors: list[str], stopped: list[BaseException]
) -> None:
    assert child.stderr is not None
    for raw_line in child.stderr:
        line = raw_line.decode("utf-8", "replace").strip()
        if line.startswith(PROGRESS) and not stopped:
            done, total = line.removeprefix(PROGRESS).split()
            try:
                progress(int(done), int(total))
            except BaseException as problem:
                # Raised again in the caller's thread.
                stopped.append(problem)
                child.kill()
        elif line and len(errors) < MAX_ERROR_LINES:
            errors.append(line)


def _kill(child: "subprocess.Popen[bytes]", late: threading.Event) -> None:
    late.set()
    child.kill()


def _environment() -> dict[str, str]:
    """Only what Python needs to start: no keys or addresses for a parser to leak."""
    kept = ("PATH", "LANG", "LC_ALL", "TMPDIR", "LD_LIBRARY_PATH", "VIRTUAL_ENV")
    environment = {name: os.environ[name] for name in kept if name in os.environ}
    roots = [str(Path(__file__).resolve().parents[1]), *(p for p in sys.path if p)]
    return environment | {"PYTHONPATH": os.pathsep.join(roots), "PYTHONIOENCODING": "utf-8"}


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


def _limit(memory_mb: int, cpu_s: int) -> None:
    memory = memory_mb * 1024 * 1024
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CPU, (cpu_s, cpu_s + 5))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _main(arguments: list[str]) -> int:
    """The child: parses and answers on standard output. Exit codes: 0 read, 2 rejected, 3 out of memory."""
    kind, path, memory_mb, cpu_s = arguments
    _limit(int(memory_mb), int(cpu_s))
    from ingest.parse import parse_file

    def report(done: int, total: int) -> None:
        sys.stderr.write(f"{PROGRESS}{done} {total}\n")
        sys.stderr.flush()

    try:
        parsed = parse_file(Path(path), kind, report)  # type: ignore[arg-type]
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
