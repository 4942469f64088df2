"""Places for files at work: as many as there are workers, and a few more while some of them only hang."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

# Files that hang until their time is up and are not counted; each may hold the memory of a parser.
SPARE = 4
# A page takes seconds, by OCR on a slow machine ten; a file without a sign for so long hangs or nearly so.
PATIENCE_S = 20.0
LOOK_S = 0.2


class Slot:
    """The place of one file at work."""

    def __init__(self) -> None:
        """Taken now."""
        self._last: tuple[str, int] | None = None
        self._seen = time.monotonic()

    def sign(self, stage: str, done: int) -> None:
        """Takes note of progress; the same progress told again is no sign of life."""
        if (stage, done) != self._last:
            self._last, self._seen = (stage, done), time.monotonic()

    def hangs(self, patience_s: float) -> bool:
        """Whether there was no sign for so long."""
        return time.monotonic() - self._seen > patience_s


class Slots:
    """Hands out places to threads, of which there are `count + SPARE` at most."""

    def __init__(self, count: int, patience_s: float = PATIENCE_S) -> None:
        """At most `count` files that show signs of life are at work."""
        self._count, self._patience = count, patience_s
        self._taken: list[Slot] = []
        self._changed = threading.Condition()

    @contextmanager
    def taken(self, stopped: Callable[[], bool]) -> Iterator[Slot | None]:
        """Waits for a place and holds it; None when `stopped` comes true meanwhile."""
        slot = None
        with self._changed:
            while not stopped() and slot is None:
                if sum(not other.hangs(self._patience) for other in self._taken) < self._count:
                    slot = Slot()
                    self._taken.append(slot)
                else:
                    self._changed.wait(LOOK_S)
        try:
            yield slot
        finally:
            with self._changed:
                if slot is not None:
                    self._taken.remove(slot)
                self._changed.notify_all()
