"""The second half of `make run`: load the demonstration plant, then run model server and application.

The application comes first and answers with quoted passages; the model joins when it has loaded. Without a
model everything else still works, so nothing about the model ends the run.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

import httpx

from assistant.errors import LinesideError, StorageError
from assistant.models.catalogue import CATALOGUE
from assistant.models.fetch import ModelFolder
from assistant.serving.plan import plan_server
from assistant.serving.process import ModelServer, dying_with_parent, port_is_free, stop_group
from assistant.settings import Settings

Say = Callable[[str], None]
APPLICATION_SECONDS = 180.0
TICK_SECONDS = 0.5


class Launch:
    """One `lineside run`.

    Args:
        settings: of this process; the children read them from the same environment.
        plant: folder of the demonstration plant.
        say: prints one line for the user.
    """

    def __init__(self, settings: Settings, plant: Path, say: Say) -> None:
        self._settings = settings
        self._home = settings.store.root
        self._plant = plant
        self._say = say
        self._ports = {
            "web": free_port(settings.web.host, settings.web.port),
            "vllm": free_port(settings.vllm.host, settings.vllm.port),
        }
        self._server: ModelServer | None = None
        self._application: subprocess.Popen[bytes] | None = None

    def run(self) -> None:
        """Prepares, starts and watches; ends by an exception, after ending every child.

        Raises:
            StorageError: the demonstration plant cannot be loaded, or the application ended.
        """
        try:
            self._fetch_model()
            with self._step("demonstration plant"):
                load_plant(self._plant, self._home, self._lineside, self._say)
            with self._step("application"):
                self._start_application()
            self._start_model()
            self._say(f"\n  Lineside is at {self._address}\n{self._logins()}\n  Ctrl-C ends it.\n")
            self._watch()
        finally:
            if self._server:
                self._server.stop()
            if self._application:
                stop_group(self._application)

    @property
    def _address(self) -> str:
        return f"http://{self._settings.web.host}:{self._ports['web']}"

    @contextmanager
    def _step(self, name: str) -> Iterator[None]:
        self._say(f"{name} …")
        started = time.monotonic()
        yield
        self._say(f"{name}: {time.monotonic() - started:.1f} s")

    def _lineside(self, *arguments: str, needed: bool = True) -> str:
        """Runs a command to its end and returns what it printed."""
        done = subprocess.run(
            [sys.executable, "-m", "assistant", *arguments],
            env=self._environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
            check=False,
        )
        if done.returncode and needed:
            raise StorageError(f"`lineside {' '.join(arguments)}` failed, see above")
        return done.stdout

    def _fetch_model(self) -> None:
        entry = next((model for model in CATALOGUE if model.name == self._settings.vllm.model), None)
        if entry and not ModelFolder(self._home / "models").is_ready(entry):
            with self._step("model"):
                self._lineside("models", "fetch", entry.name, needed=False)

    def _start_application(self) -> None:
        """Starts it and waits until it answers."""
        wanted = self._settings.web.port
        if self._ports["web"] != wanted:
            self._say(f"port {wanted} is taken, using {self._ports['web']}")
        command = (sys.executable, "-m", "assistant", "serve", "--port", str(self._ports["web"]))
        self._application = subprocess.Popen(
            dying_with_parent(command),
            env=self._environment(),
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
        deadline = time.monotonic() + APPLICATION_SECONDS
        while not is_up(f"{self._address}/healthz"):
            self._check_application()
            if time.monotonic() > deadline:
                raise StorageError(f"The application did not answer within {APPLICATION_SECONDS:.0f} s")
            time.sleep(TICK_SECONDS)

    def _start_model(self) -> None:
        settings = self._settings.vllm.model_copy(update={"port": self._ports["vllm"]})
        try:
            key = self._settings.llm.api_key.get_secret_value()
            plan = plan_server(settings, self._home, key)
            self._server = ModelServer(plan, self._home / "logs" / "vllm.log")
            self._server.start()
            self._say(f"model: loading {settings.model}; until then answers are quoted passages")
        except LinesideError as problem:
            self._say(f"model: {problem} Answers are quoted passages.")
            self._server = None

    def _watch(self) -> None:
        """Stays until the application ends; says when the model is ready and when it is lost."""
        ready = False
        while True:
            time.sleep(TICK_SECONDS)
            self._check_application()
            try:
                if self._server and not ready and self._server.answers():
                    ready = True
                    self._say(f"model ready after {self._server.seconds:.0f} s")
                if self._server:
                    self._server.check_alive()
            except LinesideError as problem:
                self._say(f"model: {problem} Answers are quoted passages.")
                self._server = None

    def _check_application(self) -> None:
        if self._application and self._application.poll() is not None:
            raise StorageError(f"The application ended with {self._application.returncode}, see above")

    def _logins(self) -> str:
        """One user of each role, made on the first run; passwords are shown only then."""
        if json.loads(self._lineside("users", "list", "--json")):
            return "  Logins were made before; `make logins` gives each of them a new password."
        rows = json.loads(self._lineside("users", "demo", "--json"))
        return "\n".join(f"  {row['name']:14} {row['password']:24} ({row['role']})" for row in rows)

    def _environment(self) -> dict[str, str]:
        url = f"http://{self._settings.vllm.host}:{self._ports['vllm']}/v1"
        return {
            **os.environ,
            "LINESIDE_HOME": str(self._home),
            "LINESIDE_LLM_URL": url,
            "LINESIDE_LLM_MODEL": self._settings.vllm.served_name,
        }


def load_plant(plant: Path, home: Path, lineside: Callable[..., object], say: Say) -> None:
    """Ingests the plant once; later a supervisor may change what it holds, so it is not loaded again.

    Args:
        plant: folder of the demonstration plant.
        home: that takes it.
        lineside: runs a command, given its arguments, in that home; raises when it fails.
        say: prints one line for the user.
    """
    done = home / "demonstration-plant"
    built = plant / "built"
    digest = folder_digest(plant / "plant.yaml", built)
    if done.is_file() and done.read_text(encoding="ascii") == digest:
        say("demonstration plant is loaded already")
        return
    lineside("assets", "import", str(plant / "plant.yaml"))
    lineside("ingest", str(built / "manuals"))
    lineside("ingest-work-orders", str(built / "work_orders.csv"), "--mapping", "maximo")
    lineside("stock", "import", str(built / "stock.csv"))
    done.write_text(digest, encoding="ascii")


def free_port(host: str, wanted: int) -> int:
    """The wanted port, or the next one above it that is free.

    Raises:
        StorageError: none of the next hundred is.
    """
    for port in range(wanted, min(wanted + 100, 65536)):
        if port_is_free(host, port):
            return port
    raise StorageError(f"No port from {wanted} on is free on {host}", "Set LINESIDE_WEB_PORT.")


def is_up(url: str) -> bool:
    """True when the address answers with success."""
    try:
        return httpx.get(url, timeout=5, trust_env=False).is_success
    except httpx.TransportError:
        return False


def folder_digest(*paths: Path) -> str:
    """SHA-256 over the names and contents of files and folders."""
    digest = sha256()
    for path in paths:
        for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
            if file.is_file():
                digest.update(file.name.encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()
