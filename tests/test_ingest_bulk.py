"""Many files at once: none waits for a bad one, revisions keep their order, a stop leaves no halves."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from assistant.app import Lineside, open_lineside
from assistant.embedding import Embedder, Progress
from assistant.embedding.grouped import SHARE, GroupedEmbedder
from assistant.errors import StorageError
from assistant.schema import IngestOutcome
from assistant.settings import load_settings
from assistant.slots import Slots
from assistant.store.base import Vectors
from ingest.bulk import ingest_all
from ingest.commands import build_ingestor
from ingest.engines import open_engine
from ingest.files import Candidate, find_files


def show(_document: str) -> Callable[[str, int, int], None]:
    return lambda _stage, _done, _total: None


def candidates(*names: str) -> list[Candidate]:
    return [Candidate(Path(name), name) for name in names]


def outcome(candidate: Candidate) -> IngestOutcome:
    return IngestOutcome(candidate.document, "r", "ingested")


def test_a_slow_file_delays_no_other_and_outcomes_come_in_order() -> None:
    others = [threading.Event() for _ in range(4)]

    def work(candidate: Candidate, _progress: object) -> IngestOutcome:
        if candidate.document == "slow.md":
            assert all(event.wait(20) for event in others), "the others waited for the slow file"
        else:
            others[int(candidate.document[0])].set()
        return outcome(candidate)

    files = candidates("slow.md", "0.md", "1.md", "2.md", "3.md")
    assert [o.document for o in ingest_all(files, work, show, 2)] == [c.document for c in files]


def test_files_that_hang_on_every_worker_delay_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ingest.bulk.Slots", partial(Slots, patience_s=0.3))
    others = [threading.Event() for _ in range(3)]

    def work(candidate: Candidate, progress: Callable[[str, int, int], None]) -> IngestOutcome:
        if candidate.document.endswith("hang.md"):
            for _ in range(100):  # a parser that hangs has its last page told again and again
                progress("parse", 1, 9)
                if all(event.wait(0.1) for event in others):
                    return outcome(candidate)
            raise AssertionError("the others waited for files that hang")
        others[int(candidate.document[0])].set()
        return outcome(candidate)

    files = candidates("a-hang.md", "b-hang.md", "0.md", "1.md", "2.md")
    assert [o.document for o in ingest_all(files, work, show, 2)] == [c.document for c in files]


def test_revisions_of_one_manual_follow_each_other() -> None:
    began: list[str] = []

    def work(candidate: Candidate, _progress: object) -> IngestOutcome:
        began.append(candidate.document)
        time.sleep(0.05)
        began.append(candidate.document)
        return outcome(candidate)

    files = candidates("pump_rev-A.md", "pump_rev-B.md", "pump_rev-C.md")
    list(ingest_all(files, work, show, 3))
    assert began == [c.document for c in files for _ in range(2)]


def test_no_more_files_are_at_work_than_workers() -> None:
    at_work, most, lock = 0, 0, threading.Lock()

    def work(candidate: Candidate, _progress: object) -> IngestOutcome:
        nonlocal at_work, most
        with lock:
            at_work += 1
            most = max(most, at_work)
        time.sleep(0.02)
        with lock:
            at_work -= 1
        return outcome(candidate)

    list(ingest_all(candidates(*(f"{n}.md" for n in range(12))), work, show, 3))
    assert most == 3


def test_a_full_disk_ends_the_run_and_the_files_at_work() -> None:
    ended: list[str] = []
    waiting = threading.Event()

    def work(candidate: Candidate, progress: Callable[[str, int, int], None]) -> IngestOutcome:
        if candidate.document == "0.md":
            waiting.wait(20)
            raise StorageError("The disk is full")
        waiting.set()
        try:
            for page in range(2000):
                progress("read", page, 2000)
                time.sleep(0.01)
        except Exception:
            ended.append(candidate.document)
            raise
        return outcome(candidate)

    with pytest.raises(StorageError, match="disk is full"):
        list(ingest_all(candidates("0.md", "1.md", "2.md", "3.md"), work, show, 2))
    assert ended == ["1.md"]


@pytest.fixture
def plant(tmp_path: Path) -> Path:
    """A folder with a good manual, two revisions of another, and a broken file."""
    folder = tmp_path / "manuals"
    folder.mkdir()
    for name, pressure in (("pump", 11), ("press_rev-A", 20), ("press_rev-B", 21)):
        text = f"# {name}\n\n## Valve\n\nThe safety valve of the machine opens at {pressure} bar.\n"
        (folder / f"{name}.md").write_text(text, encoding="utf-8")
    (folder / "broken.pdf").write_bytes(b"%PDF-1.7 nothing")
    return folder


def ingest_folder(lineside: Lineside, folder: Path) -> list[IngestOutcome]:
    with open_engine("local", lineside.embedder, lineside.settings) as engine:
        ingestor = build_ingestor(lineside, engine)

        def work(candidate: Candidate, progress: Callable[[str, int, int], None]) -> IngestOutcome:
            return ingestor.ingest(candidate.path, candidate.document, progress=progress)

        return list(ingest_all(find_files([folder]), work, show, 3))


def test_a_folder_ends_as_its_files_one_by_one_would(plant: Path, tmp_path: Path) -> None:
    settings = load_settings({"LINESIDE_HOME": str(tmp_path / "home")}, tmp_path)
    with open_lineside(settings) as lineside:
        first = ingest_folder(lineside, plant)
        again = ingest_folder(lineside, plant)
        visible = {r.document for r in lineside.catalogue.revisions("visible")}
    assert {o.document: o.status for o in first} == {
        "broken.pdf": "rejected",
        "press_rev-A.md": "ingested",
        "press_rev-B.md": "superseded",
        "pump.md": "ingested",
    }
    assert visible == {"press_rev-B.md", "pump.md"}
    assert [o.status for o in again] == ["rejected", "unchanged", "unchanged", "unchanged"]


class Slow:
    """Embeds one call at a time and remembers how many texts each call held."""

    name, dimension, max_tokens = "slow", 2, 100

    def __init__(self) -> None:
        self.calls: list[int] = []
        self.go = threading.Event()

    def queries(self, texts: list[str]) -> Vectors:
        return self.passages(texts)

    def count_tokens(self, text: str) -> int:
        return len(text)

    def passages(self, texts: list[str], progress: Progress | None = None) -> Vectors:
        self.calls.append(len(texts))
        self.go.wait(20)
        if any(text == "bad" for text in texts):
            raise StorageError("cannot embed")
        if progress:
            progress(len(texts), len(texts))
        return np.array([[float(text), 1.0] for text in texts], dtype=np.float32).reshape(-1, 2)


def test_files_that_wait_share_a_turn_and_each_gets_its_own_vectors() -> None:
    inner = Slow()
    grouped = GroupedEmbedder(inner)
    with ThreadPoolExecutor(6) as pool:
        first = pool.submit(grouped.passages, ["0"])
        while not inner.calls:
            time.sleep(0.001)
        others = [pool.submit(grouped.passages, [str(10 * n + k) for k in range(n)]) for n in (1, 2, 3)]
        while len(grouped._waiting) < 4:
            time.sleep(0.001)
        inner.go.set()
        assert first.result().tolist() == [[0, 1]]
        assert [o.result()[:, 0].tolist() for o in others] == [[10], [20, 21], [30, 31, 32]]
    assert inner.calls == [1, 6]


def test_a_long_file_lets_a_short_one_in() -> None:
    inner = Slow()
    inner.go.set()
    grouped = GroupedEmbedder(inner)
    vectors = grouped.passages([str(n) for n in range(SHARE * 2 + 5)])
    assert vectors[:, 0].tolist() == list(range(SHARE * 2 + 5))
    assert inner.calls == [SHARE, SHARE, 5]


def test_whoever_is_cancelled_leaves_the_others_their_vectors() -> None:
    inner = Slow()
    grouped = GroupedEmbedder(inner)

    def cancelled(_done: int, _total: int) -> None:
        raise InterruptedError

    with ThreadPoolExecutor(3) as pool:
        first = pool.submit(grouped.passages, ["0"])
        while not inner.calls:
            time.sleep(0.001)
        ended, kept = pool.submit(grouped.passages, ["1"], cancelled), pool.submit(grouped.passages, ["2"])
        while len(grouped._waiting) < 3:
            time.sleep(0.001)
        inner.go.set()
        assert first.result().shape == (1, 2)
        assert kept.result().tolist() == [[2, 1]]
        with pytest.raises(InterruptedError):
            ended.result()
    assert grouped._waiting == []


def test_grouping_changes_no_vector(word_hashes: Embedder) -> None:
    texts = [f"valve {n} opens at {n * 3} bar" for n in range(40)]
    np.testing.assert_array_equal(GroupedEmbedder(word_hashes).passages(texts), word_hashes.passages(texts))
