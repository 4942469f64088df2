"""What a document said before its revision in force; replaced revisions are kept, but no search sees them."""

import re
from collections import OrderedDict, defaultdict
from collections.abc import Mapping, Sequence
from threading import Lock

from assistant.places import places_of
from assistant.records.catalogue import Catalogue, Revision
from assistant.sayings import ALIKE, Saying, alike, saying
from assistant.schema import Chunk
from assistant.store.base import ChunkStore

# Revisions whose passages are kept in memory; they never change.
KEPT = 8
# A printed date stands on the cover or in the front matter.
_FRONT = 12
_MONTH = r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.?"
_DATE = re.compile(
    rf"\b((?:19|20)\d\d-[01]\d(?:-[0-3]\d)?|(?:[0-3]?\d\.?\s+)?{_MONTH},?\s+(?:[0-3]?\d,\s*)?(?:19|20)\d\d"
    r"|[0-3]?\d[./][01]?\d[./](?:19|20)\d\d)\b|((?:19|20)\d\d\s?年\s?[01]?\d\s?月(?:\s?[0-3]?\d\s?日)?)",
    re.IGNORECASE,
)

# A heading's number may change from one revision to the next.
_NUMBER = re.compile(r"^[\W\d]*(?:[A-Za-z]?[\d.\-]+\s+)?")
_Sections = Mapping[str, Sequence[Chunk]]


class EarlierRevisions:
    """Looks up what a replaced revision said at the same place; safe to share between threads."""

    def __init__(self, catalogue: Catalogue, store: ChunkStore) -> None:
        """Reads revisions from the records and their passages from the store."""
        self._catalogue = catalogue
        self._store = store
        self._read: OrderedDict[str, tuple[_Sections, str]] = OrderedDict()
        self._lock = Lock()

    def said_before(self, chunk: Chunk, said: Saying, at_stake: frozenset[str]) -> tuple[Chunk, str] | None:
        """The place of the replaced revision that this one stands for now, when a figure at stake changed.

        Args:
            chunk: a passage in force.
            said: the row or sentence of it that is compared.
            at_stake: its figures that matter.

        Returns:
            The replaced passage and its row or sentence; None when nothing changed there.
        """
        before = self._replaced(chunk.revision)
        if before is None:
            return None
        there = self._passages(before)[0].get(_title(chunk), ())
        here = self._passages_of(chunk.revision)[0].get(_title(chunk), ())
        now = {_plain(text): saying(text) for other in here for text in _texts(other)}
        gone = [(other, text) for other in there for text in _texts(other) if _plain(text) not in now]
        best = max(gone, key=lambda found: _nearness(said, saying(found[1])), default=None)
        if best is None:
            return None
        old = saying(best[1])
        # What was replaced must be nearest to what is there now, and the other way round.
        nearest = max(_nearness(old, other) for other in now.values()) if now else (0.0, 0)
        if alike(said.words, old.words) < ALIKE or _nearness(old, said) < nearest:
            return None
        changed = (said.figures - old.figures) & at_stake
        return best if changed and old.figures - said.figures else None

    def date(self, chunk: Chunk) -> str:
        """The date printed at the front of a passage's revision, else the day it was published here."""
        revision = self._catalogue.revision(chunk.revision)
        if revision is None:
            return ""
        published = revision.published_at or revision.created_at
        return self._passages(revision)[1] or published.date().isoformat()

    def _replaced(self, revision_id: str) -> Revision | None:
        """The revision that was in force before a visible one."""
        current = self._catalogue.revision(revision_id)
        if current is None or current.state != "visible":
            return None
        family = self._catalogue.family(current.family)
        retired = [other for other in family if other.state == "retired" and current.replaces(other)]
        return max(retired, key=lambda other: other.published_at or other.created_at, default=None)

    def _passages_of(self, revision_id: str) -> tuple[_Sections, str]:
        revision = self._catalogue.revision(revision_id)
        return self._passages(revision) if revision else ({}, "")

    def _passages(self, revision: Revision) -> tuple[_Sections, str]:
        """Passages by section, and the printed date."""
        with self._lock:
            known = self._read.get(revision.id)
        if known is None:
            known = self._fetched(revision)
            with self._lock:
                self._read[revision.id] = known
                while len(self._read) > KEPT:
                    self._read.popitem(last=False)
        return known

    def _fetched(self, revision: Revision) -> tuple[_Sections, str]:
        chunks = self._store.section(revision.id, 0, max(revision.chunks, 1))
        sections: defaultdict[str, list[Chunk]] = defaultdict(list)
        for chunk in chunks:
            sections[_title(chunk)].append(chunk)
        dates = (_DATE.search(chunk.text) for chunk in chunks[:_FRONT])
        return dict(sections), next((match[0] for match in dates if match), "")


def _title(chunk: Chunk) -> str:
    """The innermost heading without its number."""
    return _NUMBER.sub("", chunk.section[-1]).casefold() if chunk.section else ""


def _nearness(said: Saying, other: Saying) -> tuple[float, int]:
    return alike(said.words, other.words), len(said.figures & other.figures)


def _texts(chunk: Chunk) -> list[str]:
    return [chunk.text[place.start : place.end] for place in places_of(chunk)]


def _plain(text: str) -> str:
    return "".join(text.split()).casefold()
