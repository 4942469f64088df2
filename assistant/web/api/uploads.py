"""POST /api/v1/uploads and GET /api/v1/jobs, for supervisors."""

from typing import Annotated

from fastapi import APIRouter, File, Form, Request, UploadFile

from assistant.app import Lineside
from assistant.contract import job_document
from assistant.errors import InputError
from assistant.schema import Json
from assistant.web.access import Access
from assistant.web.failures import NotFoundError
from assistant.web.uploads import Uploads

RECENT = 50


class UploadsApi:
    """Takes manuals in and tells how far they are."""

    def __init__(self, lineside: Lineside, access: Access, uploads: Uploads) -> None:
        """Serves supervisors and administrators."""
        self._jobs = lineside.jobs
        self._access = access
        self._uploads = uploads
        self.router = APIRouter()
        self.router.add_api_route("/uploads", self.upload, methods=["POST"], status_code=202)
        self.router.add_api_route("/jobs", self.jobs, methods=["GET"])
        self.router.add_api_route("/jobs/{job_id}", self.job, methods=["GET"])

    def upload(
        self,
        request: Request,
        files: Annotated[list[UploadFile], File()],
        asset: Annotated[str, Form()] = "",
        model: Annotated[str, Form()] = "",
        revision: Annotated[str, Form()] = "",
    ) -> list[Json]:
        """Queues every file of the form; answers with their jobs."""
        user = self._access.require(request, "supervisor")
        if not files:
            raise InputError("No file was sent", "Send at least one as `files`.")
        return [
            job_document(
                self._uploads.accept(
                    file.filename or "", file.file, asset=asset, model=model, label=revision, user=user.name
                )
            )
            for file in files
        ]

    def jobs(self, request: Request) -> list[Json]:
        """The latest uploads, newest first."""
        self._access.require(request, "supervisor")
        return [job_document(job) for job in self._jobs.recent(RECENT)]

    def job(self, request: Request, job_id: str) -> Json:
        """One upload."""
        self._access.require(request, "supervisor")
        job = self._jobs.get(job_id)
        if job is None:
            raise NotFoundError(f"There is no job {job_id[:60]}", "See /api/v1/jobs.")
        return job_document(job)
