"""Uploads run one after the other, tell how far they are, and survive what goes wrong."""

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

import assistant.jobs
from assistant.errors import StorageError
from assistant.jobs import Job, JobCancelledError, JobQueue, Progress
from assistant.records.database import open_database
from assistant.schema import IngestOutcome


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = open_database("", tmp_path)
    yield engine
    engine.dispose()


@pytest.fixture
def queue(engine: Engine, tmp_path: Path) -> Iterator[JobQueue]:
    queue = JobQueue(engine, tmp_path)
    yield queue
    queue.stop()


def until(check: Callable[[], bool], seconds: float = 15.0) -> None:
    end = time.monotonic() + seconds
    while not check():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.02)


def reads_ten_pages(job: Job, progress: Progress) -> IngestOutcome:
    for page in range(11):
        progress("read", page, 10)
    return IngestOutcome(job.document, "r1", "ingested", pages=10, chunks=42, ocr_pages=2)


def state_is(queue: JobQueue, job: Job, state: str) -> Callable[[], bool]:
    return lambda: (found := queue.get(job.id)) is not None and found.state == state


def test_a_job_runs_and_keeps_its_outcome(queue: JobQueue) -> None:
    job = queue.submit(Path("a.pdf"), "a.pdf", asset="PR-01", label="B", user="mia")
    assert job.state == "queued"
    queue.start(reads_ten_pages)
    until(state_is(queue, job, "done"))
    found = queue.get(job.id)
    assert found is not None
    assert (found.status, found.pages, found.chunks, found.ocr_pages) == ("ingested", 10, 42, 2)
    assert (found.stage, found.done, found.total) == ("read", 10, 10)
    assert (found.asset, found.label, found.user) == ("PR-01", "B", "mia")


def test_recent_jobs_come_newest_first(queue: JobQueue) -> None:
    names = [queue.submit(Path(name), name).document for name in ("1.pdf", "2.pdf", "3.pdf")]
    assert [job.document for job in queue.recent(2)] == names[:0:-1]


def test_a_rejected_file_fails_with_its_reason_and_does_not_stop_the_next(queue: JobQueue) -> None:
    def handler(job: Job, progress: Progress) -> IngestOutcome:
        if job.document == "broken.pdf":
            return IngestOutcome(job.document, "", "rejected", reason="broken.pdf is damaged")
        if job.document == "crash.pdf":
            raise RuntimeError("surprise")
        return reads_ten_pages(job, progress)

    broken, crash, good = (queue.submit(Path(n), n) for n in ("broken.pdf", "crash.pdf", "good.pdf"))
    queue.start(handler)
    until(state_is(queue, good, "done"))
    reasons = [
        found.reason for job in (broken, crash) if (found := queue.get(job.id)) and found.state == "failed"
    ]
    assert reasons == ["broken.pdf is damaged", "crash.pdf could not be ingested: surprise"]


def test_what_may_pass_is_tried_again(queue: JobQueue, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(assistant.jobs, "RETRY_DELAYS_S", (0, 0))
    attempts: list[int] = []

    def handler(job: Job, progress: Progress) -> IngestOutcome:
        attempts.append(job.attempts)
        if len(attempts) < 3:
            raise StorageError("The disk is full")
        return reads_ten_pages(job, progress)

    job = queue.submit(Path("a.pdf"), "a.pdf")
    queue.start(handler)
    until(state_is(queue, job, "done"))
    assert attempts == [0, 1, 2]


def test_retries_end(queue: JobQueue, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(assistant.jobs, "RETRY_DELAYS_S", (0,))

    def handler(_job: Job, _progress: Progress) -> IngestOutcome:
        raise StorageError("The disk is full", "Free some disk space.")

    job = queue.submit(Path("a.pdf"), "a.pdf")
    queue.start(handler)
    until(state_is(queue, job, "failed"))
    found = queue.get(job.id)
    assert found is not None and found.reason == "The disk is full. Free some disk space."


def test_a_running_job_can_be_cancelled(queue: JobQueue) -> None:
    begun, over = threading.Event(), threading.Event()

    def handler(job: Job, progress: Progress) -> IngestOutcome:
        try:
            for page in range(100_000):
                progress("read", page, page)
                begun.set()
                time.sleep(0.01)
        except JobCancelledError:
            over.set()
            raise
        return IngestOutcome(job.document, "r1", "ingested")

    job = queue.submit(Path("a.pdf"), "a.pdf")
    queue.start(handler)
    assert begun.wait(10)
    assert queue.cancel(job.id)
    assert over.wait(10)
    assert state_is(queue, job, "cancelled")()
    assert not queue.cancel(job.id)


def test_a_cancelled_job_that_waits_never_runs(queue: JobQueue) -> None:
    ran: list[str] = []

    def handler(job: Job, progress: Progress) -> IngestOutcome:
        ran.append(job.document)
        return reads_ten_pages(job, progress)

    first, second = queue.submit(Path("1.pdf"), "1.pdf"), queue.submit(Path("2.pdf"), "2.pdf")
    assert queue.cancel(first.id)
    queue.start(handler)
    until(state_is(queue, second, "done"))
    assert ran == ["2.pdf"]


def test_a_job_that_a_killed_process_left_running_is_done_after_restart(
    engine: Engine, queue: JobQueue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def dies(_job: Job, _progress: Progress) -> IngestOutcome:
        raise SystemExit

    job = queue.submit(Path("a.pdf"), "a.pdf")
    # A process that is gone: its job stays in state 'running' under an id that no process has.
    with monkeypatch.context() as patched:
        patched.setattr(assistant.jobs.os, "getpid", lambda: 2**22 + 1)
        queue._handler = dies
        with pytest.raises(SystemExit):
            queue._work(job.id)
    assert state_is(queue, job, "running")()
    again = JobQueue(engine, tmp_path)
    again.start(reads_ten_pages)
    try:
        until(state_is(again, job, "done"))
    finally:
        again.stop()
