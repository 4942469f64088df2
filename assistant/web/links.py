"""Where a reader can see a cited passage: the page's picture, or its text when the source has no pages."""

from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlencode

from assistant.records.catalogue import Catalogue, Revision
from assistant.schema import Chunk, Citation, SafetyNotice
from assistant.store.base import ChunkStore

ROUTE = "/api/v1/pages"


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
    """

    revision: str
    title: str
    label: str
    page: int
    pages: int
    mark: str
    top: float
    kind: str

    @property
    def url(self) -> str:
        """The picture's or text's address within this application."""
        query = f"?{urlencode({'mark': self.mark})}" if self.mark else ""
        return f"{ROUTE}/{self.revision}/{self.page}.{self.kind}{query}"


class PageLinks:
    """Builds links for what an answer cites."""

    def __init__(self, catalogue: Catalogue, store: ChunkStore) -> None:
        """Looks revisions up in the catalogue and passages in the store."""
        self._catalogue = catalogue
        self._store = store

    def of_citations(self, citations: Iterable[Citation]) -> dict[int, PageLink]:
        """Citation number -> link, for those whose passage is still held."""
        cited = list(citations)
        ids = list(dict.fromkeys(citation.chunk_id for citation in cited))
        links = {chunk.id: self._of_chunk(chunk) for chunk in self._store.fetch(ids)}
        return {citation.n: links[citation.chunk_id] for citation in cited if citation.chunk_id in links}

    def of_notices(self, notices: Iterable[SafetyNotice]) -> dict[SafetyNotice, PageLink]:
        """Notice -> link to its page, for documents that are visible."""
        held = {revision.document: revision for revision in self._catalogue.revisions("visible")}
        return {
            notice: self._link(held[notice.document], notice.page)
            for notice in notices
            if notice.document in held
        }

    def _of_chunk(self, chunk: Chunk) -> PageLink:
        revision = self._catalogue.revision(chunk.revision)
        if revision:
            top = min((box.y0 for box in chunk.boxes if box.page == chunk.page), default=0.0)
            return self._link(revision, chunk.page, chunk.id, top)
        return PageLink(
            chunk.revision, chunk.title or chunk.document, "", chunk.page, 1, chunk.id, 0.0, "html"
        )

    def _link(self, revision: Revision, page: int, mark: str = "", top: float = 0.0) -> PageLink:
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
        )


def has_pictures(document: str) -> bool:
    """Whether a document's pages can be drawn."""
    return document.lower().endswith(".pdf")
