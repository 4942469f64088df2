"""Under /api/v1/revisions/{id}: the page-quality report; publish, reject and rollback, for supervisors."""

from dataclasses import asdict

from fastapi import APIRouter, Request

from assistant.app import Lineside
from assistant.records.catalogue import Revision
from assistant.schema import Json
from assistant.web.access import Access
from assistant.web.failures import NotFoundError


class RevisionsApi:
    """What supervisors decide about manuals; every handler asks for the role itself."""

    def __init__(self, lineside: Lineside, access: Access) -> None:
        """Decides on the revisions of one application."""
        self._lineside = lineside
        self._access = access
        self.router = APIRouter(prefix="/revisions")
        self.router.add_api_route("/{revision}/report", self.report, methods=["GET"])
        self.router.add_api_route("/{revision}/publish", self.publish, methods=["POST"])
        self.router.add_api_route("/{revision}/reject", self.reject, methods=["POST"])
        self.router.add_api_route("/{revision}/rollback", self.rollback, methods=["POST"])

    def report(self, request: Request, revision: str) -> Json:
        """How well a manual was read."""
        self._access.require(request, "supervisor")
        held = self._lineside.reports.get(self._held(revision).id)
        if held is None:
            raise NotFoundError("There is no report on this revision", "It was read before there were any.")
        return asdict(held)

    def publish(self, request: Request, revision: str) -> Json:
        """Puts a revision in force."""
        user = self._access.require(request, "supervisor")
        published = self._lineside.revisions.publish(self._held(revision).id)
        return self._done(user.name, "published", published)

    def reject(self, request: Request, revision: str) -> Json:
        """Removes a revision that waits for approval."""
        user = self._access.require(request, "supervisor")
        rejected = self._lineside.revisions.reject(self._held(revision).id)
        self._lineside.clearing.finish()
        return self._done(user.name, "rejected", rejected)

    def rollback(self, request: Request, revision: str) -> Json:
        """Puts the revision before this one back in force."""
        user = self._access.require(request, "supervisor")
        withdrawn, restored = self._lineside.revisions.roll_back(self._held(revision).id)
        return self._done(user.name, "rolled back", withdrawn, restored)

    def _held(self, revision: str) -> Revision:
        held = self._lineside.catalogue.revision(revision)
        if held is None or held.state == "deleting":
            raise NotFoundError("There is no such revision", "See /api/v1/documents.")
        return held

    def _done(self, user: str, what: str, revision: Revision, restored: Revision | None = None) -> Json:
        self._access.accounts.audit.note(user, what, f"{revision.document} ({revision.label})")
        current = restored or revision
        return {"document": current.document, "revision": current.id, "label": current.label, "done": what}
