"""Files on their way in, as they are recorded: what users see of the queue."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from sqlalchemy import Engine, String, Text, delete, or_, select, update
from sqlalchemy.orm import Mapped, mapped_column

from assistant.records.database import Base, transaction, utc_now

JobState = Literal["queued", "running", "done", "failed", "cancelled"]


@dataclass(frozen=True, slots=True)
class Job:
    """One file on its way in.

    Attributes:
        path: where the uploaded file lies until it is read.
        stage: what is being done: 'read', 'embed', 'store'; `done` of `total` steps of it.
        reason: why it failed, or what is worth knowing of a file that was read.
        status: of the outcome ('ingested', …), empty until it is there; so are the fields after it.
    """

    id: str
    path: Path
    document: str
    asset: str | None
    model: str | None
    label: str
    user: str
    state: JobState
    stage: str
    done: int
    total: int
    reason: str
    status: str
    revision: str
    pages: int
    chunks: int
    ocr_pages: int
    attempts: int
    created_at: datetime
    updated_at: datetime


class JobRow(Base):
    """Table of jobs; `worker` is 'host:pid' of the process at work."""

    __tablename__ = "jobs"
    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    path: Mapped[str] = mapped_column(Text)
    document: Mapped[str] = mapped_column(String(500))
    asset: Mapped[str | None] = mapped_column(String(100))
    model: Mapped[str | None] = mapped_column(String(100))
    label: Mapped[str] = mapped_column(String(100))
    user: Mapped[str] = mapped_column(String(100))
    state: Mapped[str] = mapped_column(String(10), index=True)
    stage: Mapped[str] = mapped_column(String(20), default="")
    done: Mapped[int] = mapped_column(default=0)
    total: Mapped[int] = mapped_column(default=0)
    reason: Mapped[str] = mapped_column(Text, default="")
    status: Mapped[str] = mapped_column(String(12), default="")
    revision: Mapped[str] = mapped_column(String(16), default="")
    pages: Mapped[int] = mapped_column(default=0)
    chunks: Mapped[int] = mapped_column(default=0)
    ocr_pages: Mapped[int] = mapped_column(default=0)
    attempts: Mapped[int] = mapped_column(default=0)
    worker: Mapped[str] = mapped_column(String(100), default="")
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]

    def record(self) -> Job:
        """The row as a frozen record."""
        values = {name: getattr(self, name) for name in Job.__slots__ if name != "path"}
        return Job(path=Path(self.path), **values)


class JobRecords:
    """Reads and changes the jobs on record."""

    def __init__(self, engine: Engine) -> None:
        """Works on an open database."""
        self._engine = engine

    def add(self, job_id: str, path: Path, **fields: str | None) -> Job:
        """Records a new job in state 'queued'."""
        now = utc_now()
        row = JobRow(id=job_id, path=str(path), state="queued", created_at=now, updated_at=now, **fields)
        with transaction(self._engine) as session:
            session.add(row)
            session.flush()
            return row.record()

    def get(self, job_id: str) -> Job | None:
        """One job by id."""
        with transaction(self._engine) as session:
            row = session.get(JobRow, job_id)
            return row.record() if row else None

    def recent(self, limit: int, state: JobState | None = None) -> list[Job]:
        """The latest jobs, newest first; of one state, or of all."""
        query = select(JobRow).order_by(JobRow.created_at.desc(), JobRow.id).limit(limit)
        with transaction(self._engine) as session:
            return [
                row.record()
                for row in session.scalars(query.where(JobRow.state == state) if state else query)
            ]

    def running(self) -> list[tuple[str, str, datetime]]:
        """Id, worker and last sign of life of every job at work."""
        query = select(JobRow.id, JobRow.worker, JobRow.updated_at).where(JobRow.state == "running")
        with transaction(self._engine) as session:
            return [(row.id, row.worker, row.updated_at) for row in session.execute(query)]

    def queued(self) -> list[Job]:
        """Jobs that wait, in the order of submission."""
        query = select(JobRow).where(JobRow.state == "queued").order_by(JobRow.created_at, JobRow.id)
        with transaction(self._engine) as session:
            return [row.record() for row in session.scalars(query)]

    def over(self, revision: str, document: str | None) -> list[Job]:
        """Jobs that are over and were about a revision, or about a document."""
        query = select(JobRow).where(
            JobRow.state.not_in(("queued", "running")),
            or_(JobRow.revision == revision, JobRow.document == document),
        )
        with transaction(self._engine) as session:
            return [row.record() for row in session.scalars(query)]

    def change(self, job_id: str, states: Sequence[JobState], **values: Any) -> bool:
        """Changes a job that is in one of the states; the database decides between rivals."""
        query = update(JobRow).where(JobRow.id == job_id, JobRow.state.in_(states))
        with transaction(self._engine) as session:
            result = session.execute(query.values(updated_at=utc_now(), **values))
            return bool(result.rowcount)  # type: ignore[attr-defined]

    def remove(self, job_ids: Sequence[str]) -> None:
        """Forgets jobs."""
        with transaction(self._engine) as session:
            session.execute(delete(JobRow).where(JobRow.id.in_(job_ids)))
