"""`lineside run`: demonstration plant, model server and application together, for the first look."""

from pathlib import Path

import typer

from assistant.launch import Launch
from assistant.serving.process import until_stopped
from assistant.settings import load_settings

PLANT = Path(__file__).parents[2] / "demo"


def run() -> None:
    """Load the demonstration plant, start the model server and the application; Ctrl-C ends all."""
    with until_stopped():
        Launch(load_settings(), PLANT, lambda line: typer.echo(line, err=True)).run()
    typer.echo("stopped", err=True)
