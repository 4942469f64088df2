"""How much memory this process and its children use at most, as measuring commands tell it.

getrusage(2) will not do: Linux counts what the parent held when it started the child (execve
keeps the old high-water mark), so that a small child of a large process looks large. The
high-water mark in /proc (proc_pid_status(5), VmHWM) begins anew with the child's own program.
"""

import re
import threading
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil

LOOK_S = 0.02
_HIGH_WATER = re.compile(r"^VmHWM:\s+(\d+) kB", re.MULTILINE)


def own_peak_mb() -> int:
    """The high-water mark of this process."""
    return _high_water("self")


class ChildrenMemory:
    """Watches from `with` to its end; `peak_mb` is of the largest child that runs `program`."""

    def __init__(self, program: str) -> None:
        """Looks at children with this word in their command line ('ingest.sandbox')."""
        self.peak_mb = 0
        self._program = program
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> Self:
        """Begins to watch."""
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Ends watching."""
        self._ended.set()
        self._thread.join()

    def _look(self) -> None:
        this = psutil.Process()
        while not self._ended.wait(LOOK_S):
            for child in this.children(recursive=True):
                self.peak_mb = max(self.peak_mb, self._of(child))

    def _of(self, child: psutil.Process) -> int:
        try:
            return _high_water(str(child.pid)) if self._program in child.cmdline() else 0
        except (psutil.Error, OSError):  # it has ended
            return 0


def _high_water(process: str) -> int:
    found = _HIGH_WATER.search(Path(f"/proc/{process}/status").read_text(encoding="utf-8"))
    return int(found.group(1)) // 1024 if found else 0
