"""How many questions may be under way at once; one more gets a clear line instead of a long silence."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from assistant.web.failures import BusyError

# Threads that wait for the model cost little; the model server itself batches what it gets.
AT_ONCE = 16

T = TypeVar("T")


class Load:
    """Counts work under way, over pages and API together."""

    def __init__(self, at_once: int = AT_ONCE) -> None:
        """Allows `at_once` questions at a time."""
        self._places = threading.BoundedSemaphore(at_once)

    @contextmanager
    def one_more(self) -> Iterator[None]:
        """Holds a place while the block runs.

        Raises:
            BusyError: every place is taken.
        """
        if not self._places.acquire(blocking=False):
            raise BusyError("Too many questions are being answered", "Ask again in a moment.")
        try:
            yield
        finally:
            self._places.release()

    def while_it_lasts(self, begin: Callable[[], Iterator[T]]) -> Iterator[T]:
        """Holds a place until the last item was taken or the iterator is dropped."""
        with self.one_more():
            yield from begin()
