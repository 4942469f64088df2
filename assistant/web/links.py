"""Where a reader can see a cited passage: the page's picture, or its text when the source has no pages."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from assistant.errors import InputError
from assistant.records.catalogue import Catalogue, Revision
from assistant.schema import Box, Chunk, Citation, SafetyNotice
from assistant.store.base import ChunkStore

ROUTE = "/api/v1/pages"
MOST_BOXES = 60


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
        boxes: what to mark instead of the whole chunk, as `written_boxes` writes it; empty for the chunk.
    """

    revision: str
    title: str
    label: str
    page: int
    pages: int
    mark: str
    top: float
    kind: str
    boxes: str = ""

    @property
    def url(self) -> str:
        """The picture's or text's address within this application."""
        given = {name: value for name, value in (("mark", self.mark), ("boxes", self.boxes)) if value}
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
                links[notice] = self._of_chunk(chunks[notice.chunk_id], notice.page, notice.boxes)
            elif notice.document in held:
                links[notice] = self._link(held[notice.document], notice.page)
        return links

    def _of(self, citations: Iterable[Citation]) -> list[tuple[Citation, PageLink]]:
        cited = list(citations)
        chunks = self._chunks(citation.chunk_id for citation in cited)
        return [
            (citation, self._of_chunk(chunks[citation.chunk_id], citation.page, citation.boxes))
            for citation in cited
            if citation.chunk_id in chunks
        ]

    def _chunks(self, ids: Iterable[str]) -> dict[str, Chunk]:
        wanted = list(dict.fromkeys(name for name in ids if name))
        return {chunk.id: chunk for chunk in self._store.fetch(wanted)} if wanted else {}

    def _of_chunk(self, chunk: Chunk, page: int, boxes: Sequence[Box]) -> PageLink:
        """The page of a chunk that opens with the boxes marked, or with the chunk when there are none."""
        revision = self._catalogue.revision(chunk.revision)
        if revision:
            marked = boxes or chunk.boxes
            page = page if has_pictures(revision.document) else chunk.page
            top = min((box.y0 for box in marked if box.page == page), default=0.0)
            own = "" if tuple(marked) == chunk.boxes else written_boxes(marked)
            return self._link(revision, page, chunk.id, top, own)
        return PageLink(
            chunk.revision, chunk.title or chunk.document, "", chunk.page, 1, chunk.id, 0.0, "html"
        )

    def _link(
        self, revision: Revision, page: int, mark: str = "", top: float = 0.0, boxes: str = ""
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
            boxes=boxes if drawn else "",
        )


def written_boxes(boxes: Sequence[Box]) -> str:
    """Boxes as part of an address: page:x0,y0,x1,y1 in ten-thousandths of the page, joined by semicolons."""
    return ";".join(
        f"{box.page}:" + ",".join(str(round(edge * 10_000)) for edge in (box.x0, box.y0, box.x1, box.y1))
        for box in boxes[:MOST_BOXES]
    )


def read_boxes(text: str) -> tuple[Box, ...]:
    """Boxes from an address.

    Raises:
        InputError: they are not written as `written_boxes` writes them.
    """
    boxes = []
    try:
        for piece in text.split(";")[:MOST_BOXES] if text else []:
            page, _, edges = piece.partition(":")
            x0, y0, x1, y1 = (min(max(int(edge), 0), 10_000) / 10_000 for edge in edges.split(","))
            boxes.append(Box(int(page), x0, y0, x1, y1))
    except ValueError as problem:
        raise InputError("These boxes cannot be read", "Write page:x0,y0,x1,y1;…") from problem
    return tuple(boxes)


def has_pictures(document: str) -> bool:
    """Whether a document's pages can be drawn."""
    return document.lower().endswith(".pdf")
