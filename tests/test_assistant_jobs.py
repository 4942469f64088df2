"""Uploads run one after the other, tell how far they are, and survive what goes wrong."""

import json
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

import assistant.jobs
import ingest.sandbox
from assistant.errors import InputError, SettingsError, StorageError
from assistant.jobs import Job, JobCancelledError, JobQueue, Progress
from assistant.records.database import open_database
from assistant.schema import IngestOutcome
from assistant.settings import IngestSettings, JobSettings
from assistant.slots import Slots


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
    for job, state in ((broken, "failed"), (crash, "failed"), (good, "done")):
        until(state_is(queue, job, state))
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


def test_uploads_go_when_their_job_is_over_and_stay_while_another_try_may_help(
    queue: JobQueue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(assistant.jobs, "RETRY_DELAYS_S", ())
    full = True

    def handler(job: Job, progress: Progress) -> IngestOutcome:
        if job.document == "rejected.md":
            return IngestOutcome(job.document, "", "rejected", reason="no text")
        if full:
            raise StorageError("The disk is full")
        return reads_ten_pages(job, progress)

    def upload(name: str) -> Job:
        path = tmp_path / "uploads" / name.removesuffix(".md") / name
        path.parent.mkdir(parents=True)
        path.write_text("# X", encoding="utf-8")
        return queue.submit(path, name)

    rejected, cancelled, unlucky = (upload(f"{name}.md") for name in ("rejected", "cancelled", "unlucky"))
    queue.cancel(cancelled.id)
    queue.start(handler)
    until(state_is(queue, unlucky, "failed"))
    until(state_is(queue, rejected, "failed"))
    until(lambda: [path.name for path in (tmp_path / "uploads").iterdir()] == ["unlucky"])
    with pytest.raises(InputError, match=r"rejected.md was rejected and is not kept. Upload it again"):
        queue.retry(rejected.id)
    full = False
    queue.retry(unlucky.id)
    until(state_is(queue, unlucky, "done"))
    until(lambda: not list((tmp_path / "uploads").iterdir()))
    assert [job.document for job in queue.recent(state="failed")] == ["rejected.md"]


def test_files_that_hang_delay_no_other_and_are_given_up_at_their_wall_clock(
    workshop: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Real parser processes; those of the hanging files are stopped by a signal and never go on."""
    real = ingest.sandbox.subprocess.Popen

    def starts(command: list[str], **options: Any) -> Any:
        child = real(command, **options)
        if any(part.endswith("hang.md") for part in command):
            child.send_signal(signal.SIGSTOP)
        return child

    monkeypatch.setattr(ingest.sandbox.subprocess, "Popen", starts)
    monkeypatch.setattr("assistant.jobs.Slots", partial(Slots, patience_s=3))
    workshop.ingestor._settings = IngestSettings(timeout_s=25)
    names = ["a-hang.md", "b-hang.md", "1.md", "2.md"]
    jobs = [workshop.jobs.submit(workshop.write(name), name) for name in names]
    workshop.jobs.start(
        lambda job, progress: workshop.ingestor.ingest(job.path, job.document, progress=progress), workers=2
    )
    try:
        for job in jobs[2:]:
            until(state_is(workshop.jobs, job, "done"), 24)
        for job in jobs[:2]:
            assert state_is(workshop.jobs, job, "running")()
        for job in jobs[:2]:
            until(state_is(workshop.jobs, job, "failed"), 40)
            assert "hang.md took longer than 25 s to read" in workshop.jobs.get(job.id).reason
    finally:
        workshop.jobs.stop()


def test_stopping_interrupts_a_silent_parser_within_seconds_and_the_job_is_done_later(
    workshop: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, stop_it = ingest.sandbox.subprocess.Popen, True

    def starts(command: list[str], **options: Any) -> Any:
        child = real(command, **options)
        if stop_it:
            child.send_signal(signal.SIGSTOP)
        return child

    monkeypatch.setattr(ingest.sandbox.subprocess, "Popen", starts)
    job = workshop.jobs.submit(workshop.write("pump.md"), "pump.md")

    def handler(job: Job, progress: Progress) -> IngestOutcome:
        outcome: IngestOutcome = workshop.ingestor.ingest(job.path, job.document, progress=progress)
        return outcome

    workshop.jobs.start(handler)
    until(state_is(workshop.jobs, job, "running"))
    start = time.monotonic()
    workshop.jobs.stop()
    assert time.monotonic() - start < 9 and state_is(workshop.jobs, job, "queued")()
    stop_it = False
    again = JobQueue(workshop.engine, workshop.home)
    again.start(handler)
    try:
        until(state_is(again, job, "done"), 30)
    finally:
        again.stop()
    assert workshop.states() and len(workshop.visible()) == 2


@pytest.fixture
def redis_url() -> Iterator[str]:
    """LINESIDE_JOBS_URL, or a stand-in that speaks Redis's protocol on a port of its own."""
    given = os.environ.get("LINESIDE_JOBS_URL")
    if given:
        yield given
        return
    fakeredis = pytest.importorskip("fakeredis")
    server = fakeredis.TcpFakeServer(("127.0.0.1", 0), server_type="redis")
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"redis://127.0.0.1:{server.server_address[1]}/0"
    server.shutdown()
    server.server_close()
    thread.join(5)


def test_workers_share_the_jobs_of_one_redis(engine: Engine, tmp_path: Path, redis_url: str) -> None:
    """Two queues on one Redis, as two processes have them: each job is done once, retries included."""
    settings = JobSettings(url=redis_url, workers=1)
    here, there = JobQueue(engine, tmp_path, settings), JobQueue(engine, tmp_path, settings)
    done: list[tuple[str, str]] = []

    def handler(name: str) -> Callable[[Job, Progress], IngestOutcome]:
        def handle(job: Job, progress: Progress) -> IngestOutcome:
            time.sleep(0.1)
            if job.document == "4.pdf" and not job.attempts:
                raise StorageError("The engine is not reachable")
            done.append((name, job.document))
            return reads_ten_pages(job, progress)

        return handle

    names = [f"{number}.pdf" for number in range(8)]
    jobs = [here.submit(Path(name), name) for name in names]
    here.start(handler("here"))
    there.start(handler("there"))
    try:
        for job in jobs:
            until(state_is(here, job, "done"), 40)
    finally:
        here.stop()
        there.stop()
    assert sorted(document for _, document in done) == names
    assert {name for name, _ in done} == {"here", "there"}


def test_a_job_is_not_lost_while_redis_is_away(
    engine: Engine, tmp_path: Path, unused_port: int, caplog: pytest.LogCaptureFixture
) -> None:
    pytest.importorskip("redis")
    away = JobQueue(engine, tmp_path, JobSettings(url=f"redis://127.0.0.1:{unused_port}/0"))
    job = away.submit(Path("a.pdf"), "a.pdf")
    assert "the queue cannot be reached" in caplog.text
    back = JobQueue(engine, tmp_path)
    back.start(reads_ten_pages)
    try:
        until(state_is(back, job, "done"))
    finally:
        back.stop()


def test_a_queue_that_is_no_redis_is_refused_in_one_line(engine: Engine, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="LINESIDE_JOBS_URL is 'http://x'"):
        JobQueue(engine, tmp_path, JobSettings(url="http://x"))


def test_the_command_line_lists_cancels_and_tries_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from assistant.commands.jobs import cancel, list_jobs, retry

    monkeypatch.setenv("LINESIDE_HOME", str(tmp_path))
    engine = open_database("", tmp_path)
    job = JobQueue(engine, tmp_path).submit(Path("a.pdf"), "a.pdf", user="mia")
    engine.dispose()
    assert list_jobs(as_json=True) == 0
    assert [(told["id"], told["state"]) for told in json.loads(capsys.readouterr().out)] == [
        (job.id, "queued")
    ]
    assert cancel(job.id) == 0
    with pytest.raises(InputError, match="No job"):
        cancel(job.id)
    with pytest.raises(InputError, match="No failed job"):
        retry(job.id)
    assert list_jobs(failed=True) == 0


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
