"""`lineside serve`: the web application, and the thread that ingests what supervisors upload."""

import os
import socket
import sys
from collections.abc import Callable
from importlib.metadata import entry_points
from typing import Annotated

import typer

from assistant.app import Lineside, open_lineside
from assistant.errors import InputError, MissingExtraError
from assistant.jobs import Handler
from assistant.serving.process import until_stopped
from assistant.settings import load_settings

INGEST_HANDLER = "lineside.ingest_handler"
# Open pages hold a stream each; on Ctrl-C they are closed after this long.
CLOSING_S = 3


def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on; default from the settings.")] = None,
    port: Annotated[int | None, typer.Option(min=1, max=65535, help="Default from the settings.")] = None,
) -> int:
    """Run the web application until Ctrl-C."""
    settings = load_settings()
    host, port = host or settings.web.host, port or settings.web.port
    with (
        _listening(host, port) as listener,
        until_stopped() as asked_to_stop,
        open_lineside(settings) as lineside,
    ):
        # Gradio keeps what is uploaded through a page here until it is handed to the queue.
        os.environ.setdefault("GRADIO_TEMP_DIR", str(lineside.home / "uploads" / "gradio"))
        import uvicorn

        from assistant.web.app import create_app

        app = create_app(lineside)
        lineside.jobs.start(_ingest_handler(lineside))
        try:
            print(f"lineside: http://{host}:{port} (Ctrl-C ends)", file=sys.stderr, flush=True)
            config = uvicorn.Config(
                app, log_level="warning", access_log=False, timeout_graceful_shutdown=CLOSING_S
            )
            if not asked_to_stop.is_set():
                uvicorn.Server(config).run(sockets=[listener])
        finally:
            lineside.jobs.stop()
    return 0


def _listening(host: str, port: int) -> socket.socket:
    """A bound socket, before anything slow is loaded.

    Raises:
        InputError: the port is taken, or the address is none of this machine's.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as problem:
        listener.close()
        raise InputError(
            f"Cannot listen on {host} port {port}: {problem.strerror}",
            "Choose another with --port or --host.",
        ) from problem
    return listener


def _ingest_handler(lineside: Lineside) -> Handler:
    """What ingests an uploaded file; found by entry point, because `assistant` does not import `ingest`."""
    found = next(iter(entry_points(group=INGEST_HANDLER)), None)
    if found is None:
        raise MissingExtraError("Nothing here can ingest uploads", "Run `pip install -e .` again.")
    build: Callable[[Lineside], Handler] = found.load()
    return build(lineside)
