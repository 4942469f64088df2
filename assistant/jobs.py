"""Uploads waiting to be ingested: a queue that survives restarts, with progress, cancelling and retries.

Huey (SQLite in the home folder, or Redis) decides what runs when; the table of jobs is what users see, and it
holds: an entry of the queue only says 'look at this job', and two of them do no harm. The work itself is a
handler given to `start`, so that this room need not know how ingesting is done.
"""

import logging
import os
import socket
import threading
import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psutil
from huey.consumer import Consumer
from sqlalchemy import Engine

from assistant.errors import InputError, LinesideError
from assistant.queue import open_queue
from assistant.records.database import utc_now
from assistant.records.jobs import Job, JobRecords, JobState
from assistant.schema import IngestOutcome
from assistant.settings import JobSettings
from assistant.slots import SPARE, Slot, Slots
from assistant.upload_folder import UploadFolder

__all__ = ["Handler", "Job", "JobCancelledError", "JobQueue", "JobState", "Progress"]

# Stage name, steps done, steps in all.
Progress = Callable[[str, int, int], None]
Handler = Callable[[Job, Progress], IngestOutcome]

RETRY_DELAYS_S = (5, 30, 120)
WRITE_EVERY_S = 0.4
# How long a job at work may give no sign of life before a process on another machine counts as lost.
LOST_AFTER_S = 900
LOOK_EVERY_S = 15
# A handler that does not come back when the process ends is left to be done again.
STOP_WITHIN_S = 10

_log = logging.getLogger(__name__)


class JobCancelledError(LinesideError):
    """Raised inside the handler, through its progress, when the job was cancelled."""


class JobInterruptedError(JobCancelledError):
    """Likewise, when the process ends: the job waits for the next one."""


class _Consumer(Consumer):  # type: ignore[misc]
    """Huey's consumer inside an application that handles signals itself."""

    def _set_signal_handlers(self) -> None:
        pass


class JobQueue:
    """Takes jobs in, and runs them in threads of the process that calls `start`."""

    def __init__(self, engine: Engine, home: Path, settings: JobSettings | None = None) -> None:
        """Works on an open database; without a Redis in the settings the queue lies in the home folder.

        Raises:
            MissingExtraError: the settings name a Redis, and its client is not installed.
        """
        self._settings = settings or JobSettings()
        self._records = JobRecords(engine)
        self._uploads = UploadFolder(home / "uploads")
        self._huey = open_queue(self._settings.url, home)
        self._run = self._huey.task(name="ingest")(self._work)
        self._handler: Handler | None = None
        self._consumer: _Consumer | None = None
        self._stopping = threading.Event()
        self._slots = Slots(self._settings.workers)
        self._at_work: set[str] = set()

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
        job = self._records.add(
            uuid.uuid4().hex, path, document=document, asset=asset, model=model, label=label, user=user
        )
        self._enqueue(job.id)
        return job

    def get(self, job_id: str) -> Job | None:
        """One job by id."""
        return self._records.get(job_id)

    def recent(self, limit: int = 50, state: JobState | None = None) -> list[Job]:
        """The latest jobs, newest first; of one state, or of all."""
        return self._records.recent(limit, state)

    def cancel(self, job_id: str) -> bool:
        """Stops a job that waits or runs; what it has built so far never becomes visible.

        Returns:
            False when the job is unknown or already over.
        """
        job = self._records.get(job_id)
        if job is None or not self._records.change(
            job_id, ("queued", "running"), state="cancelled", reason="cancelled"
        ):
            return False
        self._uploads.discard(job.path)
        return True

    def retry(self, job_id: str) -> Job:
        """Queues a job that failed once more.

        Raises:
            InputError: there is no such failed job, or its file is not kept any more.
        """
        job = self._records.get(job_id)
        if job is None or job.state != "failed":
            raise InputError(f"No failed job {job_id[:60]}", "See `lineside jobs list`.")
        if not job.path.is_file():
            raise InputError(f"{job.document} was rejected and is not kept", "Upload it again.")
        self._records.change(job_id, ("failed",), state="queued", attempts=0, reason="", stage="")
        self._enqueue(job_id)
        return job

    def drop(self, revision: str, document: str | None = None) -> None:
        """Forgets the jobs that brought a deleted revision in, with their files.

        Args:
            revision: its id.
            document: name of a document of which nothing is held any more; all its jobs that are over go too.
        """
        jobs = self._records.over(revision, document)
        for job in jobs:
            self._uploads.discard(job.path)
        self._records.remove([job.id for job in jobs])

    def start(self, handler: Handler, workers: int | None = None) -> None:
        """Starts consumer threads; jobs that an ended process left running are queued again."""
        self._handler = handler
        self._stopping.clear()
        self._requeue_lost()
        for job in self._records.queued():
            self._enqueue(job.id)
        self._uploads.sweep({job.path for job in self._records.recent(10_000)})
        at_once = workers or self._settings.workers
        self._slots = Slots(at_once)
        self._consumer = _Consumer(
            self._huey,
            workers=at_once + SPARE,
            periodic=False,
            max_delay=1.0,
            shutdown_timeout=STOP_WITHIN_S,
        )
        self._consumer.start()
        threading.Thread(target=self._watch, args=(self._stopping,), daemon=True).start()

    def stop(self) -> None:
        """Stops taking jobs; one at work is interrupted within seconds and waits for the next start."""
        self._stopping.set()
        if self._consumer is not None:
            self._consumer.stop(graceful=True)
            self._consumer = None

    def _watch(self, stopping: threading.Event) -> None:
        """Looks now and then for jobs whose process is gone, or which the queue has lost."""
        while not stopping.wait(LOOK_EVERY_S):
            try:
                self._requeue_lost()
                if not self._huey.pending_count() and not self._huey.scheduled_count():
                    for job in self._records.queued():
                        self._enqueue(job.id)
            except Exception as problem:
                _log.warning("the queue cannot be looked at: %s", problem)

    def _requeue_lost(self) -> None:
        for job_id, worker, seen in self._records.running():
            if (
                job_id not in self._at_work
                and not _alive(worker, seen)
                and self._records.change(job_id, ("running",), state="queued", worker="")
            ):
                self._enqueue(job_id)

    def _work(self, job_id: str) -> None:
        """What a consumer thread does with one job, once there is a place for it."""
        with self._slots.taken(self._stopping.is_set) as slot:
            if slot is None:
                self._enqueue(job_id)
                return
            worker = f"{socket.gethostname()}:{os.getpid()}"
            if self._handler is None or not self._records.change(
                job_id, ("queued",), state="running", worker=worker
            ):
                return
            self._at_work.add(job_id)
            try:
                self._handle(job_id, self._handler, slot)
            finally:
                self._at_work.discard(job_id)

    def _handle(self, job_id: str, handler: Handler, slot: Slot) -> None:
        job = self._records.get(job_id)
        if job is None:
            return
        try:
            outcome = handler(job, _Reporter(self._records, job_id, self._stopping, slot))
        except JobInterruptedError:
            if self._records.change(job_id, ("running",), state="queued", worker="", stage=""):
                self._enqueue(job_id)
        except JobCancelledError:
            self._uploads.discard(job.path)
        except LinesideError as problem:
            self._failed(job, str(problem), problem.retry)
        except Exception as problem:
            _log.exception("job %s (%s) failed", job_id, job.document)
            self._failed(job, f"{job.document} could not be ingested: {problem}", retry=False)
        else:
            self._finish(job, outcome)

    def _finish(self, job: Job, outcome: IngestOutcome) -> None:
        # Cancelled too late: what is visible by now is told as it is.
        self._records.change(
            job.id,
            ("running", "cancelled"),
            state="failed" if outcome.status == "rejected" else "done",
            reason=outcome.reason,
            status=outcome.status,
            revision=outcome.revision,
            pages=outcome.pages,
            chunks=outcome.chunks,
            ocr_pages=outcome.ocr_pages,
        )
        # The original is kept by its content now, or was refused.
        self._uploads.discard(job.path)

    def _failed(self, job: Job, reason: str, retry: bool) -> None:
        """Queues the job again when waiting may help, with growing delays; else it waits for `retry`."""
        if not retry or job.attempts >= len(RETRY_DELAYS_S):
            self._records.change(job.id, ("running",), state="failed", reason=reason)
            return
        delay = RETRY_DELAYS_S[job.attempts]
        waiting = f"{reason} Next attempt in {delay} s."
        if self._records.change(
            job.id, ("running",), state="queued", reason=waiting, attempts=job.attempts + 1
        ):
            self._enqueue(job.id, delay)

    def _enqueue(self, job_id: str, delay: int = 0) -> None:
        """Tells the queue of a job; while the queue cannot be reached, `_watch` finds the job on record."""
        try:
            if delay:
                self._run.schedule(args=(job_id,), delay=delay)
            else:
                self._run(job_id)
        except Exception as problem:  # Redis's own errors, which are known only where its client is installed
            _log.warning("the queue cannot be reached, job %s waits: %s", job_id, problem)


class _Reporter:
    """Writes progress now and then, and tells the handler when to stop."""

    def __init__(self, records: JobRecords, job_id: str, stopping: threading.Event, slot: Slot) -> None:
        self._records = records
        self._job_id = job_id
        self._stopping = stopping
        self._slot = slot
        self._lock = threading.Lock()
        self._stage = ""
        self._written = 0.0

    def __call__(self, stage: str, done: int, total: int) -> None:
        self._slot.sign(stage, done)
        if self._stopping.is_set():
            raise JobInterruptedError("Lineside is being stopped")
        with self._lock:
            now = time.monotonic()
            if stage == self._stage and done < total and now - self._written < WRITE_EVERY_S:
                return
            self._stage, self._written = stage, now
        if not self._records.change(self._job_id, ("running",), stage=stage, done=done, total=total):
            raise JobCancelledError("The job was cancelled")


def _alive(worker: str, seen: datetime) -> bool:
    """True while another process works on the job; `seen` is its last sign of life."""
    host, _, pid = worker.partition(":")
    if host != socket.gethostname():
        # SQLite gives times back without their zone.
        return utc_now() - seen.replace(tzinfo=seen.tzinfo or UTC) < timedelta(seconds=LOST_AFTER_S)
    return pid.isdigit() and int(pid) != os.getpid() and psutil.pid_exists(int(pid))
