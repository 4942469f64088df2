"""`lineside doctor`, `lineside backup` and `lineside restore`."""

import json
import shutil
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Literal

import typer

from assistant.app import Lineside, open_home, open_lineside
from assistant.backup import read_backup, write_backup
from assistant.errors import HomeInUseError, LinesideError, SettingsError
from assistant.settings import Settings, load_settings

LOW_DISK_GIB = 5.0


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at: how it stands, and what to do where it does not stand well."""

    name: str
    state: Literal["ok", "warning", "failed"]
    detail: str


def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="Print the findings as JSON.")] = False,
) -> int:
    """Look at this installation, part by part, and say what is missing."""
    try:
        findings = [Finding("settings", "ok", "all names and values are known"), *_examine(load_settings())]
    except SettingsError as problem:
        findings = [Finding("settings", "failed", str(problem))]
    if as_json:
        print(json.dumps([asdict(finding) for finding in findings], ensure_ascii=False))
    else:
        for finding in findings:
            print(f"{finding.state:8} {finding.name:14} {finding.detail}")
    return 1 if any(finding.state == "failed" for finding in findings) else 0


def backup(target: Annotated[Path, typer.Argument(help="The tar.gz file to write.")]) -> int:
    """Pack records, originals and vectors into one file; stop the application first."""
    settings = load_settings()
    _needs_local(settings)
    with open_lineside(settings) as lineside:
        home = lineside.home
    size = write_backup(home, target)
    typer.echo(f"{target}: {size / 2**20:.1f} MiB", err=True)
    return 0


def restore(source: Annotated[Path, typer.Argument(help="A file that lineside backup wrote.")]) -> int:
    """Unpack a backup into an empty LINESIDE_HOME."""
    settings = load_settings()
    _needs_local(settings)
    home = open_home(settings)
    read_backup(source, home)
    typer.echo(f"{home} restored from {source}", err=True)
    return 0


def _needs_local(settings: Settings) -> None:
    if settings.store.qdrant_url or settings.store.database_url:
        raise SettingsError(
            "This home keeps its data on servers (LINESIDE_QDRANT_URL or LINESIDE_DATABASE_URL)",
            "Use the servers' own backup, and copy the folder 'originals' beside it.",
        )


Outcome = tuple[Literal["ok", "warning", "failed"], str]


def _looked(name: str, look: Callable[[], Outcome]) -> Finding:
    try:
        return Finding(name, *look())
    except LinesideError as problem:
        return Finding(name, "failed", str(problem))


def _examine(settings: Settings) -> list[Finding]:
    findings = [
        _looked("python", lambda: ("ok", sys.version.split()[0])),
        _looked("home", lambda: _disk(open_home(settings))),
    ]
    try:
        with open_lineside(settings) as lineside:
            findings += _inside(lineside)
    except HomeInUseError as problem:
        findings.append(Finding("vectors", "warning", str(problem)))
    except LinesideError as problem:
        findings.append(Finding("vectors", "failed", str(problem)))
    return findings


def _inside(lineside: Lineside) -> list[Finding]:
    revisions = len(lineside.catalogue.revisions("visible"))
    held = f"{revisions} visible revisions, {lineside.store.count()} passages"
    model = lineside.settings.llm
    quoted = (
        f"{model.url} does not serve '{model.model}': passages are quoted. Start it with lineside llm serve."
    )
    return [
        Finding("embedder", "ok", lineside.embedder.name),
        Finding(
            "manuals",
            "ok" if revisions else "warning",
            held if revisions else "none yet: lineside ingest PATH",
        ),
        Finding("assets", "ok", f"{len(lineside.plant.assets())} on the register"),
        Finding("model server", "ok", model.url)
        if lineside.llm.ready()
        else Finding("model server", "warning", quoted),
    ]


def _disk(home: Path) -> Outcome:
    free = shutil.disk_usage(home).free / 2**30
    state: Literal["ok", "warning"] = "ok" if free >= LOW_DISK_GIB else "warning"
    return state, f"{home}, {free:.0f} GiB free"
