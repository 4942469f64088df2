"""Fixtures that several test files share."""

import hashlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import numpy as np
import pypdfium2
import pytest

from assistant.app import open_lineside
from assistant.clearing import Clearing
from assistant.embedding import Embedder, Progress
from assistant.jobs import JobQueue
from assistant.pages import PagePictures
from assistant.records.accounts import ROLES, Accounts
from assistant.records.catalogue import Catalogue
from assistant.records.database import open_database
from assistant.records.files import OriginalFiles
from assistant.records.plant import Plant, StockItem
from assistant.records.quality import QualityReports
from assistant.retrieve import Retriever
from assistant.revisions import Revisions
from assistant.schema import Asset, Question
from assistant.settings import IngestSettings, RetrievalSettings, Settings, load_settings
from assistant.sparse import SparseEncoder
from assistant.store.base import Vectors
from assistant.store.edge import EdgeStore
from ingest.commands import build_ingestor
from ingest.pipeline import Ingestor

REPOSITORY = Path(__file__).parents[1]
LIVE_HOME = REPOSITORY / ".lineside"
LIVE_SECONDS = 600


def find_unused_port() -> int:
    """A port of the loopback interface that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class WordHashes:
    """A real if crude embedder: every word adds its hash's direction."""

    name = "word-hashes"
    dimension = 32
    max_tokens = 200

    def queries(self, texts: Sequence[str]) -> Vectors:
        return self.passages(texts)

    def passages(self, texts: Sequence[str], progress: Progress | None = None) -> Vectors:
        vectors = np.full((len(texts), self.dimension), 1e-3, dtype=np.float32)
        for index, text in enumerate(texts):
            for word in text.casefold().split():
                vectors[index, hashlib.sha256(word.encode()).digest()[0] % self.dimension] += 1
            if progress:
                progress(index + 1, len(texts))
        normed: Vectors = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
        return normed

    def count_tokens(self, text: str) -> int:
        return len(text.split())


@pytest.fixture
def word_hashes() -> Embedder:
    """An embedder that needs no model, for tests of what happens around embedding."""
    return WordHashes()


PUMP = "# Pump\n\n## Faults\n\nE-07 means low pressure.\n\n## Oil\n\nUse {oil} oil.\n"


class Workshop:
    """The parts of one home that manuals pass through, opened for a test."""

    def __init__(self, home: Path, journal: Callable[[str], None] = lambda _step: None) -> None:
        home.mkdir(parents=True, exist_ok=True)
        self.home, self.embedder, self.sparse = home, WordHashes(), SparseEncoder()
        self.engine = open_database("", home)
        self.store = EdgeStore(home / "vectors", self.embedder.name, self.embedder.dimension)
        self.catalogue, self.plant = Catalogue(self.engine), Plant(self.engine)
        self.files, self.pictures = OriginalFiles(home / "originals"), PagePictures(home / "pictures")
        self.reports, self.jobs = QualityReports(self.engine), JobQueue(self.engine, home)
        self.ingestor = Ingestor(
            self.catalogue,
            self.store,
            self.embedder,
            self.sparse,
            self.files,
            IngestSettings(),
            self.plant,
            self.reports,
            journal,
        )
        self.revisions = Revisions(self.catalogue, journal)
        self.clearing = Clearing(
            self.catalogue, self.store, self.files, self.pictures, self.reports, self.jobs, journal
        )
        self.retriever = Retriever(
            self.store, self.embedder, self.sparse, self.catalogue, RetrievalSettings(hits=50)
        )

    def write(self, name: str, oil: str = "HLP 46") -> Path:
        """A manual in a folder outside the home."""
        path = self.home.with_name(f"{self.home.name}-in") / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(PUMP.format(oil=oil), encoding="utf-8")
        return path

    def visible(self, serial: str = "") -> set[str]:
        """Texts that a search can find."""
        return {hit.chunk.text for hit in self.retriever.pinned(serial).retrieve(Question("which oil"))}

    def files_kept(self) -> list[Path]:
        """Originals in the home."""
        return [path for path in (self.home / "originals").rglob("*") if path.is_file()]

    def states(self) -> dict[str, str]:
        """Label -> state of every revision on record."""
        return {revision.label: revision.state for revision in self.catalogue.revisions()}

    def close(self) -> None:
        self.store.close()
        self.engine.dispose()


@pytest.fixture(scope="session")
def open_workshop() -> type[Workshop]:
    """Opens a home at a given folder."""
    return Workshop


@pytest.fixture
def workshop(tmp_path: Path) -> Iterator[Workshop]:
    """An empty home."""
    opened = Workshop(tmp_path / "home")
    yield opened
    opened.close()


@pytest.fixture
def unused_port() -> int:
    """A port of the loopback interface that nobody listens on."""
    return find_unused_port()


@pytest.fixture(scope="session")
def live_llm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """URL (…/v1) of a real vLLM that serves the default model as 'lineside'.

    LINESIDE_TEST_LLM_URL names one that runs already; else `lineside llm serve` starts one for the session.
    """
    given = os.environ.get("LINESIDE_TEST_LLM_URL")
    if given:
        yield given
        return
    if not (REPOSITORY / ".venv-vllm" / "bin" / "python").exists() or not (LIVE_HOME / "models").exists():
        pytest.skip("no model server here: `make test` sets it up, or set LINESIDE_TEST_LLM_URL")
    port = find_unused_port()
    log = tmp_path_factory.mktemp("llm") / "serve.log"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("LINESIDE_")}
    with log.open("wb") as out:
        server = subprocess.Popen(
            [sys.executable, "-m", "assistant", "llm", "serve", "--port", str(port)],
            cwd=REPOSITORY,
            env={**environment, "LINESIDE_HOME": str(LIVE_HOME)},
            stdout=out,
            stderr=out,
        )
    try:
        deadline = time.monotonic() + LIVE_SECONDS
        while "ready after" not in log.read_text(encoding="utf-8"):
            if server.poll() is not None or time.monotonic() > deadline:
                pytest.fail(f"the model server did not start:\n{log.read_text(encoding='utf-8')}")
            time.sleep(0.5)
        assert httpx.get(f"http://127.0.0.1:{port}/v1/models", trust_env=False).is_success
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(30)


MANUALS = REPOSITORY / "demo" / "built" / "manuals"
PRESS = MANUALS / "HP-250_hydraulic-press_rev-C.pdf"
MOULDER = MANUALS / "ZS-160_注塑机_rev-A.pdf"
RULES = """# Plant rules

## Lockout

Only the person who hung a padlock may remove it. The spare key lies in the shift leader's cabinet K7.
"""


@dataclass(frozen=True)
class Site:
    """A running `lineside serve`: its address, home, process, and a password for every role."""

    url: str
    home: Path
    process: int
    passwords: dict[str, str]

    @contextmanager
    def client(self, role: str | None = None) -> Iterator[httpx.Client]:
        """An HTTP client, signed in when a role is given."""
        with httpx.Client(base_url=self.url, timeout=60, trust_env=False) as client:
            if role:
                reply = client.post("/sign-in", data={"name": role, "password": self.passwords[role]})
                assert reply.status_code == 303, reply.text
            yield client


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The whole application on a port of its own: a small real plant, ingested, and no model server."""
    folder = tmp_path_factory.mktemp("site")
    variables = {
        "LINESIDE_HOME": str(folder / "home"),
        "LINESIDE_LLM_URL": f"http://127.0.0.1:{find_unused_port()}/v1",
        "LINESIDE_WEB_UPLOAD_MB": "2",
    }
    passwords = small_plant(load_settings(variables, folder), folder)
    port, log = find_unused_port(), folder / "serve.log"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("LINESIDE_")}
    with log.open("wb") as out:
        server = subprocess.Popen(
            [sys.executable, "-m", "assistant", "serve", "--port", str(port)],
            cwd=folder,
            env={**environment, **variables},
            stdout=out,
            stderr=out,
        )
    try:
        url = f"http://127.0.0.1:{port}"
        deadline = time.monotonic() + 120
        while not answers(f"{url}/healthz"):
            if server.poll() is not None or time.monotonic() > deadline:
                pytest.fail(f"the application did not start:\n{log.read_text(encoding='utf-8')}")
            time.sleep(0.3)
        yield Site(url, folder / "home", server.pid, passwords)
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(30)


def answers(url: str) -> bool:
    """Whether something answers there."""
    try:
        return httpx.get(url, trust_env=False).is_success
    except httpx.TransportError:
        return False


def small_plant(settings: Settings, folder: Path) -> dict[str, str]:
    """Fills a home with two machines, a page of each manual and a note; returns a password per role."""
    with open_lineside(settings) as lineside:
        press, moulder = Asset("PR-01", "Press 1", "HP-250"), Asset("IM-01", "1号注塑机", "ZS-160")
        lineside.plant.add_assets([press, moulder])
        lineside.plant.add_stock([StockItem("44-2320", "Pressure transducer", 3, "B-04")])
        ingestor = build_ingestor(lineside)
        for manual, words, model in (
            (PRESS, ("E-101", "Remedy"), "HP-250"),
            (MOULDER, ("AL-071", "处理方法"), "ZS-160"),
        ):
            part = cut(manual, pages_with(manual, *words)[-1:], folder / manual.name)
            assert ingestor.ingest(part, part.name, model=model).status == "ingested"
        (folder / "rules.md").write_text(RULES, encoding="utf-8")
        assert ingestor.ingest(folder / "rules.md", "rules.md").status == "ingested"
        accounts = Accounts(lineside.engine)
        return {role: accounts.add(role, role) for role in ROLES}


def cut(source: Path, pages: list[int], target: Path) -> Path:
    """A PDF of some pages (1-based) of another."""
    whole, part = pypdfium2.PdfDocument(source), pypdfium2.PdfDocument.new()
    part.import_pages(whole, [page - 1 for page in pages])
    part.save(target)
    part.close()
    whole.close()
    return target


@pytest.fixture
def partly_scanned(tmp_path: Path) -> Path:
    """Two pages of a manual with text, and one that is a picture."""
    return cut(PRESS, [1, 4, 35], tmp_path / "Scanned press.pdf")


def pages_with(source: Path, *words: str) -> list[int]:
    """Numbers of the pages (1-based) that hold all of the words."""
    document = pypdfium2.PdfDocument(source)
    texts = [document[index].get_textpage().get_text_range() for index in range(len(document))]
    document.close()
    return [number for number, text in enumerate(texts, start=1) if all(word in text for word in words)]
