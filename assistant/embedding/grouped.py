"""Several files are embedded at once: their passages share batches, and a long file delays no short one."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from assistant.embedding.base import Embedder, Progress
from assistant.store.base import Vectors

SHARE = 256
"""Passages of one file in one turn: enough to sort by length, few enough that others come to their turn."""


@dataclass(slots=True)
class _Request:
    """One file's passages; `done` of them have their vector."""

    texts: Sequence[str]
    vectors: Vectors
    progress: Progress | None
    done: int = 0
    problem: BaseException | None = None

    @property
    def waits(self) -> bool:
        return self.problem is None and self.done < len(self.texts)

    def part(self) -> Sequence[str]:
        return self.texts[self.done : self.done + SHARE]

    def take(self, vectors: Vectors) -> None:
        self.vectors[self.done : self.done + len(vectors)] = vectors
        self.done += len(vectors)

    def tell(self, done: int) -> None:
        """Progress may raise to end its own file's work; the other files of the turn go on."""
        if self.progress and self.problem is None:
            try:
                self.progress(done, len(self.texts))
            except BaseException as problem:
                self.problem = problem


class GroupedEmbedder:
    """An Embedder for many threads: whoever comes first embeds for all who wait.

    Each turn takes up to SHARE passages of every file that waits: short files fill one batch together.
    """

    def __init__(self, embedder: Embedder) -> None:
        """Groups the calls of an embedder."""
        self._embedder = embedder
        self._waiting: list[_Request] = []
        self._changing = threading.Lock()
        self._turn_taking = threading.Lock()
        self.name = embedder.name
        self.dimension = embedder.dimension
        self.max_tokens = embedder.max_tokens

    def queries(self, texts: Sequence[str]) -> Vectors:
        """Questions never wait for passages; see Embedder."""
        return self._embedder.queries(texts)

    def count_tokens(self, text: str) -> int:
        """See Embedder."""
        return self._embedder.count_tokens(text)

    def passages(self, texts: Sequence[str], progress: Progress | None = None) -> Vectors:
        """Passages as n x dimension, unit length; see Embedder."""
        request = _Request(texts, np.empty((len(texts), self.dimension), dtype=np.float32), progress)
        with self._changing:
            self._waiting.append(request)
        try:
            while request.waits:
                with self._turn_taking:
                    if request.waits:
                        self._turn()
        finally:
            with self._changing:
                self._waiting.remove(request)
        if request.problem is not None:
            raise request.problem
        return request.vectors

    def _turn(self) -> None:
        with self._changing:
            parts = [(request, request.part()) for request in self._waiting if request.waits]
        texts = [text for _, part in parts for text in part]

        def share(done: int, total: int) -> None:
            for request, part in parts:
                request.tell(request.done + len(part) * done // max(total, 1))

        try:
            vectors = self._embedder.passages(texts, share)
        except BaseException as problem:
            for request, _ in parts:
                request.problem = problem
            return
        start = 0
        for request, part in parts:
            request.take(vectors[start : start + len(part)])
            start += len(part)
