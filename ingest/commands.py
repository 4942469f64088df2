"""`lineside ingest`, `lineside ingest-work-orders`, `lineside worker`, and the handler of uploaded files."""

import csv
import json
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict
from itertools import zip_longest
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from assistant.app import Lineside, open_lineside
from assistant.errors import InputError
from assistant.jobs import Job
from assistant.jobs import Progress as JobProgress
from assistant.schema import IngestOutcome
from assistant.settings import load_settings
from ingest.files import Candidate, find_files
from ingest.pipeline import Ingestor, Reading
from ingest.work_orders import ImportOutcome, WorkOrders

STAGES = {
    "read": "reading pages",
    "embed": "embedding",
    "store": "storing",
    "check": "checking",
    "publish": "publishing",
}
SHOWN_REJECTS = 10


def ingest(
    paths: Annotated[list[Path], typer.Argument(help="Manuals: files or folders.")],
    asset: Annotated[str | None, typer.Option(help="Tag of the machine they hold for.")] = None,
    model: Annotated[str | None, typer.Option(help="Model they hold for.")] = None,
    revision: Annotated[str | None, typer.Option(help="What the revision is called on paper.")] = None,
    serials: Annotated[str, typer.Option(help="Serial numbers they hold for: FROM-TO, FROM- or -TO.")] = "",
    review: Annotated[
        bool, typer.Option("--review", help="Stop before publishing: see lineside documents report.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the outcomes as JSON.")] = False,
) -> int:
    """Make manuals answerable: PDF, Markdown, HTML or text; the same bytes a second time change nothing."""
    candidates = find_files(paths)
    with open_lineside(load_settings()) as lineside, _shown() as show:
        ingestor = build_ingestor(lineside)

        def read(candidate: Candidate) -> Reading | IngestOutcome:
            return ingestor.read(
                candidate.path,
                candidate.document,
                asset=asset,
                model=model,
                label=revision,
                serials=serials,
                progress=show(candidate.document),
            )

        outcomes = [
            found
            if isinstance(found, IngestOutcome)
            else ingestor.publish(found, show(candidate.document), review=review)
            for candidate, found in read_ahead(candidates, read)
        ]
        if any(outcome.status in {"ingested", "superseded", "ready"} for outcome in outcomes):
            lineside.store.optimize()
    if as_json:
        typer.echo(json.dumps([asdict(outcome) for outcome in outcomes], ensure_ascii=False))
    else:
        _print_outcomes(outcomes)
    rejected = sum(outcome.status == "rejected" for outcome in outcomes)
    return 0 if not rejected else 2 if rejected == len(outcomes) else 1


def read_ahead(
    candidates: Sequence[Candidate], read: Callable[[Candidate], Reading | IngestOutcome]
) -> Iterator[tuple[Candidate, Reading | IngestOutcome]]:
    """Reads each file while the one before it is being embedded: parsing has a process of its own."""
    with ThreadPoolExecutor(max_workers=1) as reader:
        ahead = reader.submit(read, candidates[0])
        for candidate, following in zip_longest(candidates, candidates[1:]):
            found = ahead.result()
            if following is not None:
                ahead = reader.submit(read, following)
            yield candidate, found


def ingest_work_orders(
    file: Annotated[Path, typer.Argument(help="CSV of work orders.")],
    mapping: Annotated[
        str | None,
        typer.Option(help="Preset (maximo, sap-pm, upkeep, maintainx, fiix) or a YAML/JSON file."),
    ] = None,
    rejects: Annotated[Path | None, typer.Option(help="CSV to write rejected rows to, with reasons.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the outcome as JSON.")] = False,
) -> int:
    """Import work orders; the same order number again is an update."""
    if not file.is_file():
        raise InputError(f"{file} does not exist", "Check the path.")
    with open_lineside(load_settings()) as lineside, _shown() as show:
        importer = WorkOrders(lineside.store, lineside.embedder, lineside.sparse, lineside.plant)
        outcome = importer.ingest(file, mapping, show(file.name))
        if outcome.added or outcome.updated:
            lineside.store.optimize()
    if rejects and outcome.rejected:
        _write_rejects(rejects, outcome)
    if as_json:
        typer.echo(json.dumps(asdict(outcome), ensure_ascii=False))
    else:
        _print_import(outcome)
    return 0 if not outcome.rejected else 1 if outcome.accepted else 2


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


def build_ingestor(lineside: Lineside) -> Ingestor:
    """The pipeline over the open parts of this process."""
    return Ingestor(
        lineside.catalogue,
        lineside.store,
        lineside.embedder,
        lineside.sparse,
        lineside.files,
        lineside.settings.ingest,
        lineside.plant,
        lineside.reports,
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
    with Progress(*columns, TimeElapsedColumn(), console=Console(stderr=True), transient=True) as bars:
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


def _print_import(outcome: ImportOutcome) -> None:
    taken = ", ".join(f"{ours} from {column}" for ours, column in outcome.columns.items())
    typer.echo(f"{outcome.document}: {taken}", err=True)
    typer.echo(
        f"{outcome.read} rows read: {outcome.added} added, {outcome.updated} updated, "
        f"{outcome.unchanged} unchanged, {len(outcome.rejected)} rejected"
    )
    for rejected in outcome.rejected[:SHOWN_REJECTS]:
        typer.echo(f"  row {rejected.row}: {rejected.reason}")
    if len(outcome.rejected) > SHOWN_REJECTS:
        typer.echo(f"  … {len(outcome.rejected) - SHOWN_REJECTS} more; --rejects FILE.csv writes all")


def _write_rejects(path: Path, outcome: ImportOutcome) -> None:
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(("row", "reason"))
        writer.writerows((rejected.row, rejected.reason) for rejected in outcome.rejected)
