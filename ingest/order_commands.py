"""`lineside ingest-work-orders`: import a file of work orders, or show what an import would make of it."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from assistant.app import Lineside, open_home, open_lineside
from assistant.errors import InputError
from assistant.settings import load_settings
from ingest.order_file import Choices, ColumnPreview, Preview, open_orders, preview
from ingest.rejects import rejects_path, write_rejects
from ingest.work_orders import ImportOutcome, WorkOrders

SHOWN_REJECTS = 10
_STAGES = {"read": "reading", "embed": "embedding", "store": "storing"}
_DELIMITERS = {"\t": "tab", ",": "comma", ";": "semicolon", "|": "bar"}


def ingest_work_orders(
    file: Annotated[Path, typer.Argument(help="Work orders: CSV, XLSX, JSON or JSON Lines.")],
    mapping: Annotated[
        str | None,
        typer.Option(
            help="Preset (maximo, sap-pm, upkeep, maintainx, fiix), YAML/JSON file, "
            "'order=COLUMN,description=COLUMN', or 'guess' to set aside what was remembered."
        ),
    ] = None,
    date_order: Annotated[
        Literal["dmy", "mdy"] | None, typer.Option(help="How dates such as 03/04/2025 are meant.")
    ] = None,
    sheet: Annotated[str | None, typer.Option(help="Sheet of the workbook.")] = None,
    site: Annotated[str | None, typer.Option(help="Site of the orders, where no column tells it.")] = None,
    show: Annotated[
        bool, typer.Option("--preview", help="Show which column becomes what, and change nothing.")
    ] = False,
    rejects: Annotated[
        Path | None, typer.Option(help="CSV for rejected rows with reasons; by default in the home.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the outcome as JSON.")] = False,
) -> int:
    """Import work orders; the same order number again is an update, and a mapping given is remembered."""
    choices = Choices(mapping, date_order, sheet, site)
    settings = load_settings()
    if show:
        shown = preview(open_orders(file, open_home(settings), choices))
        if as_json:
            typer.echo(json.dumps(asdict(shown), ensure_ascii=False))
        else:
            _print_preview(shown)
        return 0
    if not file.is_file():
        raise InputError(f"{file} does not exist", "Check the path.")
    with open_lineside(settings) as lineside, _bar(file.name) as report:
        outcome = build_importer(lineside).ingest(file, choices, report)
        if outcome.added or outcome.updated or outcome.reindexed:
            lineside.store.optimize()
        place = rejects or rejects_path(lineside.home, outcome.document)
    write_rejects(place, outcome.headings, outcome.rejected)
    if as_json:
        told = {"rejects": str(place) if outcome.rejected else None}
        typer.echo(json.dumps({**asdict(outcome), **told}, ensure_ascii=False))
    else:
        _print_import(outcome, place)
    return 0 if not outcome.rejected else 1 if outcome.accepted else 2


def build_importer(lineside: Lineside) -> WorkOrders:
    """The importer over the open parts of this process."""
    return WorkOrders(
        lineside.store,
        lineside.embedder,
        lineside.sparse,
        lineside.plant,
        lineside.catalogue,
        lineside.home,
    )


@contextmanager
def _bar(name: str) -> Iterator[Callable[[str, int, int], None]]:
    """A progress bar on standard error."""
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.completed}/{task.total}"))
    with Progress(*columns, TimeElapsedColumn(), console=Console(stderr=True), transient=True) as bars:
        task = bars.add_task(name)
        yield lambda stage, done, total: bars.update(
            task, description=f"{name}: {_STAGES[stage]}", completed=done, total=total
        )


def _print_preview(shown: Preview) -> None:
    typer.echo(f"{shown.document}: {shown.rows} rows, {_form(shown)}; columns {shown.origin}")
    for column in (*shown.columns, *shown.unused):
        typer.echo(f"  {column.field or '(not used)':12} {column.column:24} {_samples(column)}")
    for remark in shown.remarks:
        typer.echo(f"  note: {remark}")


def _form(shown: Preview) -> str:
    told = [shown.form.upper()]
    if shown.encoding:
        told.append(shown.encoding)
    if shown.delimiter:
        told.append(f"cut by {_DELIMITERS.get(shown.delimiter, shown.delimiter)}")
    if shown.sheet:
        told.append(f"sheet {shown.sheet}")
    if shown.heading_row > 1:
        told.append(f"headings in row {shown.heading_row}")
    return ", ".join(told)


def _samples(column: ColumnPreview) -> str:
    return " | ".join(sample if len(sample) <= 40 else f"{sample[:39]}…" for sample in column.samples)


def _print_import(outcome: ImportOutcome, rejects: Path) -> None:
    taken = ", ".join(f"{ours} from {column}" for ours, column in outcome.columns.items())
    typer.echo(f"{outcome.document}: columns {outcome.origin}: {taken}", err=True)
    for remark in outcome.remarks:
        typer.echo(f"note: {remark}", err=True)
    counts = f"{outcome.added} added, {outcome.updated} updated, {outcome.unchanged} unchanged"
    if outcome.merged:
        counts += f", {outcome.merged} merged into an order that stands above them"
    typer.echo(f"{outcome.read} rows read: {counts}, {len(outcome.rejected)} rejected")
    seconds = ", ".join(f"{_STAGES[stage]} {spent} s" for stage, spent in outcome.seconds.items())
    typer.echo(f"{seconds}; {outcome.shorthand} words of shorthand learned", err=True)
    for rejected in outcome.rejected[:SHOWN_REJECTS]:
        typer.echo(f"  row {rejected.row}: {rejected.reason}")
    if outcome.rejected:
        typer.echo(f"  all {len(outcome.rejected)} rejected rows with reasons: {rejects}")
