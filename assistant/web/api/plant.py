"""GET /api/v1/assets and /api/v1/documents: what the plant has, and which manuals are held."""

from dataclasses import asdict

from fastapi import APIRouter, Request

from assistant.app import Lineside
from assistant.schema import Json
from assistant.web.access import Access


class PlantApi:
    """Reads the register and the catalogue."""

    def __init__(self, lineside: Lineside, access: Access) -> None:
        """Answers signed-in users."""
        self._lineside = lineside
        self._access = access
        self.router = APIRouter()
        self.router.add_api_route("/assets", self.assets, methods=["GET"])
        self.router.add_api_route("/documents", self.documents, methods=["GET"])

    def assets(self, request: Request) -> list[Json]:
        """Machines by tag."""
        self._access.require(request)
        return [asdict(asset) for asset in self._lineside.plant.assets()]

    def documents(self, request: Request) -> list[Json]:
        """Visible revisions; supervisors also see those that are being built or were replaced."""
        user = self._access.require(request)
        revisions = self._lineside.catalogue.revisions(None if user.may("supervisor") else "visible")
        return [asdict(revision) for revision in revisions]
