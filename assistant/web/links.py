"""Where a reader can see a cited passage: the page's picture, or its text when the source has no pages."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from assistant.errors import InputError
from assistant.records.catalogue import Catalogue, Revision
from assistant.schema import Chunk, Citation, SafetyNotice
from assistant.store.base import ChunkStore

ROUTE = "/api/v1/pages"
MOST_SPANS = 40
_SPANS = re.compile(r"\d{1,6}-\d{1,6}(?:\.\d{1,6}-\d{1,6})*")


@dataclass(frozen=True, slots=True)
class PageLink:
    """Address and wording of one page.

    Attributes:
        revision: id of the revision.
        label: what the revision is called on paper.
        pages: number of pages of the document, for turning leaves; 1 for sources without pages.
        mark: id of the chunk to mark, or empty.
        top: how far down the page the passage begins (0..1), for scrolling there.
        kind: 'png' for a page picture, 'html' for a passage as text.
        spans: places of the chunk's text to mark, as `written_spans` writes them; empty for all of it.
    """

    revision: str
    title: str
    label: str
    page: int
    pages: int
    mark: str
    top: float
    kind: str
    spans: str = ""

    @property
    def url(self) -> str:
        """The picture's or text's address within this application."""
        given = {name: value for name, value in (("mark", self.mark), ("spans", self.spans)) if value}
        query = f"?{urlencode(given)}" if given else ""
        return f"{ROUTE}/{self.revision}/{self.page}.{self.kind}{query}"


class PageLinks:
    """Builds links for what an answer cites."""

    def __init__(self, catalogue: Catalogue, store: ChunkStore) -> None:
        """Looks revisions up in the catalogue and passages in the store."""
        self._catalogue = catalogue
        self._store = store

    def of_citations(self, citations: Iterable[Citation]) -> dict[int, PageLink]:
        """Citation number -> link, for those whose passage is still held."""
        return {citation.n: link for citation, link in self._of(citations)}

    def in_force(self, citations: Iterable[Citation]) -> dict[Citation, PageLink]:
        """Citation -> link, for those that everybody may see: one side of a conflict may be replaced."""
        visible = {revision.id for revision in self._catalogue.revisions("visible")}
        return {
            citation: link
            for citation, link in self._of(citations)
            if link.revision in visible or citation.source == "work_order"
        }

    def of_notices(self, notices: Iterable[SafetyNotice]) -> dict[SafetyNotice, PageLink]:
        """Notice -> link to its page with the notice marked, for documents that are visible."""
        wanted = list(notices)
        held = {revision.document: revision for revision in self._catalogue.revisions("visible")}
        chunks = self._chunks(notice.chunk_id for notice in wanted)
        links = {}
        for notice in wanted:
            if notice.chunk_id in chunks:
                links[notice] = self._of_chunk(chunks[notice.chunk_id], notice.page)
            elif notice.document in held:
                links[notice] = self._link(held[notice.document], notice.page)
        return links

    def _of(self, citations: Iterable[Citation]) -> list[tuple[Citation, PageLink]]:
        cited = list(citations)
        chunks = self._chunks(citation.chunk_id for citation in cited)
        return [
            (citation, self._of_chunk(chunks[citation.chunk_id], citation.page, citation.spans))
            for citation in cited
            if citation.chunk_id in chunks
        ]

    def _chunks(self, ids: Iterable[str]) -> dict[str, Chunk]:
        wanted = list(dict.fromkeys(name for name in ids if name))
        return {chunk.id: chunk for chunk in self._store.fetch(wanted)} if wanted else {}

    def _of_chunk(self, chunk: Chunk, page: int, spans: Sequence[tuple[int, int]] = ()) -> PageLink:
        """The page of a chunk that opens with the chunk marked, or with places of it."""
        revision = self._catalogue.revision(chunk.revision)
        if revision:
            page = page if has_pictures(revision.document) else chunk.page
            top = _top(chunk, page, spans[0][0] if spans else 0)
            return self._link(revision, page, chunk.id, top, written_spans(spans))
        return PageLink(
            chunk.revision, chunk.title or chunk.document, "", chunk.page, 1, chunk.id, 0.0, "html"
        )

    def _link(
        self, revision: Revision, page: int, mark: str = "", top: float = 0.0, spans: str = ""
    ) -> PageLink:
        drawn = has_pictures(revision.document)
        return PageLink(
            revision=revision.id,
            title=revision.title or revision.document,
            label=revision.label,
            page=page,
            pages=revision.pages if drawn else 1,
            mark=mark,
            top=round(top, 3),
            kind="png" if drawn else "html",
            spans=spans if drawn else "",
        )


def _top(chunk: Chunk, page: int, offset: int) -> float:
    """About how far down the page a place of a chunk begins, reckoned by its share of the text before it."""
    boxes = [box for box in chunk.boxes if box.page == page]
    top, bottom = min((box.y0 for box in boxes), default=0.0), max((box.y1 for box in boxes), default=0.0)
    return top + (bottom - top) * min(offset / max(len(chunk.text), 1), 1.0)


def written_spans(spans: Sequence[tuple[int, int]]) -> str:
    """Offsets in a chunk's text as part of an address: '120-180.204-260'."""
    return ".".join(f"{start}-{end}" for start, end in spans[:MOST_SPANS])


def quoted_in(text: str, spans: str) -> tuple[str, ...]:
    """The parts of a chunk's text that an address names.

    Raises:
        InputError: the spans are not written as `written_spans` writes them.
    """
    if not spans:
        return ()
    if not _SPANS.fullmatch(spans):
        raise InputError("These places cannot be read", "Write start-end.start-end…")
    pairs = (piece.split("-") for piece in spans.split(".")[:MOST_SPANS])
    return tuple(text[int(start) : int(end)] for start, end in pairs)


def has_pictures(document: str) -> bool:
    """Whether a document's pages can be drawn."""
    return document.lower().endswith(".pdf")
