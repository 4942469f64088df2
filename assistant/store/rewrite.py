"""Writing a shard anew: the engine keeps deleted passages in its log and files, where they stay readable."""

import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import qdrant_edge as qe

BATCH = 512


class ReadersGate:
    """Many readers at a time, or one who replaces what they read."""

    def __init__(self) -> None:
        """Open to readers."""
        self._changed = threading.Condition()
        self._readers = 0
        self._closed = False

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Waits while somebody is alone."""
        with self._changed:
            self._changed.wait_for(lambda: not self._closed)
            self._readers += 1
        try:
            yield
        finally:
            with self._changed:
                self._readers -= 1
                self._changed.notify_all()

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Waits for the readers inside to leave, and keeps new ones out."""
        with self._changed:
            self._closed = True
            self._changed.wait_for(lambda: self._readers == 0)
        try:
            yield
        finally:
            with self._changed:
                self._closed = False
                self._changed.notify_all()


def copy_points(source: qe.EdgeShard, target: qe.EdgeShard) -> None:
    """Copies every point that is held, with vectors and payload."""
    offset = None
    while True:
        request = qe.ScrollRequest(limit=BATCH, offset=offset, with_payload=True, with_vector=True)
        records, offset = source.scroll(request)
        points = [qe.Point(record.id, record.vector or {}, record.payload or {}) for record in records]
        if points:
            target.update(qe.UpdateOperation.upsert_points(points))
        if offset is None:
            return


def beside(folder: Path) -> tuple[Path, Path]:
    """Where the new shard is written and where the old one is put aside while a folder is exchanged."""
    return folder.with_name(f"{folder.name}.new"), folder.with_name(f"{folder.name}.old")


def exchange(folder: Path) -> None:
    """Puts the new shard in the old one's place; both are closed."""
    new, old = beside(folder)
    folder.rename(old)
    new.rename(folder)
    shutil.rmtree(old)


def mend(folder: Path) -> None:
    """Ends an exchange that was cut short: the shard in place stands; without one the old returns."""
    new, old = beside(folder)
    if not folder.exists() and old.exists():
        old.rename(folder)
    for left in (new, old):
        shutil.rmtree(left, ignore_errors=True)
