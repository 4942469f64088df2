"""GET /api/v1/pages/{revision}/{page}.png and .html: the cited page, with the passage marked."""

import re

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, Response

from assistant.app import Lineside
from assistant.records.accounts import User
from assistant.records.catalogue import Revision
from assistant.schema import Chunk
from assistant.web.access import Access
from assistant.web.failures import NotFoundError
from assistant.web.links import has_pictures, quoted_in
from assistant.web.render import render
from assistant.web.signin import preferred_language

_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{32}")
# Passages shown before and after the marked one, where a source has no pages.
AROUND = 3


class PagesApi:
    """Serves pages of visible revisions; supervisors may also look at the others."""

    def __init__(self, lineside: Lineside, access: Access) -> None:
        """Reads originals; pictures are kept in the home folder."""
        self._lineside = lineside
        self._access = access
        self.router = APIRouter()
        self.router.add_api_route("/pages/{revision}/{page}.png", self.picture, methods=["GET"])
        self.router.add_api_route("/pages/{revision}/{page}.html", self.passage, methods=["GET"])

    def picture(
        self, request: Request, revision: str, page: int, mark: str = "", spans: str = ""
    ) -> Response:
        """A page of a PDF as PNG; `mark` is the id of the chunk to mark, `spans` what counts of it."""
        held = self._visible(revision, self._access.require(request))
        if held is None or not has_pictures(held.document):
            raise NotFoundError("There is no such page picture", "See /api/v1/documents.")
        if not 1 <= page <= max(held.pages, 1):
            raise NotFoundError(f"{held.document} has pages 1 to {held.pages}")
        original = self._lineside.files.path(held.file_hash)
        if original is None:
            raise NotFoundError(f"The original of {held.document} is not held any more", "Ingest it again.")
        chunk = self._marked(revision, mark)
        boxes, texts = (chunk.boxes, quoted_in(chunk.text, spans)) if chunk else ((), ())
        picture = self._lineside.pictures.picture(original, held.file_hash, page, boxes, texts)
        return Response(picture, media_type="image/png", headers={"Cache-Control": "private, no-store"})

    def passage(self, request: Request, revision: str, page: int, mark: str) -> HTMLResponse:
        """A passage as text with what stands around it, for sources without page pictures."""
        held = self._visible(revision, self._access.require(request))
        chunk = self._marked(revision, mark)
        if chunk is None or chunk.page != page or (held is None and chunk.source == "manual"):
            raise NotFoundError("There is no such passage", "Ask again.")
        around = [chunk]
        if chunk.source == "manual":
            around = self._lineside.store.section(revision, chunk.ordinal - AROUND, chunk.ordinal + AROUND)
        return HTMLResponse(
            render(
                "passage.html",
                preferred_language(request),
                title=chunk.document,
                heading=chunk.heading or chunk.title,
                chunks=around,
                mark=chunk.id,
            )
        )

    def _visible(self, revision: str, user: User) -> Revision | None:
        held = self._lineside.catalogue.revision(revision)
        return held if held and (held.state == "visible" or user.may("supervisor")) else None

    def _marked(self, revision: str, mark: str) -> Chunk | None:
        """The chunk to mark, when the id is one and belongs to the revision."""
        found = self._lineside.store.fetch([mark]) if _ID.fullmatch(mark) else []
        return next((chunk for chunk in found if chunk.revision == revision), None)
