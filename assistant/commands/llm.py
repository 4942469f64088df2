"""`lineside llm`: the model server."""

import typer

app = typer.Typer(help="The model server.", no_args_is_help=True)


@app.callback()
def group() -> None:
    """The model server."""
