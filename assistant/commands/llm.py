"""`lineside llm`: the model server."""

import time
from pathlib import Path
from typing import Annotated, Literal

import typer

from assistant.serving.plan import plan_server
from assistant.serving.process import ModelServer, until_stopped
from assistant.settings import load_settings

app = typer.Typer(help="The model server.", no_args_is_help=True)


@app.callback()
def group() -> None:
    """The model server."""


@app.command()
def serve(
    model: Annotated[str, typer.Option(help="Catalogue name, OWNER/NAME on a model hub, or folder.")] = "",
    adapter: Annotated[Path | None, typer.Option(help="Folder of a LoRA adapter to serve.")] = None,
    device: Annotated[Literal["auto", "cpu", "gpu"] | None, typer.Option(help="What it runs on.")] = None,
    port: Annotated[int | None, typer.Option(min=1, max=65535, help="Port on loopback.")] = None,
    timeout: Annotated[float, typer.Option(help="Seconds to wait until it answers.")] = 900.0,
) -> None:
    """Start vLLM and stay until Ctrl-C; says when it answers."""
    settings = load_settings()
    given = {"model": model or None, "adapter": adapter, "device": device, "port": port}
    chosen = settings.vllm.model_copy(update={name: value for name, value in given.items() if value})
    home = settings.store.root
    plan = plan_server(chosen, home, settings.llm.api_key.get_secret_value())
    log = home / "logs" / "vllm.log"
    server = ModelServer(plan, log)
    with until_stopped():
        try:
            server.start()
            typer.echo(f"vLLM loads {chosen.model} on the {plan.device.upper()}, log in {log}", err=True)
            seconds = server.wait(timeout)
            typer.echo(f"{plan.served_name} ready after {seconds:.0f} s at {plan.address}/v1", err=True)
            while True:
                server.check_alive()
                time.sleep(1)
        finally:
            server.stop()
    typer.echo("vLLM stopped", err=True)
