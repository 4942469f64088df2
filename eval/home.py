"""Homes that evaluations own, whatever became of the user's own, and the model server they ask."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

from assistant.errors import StorageError
from assistant.launch import free_port, load_plant
from assistant.serving.plan import plan_server
from assistant.serving.process import ModelServer
from assistant.settings import Settings

ROOT = Path(__file__).parents[1]
SERVER_SECONDS = 900.0
# Several questions at once wait for each other; none of them may be given up for that.
PATIENT = {"LINESIDE_LLM_FIRST_TOKEN_TIMEOUT_S": "300", "LINESIDE_LLM_TIMEOUT_S": "900"}

Say = Callable[[str], None]


class Homes:
    """A home for each set of documents, in a folder named by the code that ingests.

    Another version of the ingestion makes homes of its own, so that no figure comes from old chunks.

    Args:
        folder: takes the homes.
        models: folder of the models, which all homes share.
        say: prints one line for the user.
    """

    def __init__(self, folder: Path, models: Path, say: Say) -> None:
        self._folder = folder / ingestion_digest()
        self._models = models
        self._say = say

    def of_plant(self, name: str = "plant") -> Path:
        """A home with the demonstration plant, made when it is missing."""
        home = self._made(name)
        load_plant(ROOT / "demo", home, lambda *arguments: lineside(home, *arguments), self._say)
        return home

    def of_documents(self, name: str, documents: Sequence[Path]) -> Path:
        """The home with some folders of manuals, made when it is missing; unreadable files are left out."""
        home = self._made(name)
        done = home / "ingested"
        if not done.exists():
            for folder in documents:
                self._say(f"{name}: ingesting {folder}")
                lineside(home, "ingest", str(folder), partly=True)
            done.touch()
        return home

    def _made(self, name: str) -> Path:
        home = self._folder / name
        home.mkdir(parents=True, exist_ok=True)
        if not (home / "models").exists() and self._models.is_dir():
            (home / "models").symlink_to(self._models.resolve())
        return home


def lineside(
    home: Path, *arguments: str, partly: bool = False, environment: Mapping[str, str] | None = None
) -> int:
    """Runs a `lineside` command on a home, in a process of its own, and returns its exit code.

    Args:
        home: it works on.
        arguments: of the command.
        partly: exit code 1, 'failed or in part', is no failure.
        environment: variables to add.

    Raises:
        StorageError: the command failed; it said why.
    """
    kept = {name: value for name, value in os.environ.items() if name != "LINESIDE_HOME"}
    process = subprocess.Popen(
        [sys.executable, "-m", "assistant", *arguments],
        env={**kept, "LINESIDE_HOME": str(home), **(environment or {})},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )
    try:
        code = process.wait()
    except KeyboardInterrupt:
        # The same Ctrl-C has reached the command, which keeps what it has before it ends.
        process.wait()
        raise
    if code and not (partly and code == 1):
        raise StorageError(f"`lineside {' '.join(arguments[:2])}` failed with {code}, see above")
    return code


@contextmanager
def model_server(settings: Settings, home: Path, say: Say) -> Iterator[dict[str, str]]:
    """The server that LINESIDE_LLM_URL names, or one that is started for the block.

    Args:
        settings: of this process.
        home: whose models it serves.
        say: prints one line for the user.

    Yields:
        Variables that point a command to it.

    Raises:
        LLMUnavailableError: it does not start.
    """
    given = os.environ.get("LINESIDE_LLM_URL")
    if given:
        say(f"model server: {given}, as LINESIDE_LLM_URL says")
        yield PATIENT
        return
    chosen = settings.vllm.model_copy(update={"port": free_port(settings.vllm.host, settings.vllm.port)})
    plan = plan_server(chosen, home, settings.llm.api_key.get_secret_value())
    server = ModelServer(plan, home / "logs" / "vllm.log")
    try:
        say(f"model server: loading {chosen.model}")
        server.start()
        say(f"model server: ready after {server.wait(SERVER_SECONDS):.0f} s")
        yield {
            **PATIENT,
            "LINESIDE_LLM_URL": f"{plan.address}/v1",
            "LINESIDE_LLM_MODEL": plan.served_name,
        }
    finally:
        server.stop()


def ingestion_digest() -> str:
    """What the code that makes chunks is recognised by."""
    digest = sha256()
    for file in sorted((ROOT / "ingest").glob("**/*.py")):
        digest.update(file.read_bytes())
    return digest.hexdigest()[:12]
