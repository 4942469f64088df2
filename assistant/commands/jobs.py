"""`lineside jobs`: files on their way in, and what became of them. Works while the application runs."""

import json
from typing import Annotated

import typer

from assistant.app import open_home
from assistant.contract import job_document
from assistant.errors import InputError
from assistant.jobs import JobQueue
from assistant.records.database import open_database
from assistant.settings import load_settings

app = typer.Typer(help="Uploaded files on their way in.", no_args_is_help=True)

JobId = Annotated[str, typer.Argument(help="The job, as `lineside jobs list` shows it.")]


@app.command("list")
def list_jobs(
    failed: Annotated[bool, typer.Option("--failed", help="Only those that came to nothing.")] = False,
    limit: Annotated[int, typer.Option(min=1, help="How many, newest first.")] = 50,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> int:
    """Show the latest jobs with state, progress and reason."""
    jobs = _queue().recent(limit, "failed" if failed else None)
    if as_json:
        typer.echo(json.dumps([job_document(job) for job in jobs], ensure_ascii=False))
    for job in [] if as_json else jobs:
        progress = f" {job.stage} {job.done}/{job.total}" if job.state == "running" and job.total else ""
        reason = f": {job.reason}" if job.reason else ""
        typer.echo(f"{job.id} {job.state:9} {job.document}{progress}{reason}")
    return 0


@app.command()
def retry(job_id: JobId) -> int:
    """Queue a failed job once more; it runs when the application or a worker does."""
    job = _queue().retry(job_id)
    typer.echo(f"{job.document} is queued", err=True)
    return 0


@app.command()
def cancel(job_id: JobId) -> int:
    """Stop a job that waits or runs; nothing of it becomes visible."""
    if not _queue().cancel(job_id):
        raise InputError(f"No job {job_id[:60]} waits or runs", "See `lineside jobs list`.")
    typer.echo("cancelled", err=True)
    return 0


def _queue() -> JobQueue:
    settings = load_settings()
    home = open_home(settings)
    return JobQueue(open_database(settings.store.database_url, home), home, settings.jobs)
