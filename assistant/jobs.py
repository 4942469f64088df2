"""Uploads waiting to be ingested: a queue that survives restarts, with progress, cancelling and retries.

Huey (SQLite, in the home folder) decides what runs when; the table of jobs is what users see. The work itself
is a handler given to `start`, so that this room need not know how ingesting is done.
"""

import logging
import os
import socket
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

import psutil
from huey import SqliteHuey
from huey.consumer import Consumer
from sqlalchemy import Engine, String, Text, select, update
from sqlalchemy.orm import Mapped, mapped_column

from assistant.errors import LinesideError
from assistant.records.database import Base, transaction, utc_now
from assistant.schema import IngestOutcome

JobState = Literal["queued", "running", "done", "failed", "cancelled"]
# Stage name, steps done, steps in all.
Progress = Callable[[str, int, int], None]
RETRY_DELAYS_S = (5, 30, 120)
WRITE_EVERY_S = 0.4

_log = logging.getLogger(__name__)


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


Handler = Callable[[Job, Progress], IngestOutcome]


class JobCancelledError(LinesideError):
    """Raised inside the handler, through its progress, when the job was cancelled."""


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
    created_at: Mapped[datetime] = mapped_column(index=True)
    updated_at: Mapped[datetime]

    def record(self) -> Job:
        """The row as a frozen record."""
        values = {name: getattr(self, name) for name in Job.__slots__ if name != "path"}
        return Job(path=Path(self.path), **values)


class _Consumer(Consumer):  # type: ignore[misc]
    """Huey's consumer inside an application that handles signals itself."""

    def _set_signal_handlers(self) -> None:
        pass


class JobQueue:
    """Takes jobs in, and runs them in threads of the process that calls `start`."""

    def __init__(self, engine: Engine, home: Path) -> None:
        """Works on an open database; the queue lies in the home folder."""
        self._engine = engine
        self._huey = SqliteHuey("lineside", filename=str(home / "queue.sqlite"), results=False)
        self._run = self._huey.task(name="ingest")(self._work)
        self._handler: Handler | None = None
        self._consumer: _Consumer | None = None

    def submit(
        self,
        path: Path,
        document: str,
        *,
        asset: str | None = None,
        model: str | None = None,
        label: str = "",
        user: str = "",
    ) -> Job:
        """Queues one file.

        Raises:
            StorageError: the job cannot be recorded.
        """
        now = utc_now()
        row = JobRow(
            id=uuid.uuid4().hex,
            path=str(path),
            document=document,
            asset=asset,
            model=model,
            label=label,
            user=user,
            state="queued",
            created_at=now,
            updated_at=now,
        )
        with transaction(self._engine) as session:
            session.add(row)
            session.flush()
            job = row.record()
        self._run(job.id)
        return job

    def get(self, job_id: str) -> Job | None:
        """One job by id."""
        with transaction(self._engine) as session:
            row = session.get(JobRow, job_id)
            return row.record() if row else None

    def recent(self, limit: int = 50) -> list[Job]:
        """The latest jobs, newest first."""
        query = select(JobRow).order_by(JobRow.created_at.desc(), JobRow.id).limit(limit)
        with transaction(self._engine) as session:
            return [row.record() for row in session.scalars(query)]

    def cancel(self, job_id: str) -> bool:
        """Stops a job that waits or runs; what it has built so far never becomes visible.

        Returns:
            False when the job is unknown or already over.
        """
        return self._change(job_id, ("queued", "running"), state="cancelled", reason="cancelled")

    def start(self, handler: Handler, workers: int = 1) -> None:
        """Starts consumer threads; jobs that an ended process left running are queued again."""
        self._handler = handler
        self._recover()
        self._consumer = _Consumer(self._huey, workers=workers, periodic=False, max_delay=1.0)
        self._consumer.start()

    def stop(self) -> None:
        """Stops taking jobs and waits for the one at work."""
        if self._consumer is not None:
            self._consumer.stop(graceful=True)
            self._consumer = None

    def _recover(self) -> None:
        """Puts every job that should run into an emptied queue, in the order of submission."""
        with transaction(self._engine) as session:
            query = select(JobRow).where(JobRow.state.in_(("queued", "running"))).order_by(JobRow.created_at)
            waiting = []
            for row in session.scalars(query):
                if row.state == "running" and _alive(row.worker):
                    continue
                row.state, row.worker = "queued", ""
                waiting.append(row.id)
        self._huey.flush()
        for job_id in waiting:
            self._run(job_id)

    def _work(self, job_id: str) -> None:
        """What a consumer thread does with one job."""
        worker = f"{socket.gethostname()}:{os.getpid()}"
        if self._handler is None or not self._change(job_id, ("queued",), state="running", worker=worker):
            return
        job = self.get(job_id)
        assert job is not None
        try:
            outcome = self._handler(job, _Reporter(self, job_id))
        except JobCancelledError:
            return
        except LinesideError as problem:
            self._failed(job, str(problem), problem.retry)
        except Exception as problem:
            _log.exception("job %s (%s) failed", job_id, job.document)
            self._failed(job, f"{job.document} could not be ingested: {problem}", retry=False)
        else:
            self._finish(job_id, outcome)

    def _finish(self, job_id: str, outcome: IngestOutcome) -> None:
        self._change(
            job_id,
            ("running",),
            state="failed" if outcome.status == "rejected" else "done",
            reason=outcome.reason,
            status=outcome.status,
            revision=outcome.revision,
            pages=outcome.pages,
            chunks=outcome.chunks,
            ocr_pages=outcome.ocr_pages,
        )

    def _failed(self, job: Job, reason: str, retry: bool) -> None:
        """Queues the job again when waiting may help, with growing delays; else it is over."""
        if not retry or job.attempts >= len(RETRY_DELAYS_S):
            self._change(job.id, ("running",), state="failed", reason=reason)
            return
        delay = RETRY_DELAYS_S[job.attempts]
        waiting = f"{reason} Next attempt in {delay} s."
        if self._change(job.id, ("running",), state="queued", reason=waiting, attempts=job.attempts + 1):
            self._run.schedule(args=(job.id,), delay=delay)

    def _change(self, job_id: str, states: tuple[JobState, ...], **values: Any) -> bool:
        """Changes a job that is in one of the states; the database decides between rivals."""
        query = update(JobRow).where(JobRow.id == job_id, JobRow.state.in_(states))
        with transaction(self._engine) as session:
            result = session.execute(query.values(updated_at=utc_now(), **values))
            return bool(result.rowcount)  # type: ignore[attr-defined]


class _Reporter:
    """Writes progress now and then, and tells the handler when the job was cancelled."""

    def __init__(self, queue: JobQueue, job_id: str) -> None:
        self._queue = queue
        self._job_id = job_id
        self._lock = threading.Lock()
        self._stage = ""
        self._written = 0.0

    def __call__(self, stage: str, done: int, total: int) -> None:
        with self._lock:
            now = time.monotonic()
            if stage == self._stage and done < total and now - self._written < WRITE_EVERY_S:
                return
            self._stage, self._written = stage, now
        if not self._queue._change(self._job_id, ("running",), stage=stage, done=done, total=total):
            raise JobCancelledError("The job was cancelled")


def _alive(worker: str) -> bool:
    """True while another process of this machine works on the job."""
    host, _, pid = worker.partition(":")
    if host != socket.gethostname():
        return bool(host)
    return pid.isdigit() and int(pid) != os.getpid() and psutil.pid_exists(int(pid))
