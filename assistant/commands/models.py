"""`lineside models`: the language models that can be fetched, and fetching them."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from assistant.errors import InputError
from assistant.models.catalogue import CATALOGUE, CatalogueModel, find_model
from assistant.models.fetch import ModelFolder
from assistant.models.sources import LocalFile, ModelHub, PackageMirror, Report, Source
from assistant.settings import ModelSettings, load_settings

app = typer.Typer(help="Language models: list and fetch.", no_args_is_help=True)

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]


@app.command("list")
def list_models(as_json: AsJson = False) -> None:
    """Show what the catalogue knows and what is ready here."""
    folder = ModelFolder(load_settings().store.root / "models")
    rows = [
        {
            "name": model.name,
            "licence": model.licence,
            "base": model.base,
            "bytes": model.file_bytes,
            "sha256": model.sha256,
            "ready": folder.is_ready(model),
            "path": str(folder.path(model)),
        }
        for model in CATALOGUE
    ]
    if as_json:
        print(json.dumps({"models": rows}, ensure_ascii=False))
        return
    for model in CATALOGUE:
        state = "ready" if folder.is_ready(model) else f"not here, {model.file_bytes / 1e6:.0f} MB to fetch"
        print(f"{model.name:32} {model.licence:12} {state}")


@app.command()
def fetch(
    names: Annotated[
        list[str] | None, typer.Argument(help="Names from the catalogue; default: the one served.")
    ] = None,
    file: Annotated[
        Path | None, typer.Option("--from", help="The model's GGUF file, brought by hand.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Download, verify and convert models; what is ready already stays as it is."""
    settings = load_settings()
    models = [find_model(name) for name in names or [settings.vllm.model]]
    if file and len(models) > 1:
        raise InputError("--from brings one model", "Name just that one.")
    folder = ModelFolder(settings.store.root / "models")
    done = []
    for model in models:
        with _progress(model.name) as report:
            outcome = folder.fetch(model, choose_sources(model, file, settings.models), report)
        typer.echo(f"{model.name}: {outcome.status}, {outcome.seconds:.0f} s, {outcome.folder}", err=True)
        done.append(
            {
                "name": outcome.name,
                "status": outcome.status,
                "source": outcome.source,
                "seconds": round(outcome.seconds, 1),
                "path": str(outcome.folder),
            }
        )
    if as_json:
        print(json.dumps({"models": done}, ensure_ascii=False))


def choose_sources(model: CatalogueModel, file: Path | None, settings: ModelSettings) -> list[Source]:
    """In order: the file named, the folder of files, the hub where it is allowed, the package mirror."""
    if file:
        return [LocalFile(file)]
    sources: list[Source] = []
    if settings.folder and (settings.folder / model.file).is_file():
        sources.append(LocalFile(settings.folder / model.file))
    if settings.hub:
        sources.append(ModelHub())
    return [*sources, PackageMirror()]


@contextmanager
def _progress(name: str) -> Iterator[Report]:
    console = Console(stderr=True)
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task(name, total=1.0)

        def report(doing: str, share: float) -> None:
            if not console.is_terminal:
                typer.echo(f"{name}: {doing}", err=True)
            progress.update(task, description=f"{name}: {doing}", completed=share)

        yield report
