"""Safety notices carried over to an answer: the manual's own words, put above the steps by code.

Signal words are those of ANSI Z535.6 and their Chinese counterparts; none is softened, invented or dropped.
Which notices govern a passage was settled when the manual was read (ingest/tying.py).
"""

import re
from collections.abc import Iterator, Sequence

from assistant.schema import Chunk, SafetyNotice, SignalWord
from assistant.signal_words import GRAVITY, SIGNALS
from assistant.store.base import ChunkStore

# Whoever is shown more than this stops reading.
MOST = 6

# A notice inside a step or a cell: a signal word where a sentence begins, up to the end of the cell or line.
# 'Warning' in small letters and 注意 ('mind ...') are everyday words there.
_WITHIN = re.compile(
    r"(?:^|(?<=[.。!！;；|:：])\s*|(?<=\n))(?P<word>DANGER|WARNING|CAUTION|NOTICE|危险|警告|小心|当心)"
    r"\s*[:：!！—–]\s*(?P<text>[^\n|]{4,})"
)


class SafetyCarrier:
    """Finds the notices that belong to passages; safe to share between threads."""

    def __init__(self, store: ChunkStore) -> None:
        """Reads the notices from the store that holds the passages."""
        self._store = store

    def notices(self, cited: Sequence[Chunk]) -> tuple[SafetyNotice, ...]:
        """The notices that govern the cited passages, verbatim, gravest first, each once, at most MOST.

        Where there are more, the closest to what is cited are kept, of equally close ones the gravest.

        Args:
            cited: passages of an answer, the most important first.

        Raises:
            StorageError: the store cannot be read.
        """
        held = self._held(cited)
        ranked = sorted(held, key=lambda found: found[0] + GRAVITY.index(found[1].level))
        unique: dict[str, SafetyNotice] = {}
        for _, notice in ranked:
            unique.setdefault("".join(notice.text.split()).casefold(), notice)
        kept = list(unique.values())[:MOST]
        return tuple(sorted(kept, key=lambda notice: GRAVITY.index(notice.level)))

    def _held(self, cited: Sequence[Chunk]) -> list[tuple[int, SafetyNotice]]:
        """Notices with their distance: of their passage from the first cited, and of theirs from it."""
        wanted = dict.fromkeys(notice for chunk in cited for notice in chunk.notices)
        tied = {chunk.id: chunk for chunk in self._store.fetch(list(wanted))}
        found: list[tuple[int, SafetyNotice]] = []
        for place, chunk in enumerate(cited):
            found += [(place, notice) for notice in _of(chunk)]
            for away, other in enumerate((tied[n] for n in chunk.notices if n in tied), start=1):
                # The head of a chapter goes with what the answer rests on; with the rest, if there is room.
                far = len(GRAVITY) if place and other.section != chunk.section else 0
                found += [(place + away + far, notice) for notice in _of(other)]
        return found


def _of(chunk: Chunk) -> Iterator[SafetyNotice]:
    """The notice that a passage is, or those that stand within it."""
    if chunk.signal:
        yield _notice(chunk, chunk.signal, chunk.text)
    elif chunk.source == "manual" and chunk.kind != "figure":
        found = list(_WITHIN.finditer(chunk.text))
        # Several signal words in one passage explain what they mean.
        if len({match["word"] for match in found}) <= 2:
            for match in found:
                yield _notice(chunk, SIGNALS[match["word"]], match[0].strip())


def _notice(chunk: Chunk, level: SignalWord, text: str) -> SafetyNotice:
    return SafetyNotice(level, text, chunk.document, chunk.page, chunk.boxes, chunk.id)
