"""`lineside documents`: what is held, in which revisions, how well it was read, and what is decided about it.

Publishing, rolling back and listing need the records only, and work while the application runs.
"""

import json
from dataclasses import asdict
from typing import Annotated, Any

import typer

from assistant.app import open_home, open_lineside
from assistant.errors import HomeInUseError, InputError, LinesideError
from assistant.records.audit import Audit
from assistant.records.catalogue import Catalogue, Revision
from assistant.records.database import open_database
from assistant.records.quality import QualityReport, QualityReports
from assistant.revisions import Revisions
from assistant.settings import load_settings

app = typer.Typer(help="The manuals that are held, and their revisions.", no_args_is_help=True)

BY_COMMAND = "command line"
SHOWN = 20
Document = Annotated[str, typer.Argument(help="As `lineside documents list` shows it, or a revision's id.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
FINDINGS = {
    "no_text": "no text",
    "low_confidence": "read with low confidence",
    "few_words": "few words beside its neighbours",
    "undecodable": "characters that cannot be decoded",
    "remark": "remark",
}


@app.command("list")
def list_documents(
    every: Annotated[bool, typer.Option("--all", help="Also those that are not in force.")] = False,
    as_json: AsJson = False,
) -> int:
    """Show what can be asked, or everything that is held."""
    held = _Records().catalogue.revisions(None if every else "visible")
    if as_json:
        typer.echo(json.dumps([asdict(revision) for revision in held], ensure_ascii=False, default=str))
    for revision in [] if as_json else held:
        since = f"{revision.published_at:%Y-%m-%d}" if revision.published_at else "-"
        holds_for = ", ".join(revision.applies_to).upper() or "whole plant"
        serials = f" serials {revision.serials}" if revision.serials else ""
        counts = f"{revision.pages} pages, {revision.chunks} chunks, since {since}, {holds_for}{serials}"
        typer.echo(f"{revision.state:9} {revision.id} {revision.document}  {revision.label}  {counts}")
    return 0


@app.command()
def report(document: Document, as_json: AsJson = False) -> int:
    """Show how well a manual was read, page by page."""
    records = _Records()
    found = records.revisions.find(document)
    newest = next((r for r in found if r.state == "ready"), None) or found[-1]
    held = records.reports.get(newest.id)
    if held is None:
        raise InputError(
            f"{newest.document} {newest.label} has no report", "It was read before there were any."
        )
    if as_json:
        typer.echo(json.dumps(asdict(held), ensure_ascii=False))
    else:
        _print_report(newest, held)
    return 0


@app.command()
def publish(document: Document) -> int:
    """Put a revision that waits for approval in force; the one before it is kept."""
    records = _Records()
    revision = records.revisions.publish(document)
    records.audit.note(BY_COMMAND, "published", _named(revision))
    typer.echo(f"{_named(revision)} is in force", err=True)
    return 0


@app.command()
def rollback(
    document: Document,
    to: Annotated[str, typer.Option(help="Label or id of the revision; by default the one before.")] = "",
) -> int:
    """Put an earlier revision back in force; the one that was stays hidden until it is published again."""
    records = _Records()
    withdrawn, restored = records.revisions.roll_back(document, to)
    records.audit.note(BY_COMMAND, "rolled back", f"{_named(withdrawn)} to {restored.label}")
    typer.echo(f"{_named(restored)} is in force, {withdrawn.label} is withdrawn", err=True)
    return 0


@app.command()
def reject(document: Document) -> int:
    """Remove a revision that waits for approval, with every trace of it."""
    records = _Records()
    revision = records.revisions.reject(document)
    records.audit.note(BY_COMMAND, "rejected", _named(revision))
    return _clear(f"{_named(revision)} is rejected")


@app.command()
def delete(document: Document) -> int:
    """Remove a document with all its revisions of this name, and every trace of it."""
    records = _Records()
    gone = records.revisions.delete(document)
    records.audit.note(BY_COMMAND, "deleted", ", ".join(map(_named, gone)))
    code = _clear(f"{', '.join(map(_named, gone))}: deleted")
    kin = [r for r in records.catalogue.family(gone[0].family) if r.state != "deleting"]
    if kin:
        typer.echo(f"Still held: {', '.join(map(_named, kin))}", err=True)
    return code


class _Records:
    """The parts that need the database only."""

    def __init__(self) -> None:
        settings = load_settings()
        engine = open_database(settings.store.database_url, open_home(settings))
        self.catalogue, self.reports, self.audit = Catalogue(engine), QualityReports(engine), Audit(engine)
        self.revisions = Revisions(self.catalogue)


def _clear(done: str) -> int:
    """Opening the home clears away what is being deleted."""
    try:
        with open_lineside(load_settings()):
            typer.echo(done, err=True)
            return 0
    except HomeInUseError as problem:
        raise LinesideError(
            f"{done}; it is hidden, but the home is in use and its files remain",
            "They are removed when Lineside is next started.",
        ) from problem


def _named(revision: Revision) -> str:
    return f"{revision.document} ({revision.label})"


def _print_report(revision: Revision, held: QualityReport) -> None:
    confidence = "" if held.confidence is None else f", mean confidence {held.confidence:.2f}"
    notices = ", ".join(f"{count} {word}" for word, count in held.notices.items()) or "none"
    rows: list[tuple[str, Any]] = [
        ("verdict", held.verdict),
        ("pages", f"{held.pages}, {held.words} words in {held.chunks} passages"),
        ("without text", _numbers(held.pages_without_text)),
        ("read by OCR", _numbers([page.page for page in held.ocr_pages]) + confidence),
        ("tables", f"{held.table_rows} rows on pages {_numbers(held.table_pages)}"),
        ("fault codes", f"{len(held.codes)} {' '.join(held.codes[:SHOWN])}"),
        ("notices", notices),
        ("figures", held.figures),
        ("dropped", f"{held.dropped_blocks} pieces of text that no passage holds"),
    ]
    typer.echo(f"{_named(revision)}, {revision.state}")
    for name, value in rows:
        typer.echo(f"  {name:13} {value}")
    for finding in held.suspicious:
        typer.echo(f"  page {finding.page}: {FINDINGS[finding.kind]} {finding.detail}".rstrip())
    for dropped in held.dropped[:SHOWN]:
        typer.echo(f"  page {dropped.page} dropped: {dropped.text}")


def _numbers(pages: list[int] | tuple[int, ...]) -> str:
    shown = ", ".join(map(str, pages[:SHOWN]))
    return f"{shown} and {len(pages) - SHOWN} more" if len(pages) > SHOWN else shown or "none"
