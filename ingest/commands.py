"""`lineside ingest`, `lineside worker`, and the handler of uploaded files."""

import json
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bars

from assistant.app import Lineside, open_lineside
from assistant.jobs import Job
from assistant.jobs import Progress as JobProgress
from assistant.schema import IngestOutcome
from assistant.settings import load_settings
from ingest.bulk import ingest_all
from ingest.engines import Engine, EngineName, open_engine
from ingest.files import Candidate, find_files
from ingest.pipeline import Ingestor, Progress
from ingest.sandbox import parse_in_sandbox

STAGES = {
    "read": "reading pages",
    "embed": "embedding",
    "store": "storing",
    "check": "checking",
    "publish": "publishing",
}


def ingest(
    paths: Annotated[list[Path], typer.Argument(help="Manuals: files or folders.")],
    asset: Annotated[str | None, typer.Option(help="Tag of the machine they hold for.")] = None,
    model: Annotated[str | None, typer.Option(help="Model they hold for.")] = None,
    revision: Annotated[str | None, typer.Option(help="What the revision is called on paper.")] = None,
    serials: Annotated[str, typer.Option(help="Serial numbers they hold for: FROM-TO, FROM- or -TO.")] = "",
    review: Annotated[
        bool, typer.Option("--review", help="Stop before publishing: see lineside documents report.")
    ] = False,
    engine: Annotated[
        EngineName, typer.Option(help="Where to parse and embed: local, or over a Ray cluster.")
    ] = "local",
    as_json: Annotated[bool, typer.Option("--json", help="Print the outcomes as JSON.")] = False,
) -> int:
    """Make manuals answerable: PDF, Markdown, HTML or text; the same bytes a second time change nothing."""
    candidates, settings = find_files(paths), load_settings()
    with (
        open_lineside(settings) as lineside,
        open_engine(engine, lineside.embedder, settings) as running,
        _shown() as show,
    ):
        ingestor = build_ingestor(lineside, running)

        def work(candidate: Candidate, progress: Progress) -> IngestOutcome:
            return ingestor.ingest(
                candidate.path,
                candidate.document,
                asset=asset,
                model=model,
                label=revision,
                serials=serials,
                review=review,
                progress=progress,
            )

        outcomes = list(ingest_all(candidates, work, show, running.workers))
        if any(outcome.status in {"ingested", "superseded", "ready"} for outcome in outcomes):
            lineside.store.optimize()
    if as_json:
        typer.echo(json.dumps([asdict(outcome) for outcome in outcomes], ensure_ascii=False))
    else:
        _print_outcomes(outcomes)
    rejected = sum(outcome.status == "rejected" for outcome in outcomes)
    return 0 if not rejected else 2 if rejected == len(outcomes) else 1


def worker() -> int:
    """Ingest uploaded files until stopped; needs a Qdrant server when `lineside serve` runs too."""
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda _number, _frame: stop.set())
    with open_lineside(load_settings()) as lineside:
        lineside.jobs.start(ingest_handler(lineside))
        typer.echo("lineside: waiting for uploads, Ctrl-C ends", err=True)
        stop.wait()
        lineside.jobs.stop()
    return 0


def build_ingestor(lineside: Lineside, engine: Engine | None = None) -> Ingestor:
    """The pipeline over the open parts of this process; without an engine it parses and embeds here."""
    return Ingestor(
        lineside.catalogue,
        lineside.store,
        engine.embedder if engine else lineside.embedder,
        lineside.sparse,
        lineside.files,
        lineside.settings.ingest,
        lineside.plant,
        lineside.reports,
        parse=engine.parse if engine else parse_in_sandbox,
    )


def ingest_handler(lineside: Lineside) -> Callable[[Job, JobProgress], IngestOutcome]:
    """What the job queue calls for an uploaded file; entry point of group lineside.ingest_handler."""
    ingestor = build_ingestor(lineside)

    def handle(job: Job, progress: JobProgress) -> IngestOutcome:
        return ingestor.ingest(
            job.path,
            job.document,
            asset=job.asset,
            model=job.model,
            label=job.label or None,
            review=lineside.settings.ingest.review,
            progress=progress,
        )

    return handle


@contextmanager
def _shown() -> Iterator[Callable[[str], Callable[[str, int, int], None]]]:
    """Progress bars on standard error: one line per file at work."""
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.completed}/{task.total}"))
    with Bars(*columns, TimeElapsedColumn(), console=Console(stderr=True), transient=True) as bars:
        tasks: dict[str, TaskID] = {}

        def show(document: str) -> Callable[[str, int, int], None]:
            def report(stage: str, done: int, total: int) -> None:
                if document not in tasks:
                    tasks[document] = bars.add_task(document)
                text = f"{document}: {STAGES.get(stage, stage)}"
                bars.update(tasks[document], description=text, completed=done, total=total)
                if stage == "publish":
                    bars.remove_task(tasks.pop(document))

            return report

        yield show


def _print_outcomes(outcomes: list[IngestOutcome]) -> None:
    for outcome in outcomes:
        counts = f"{outcome.pages} pages, {outcome.chunks} chunks"
        if outcome.ocr_pages:
            counts += f", {outcome.ocr_pages} read by OCR"
        told = f" ({outcome.reason})" if outcome.reason else ""
        shown = outcome.reason if outcome.status == "rejected" else f"{counts}{told}"
        typer.echo(f"{outcome.status:10} {outcome.document}: {shown}")
