"""Lineside's side of the ingest benchmark, as a process of its own so that its memory can be told.

usage: python -m ingest.timed parse|ingest FOLDER; the home is LINESIDE_HOME. Prints one JSON object.
"""

import json
import resource
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

import psutil

from assistant.app import open_lineside
from assistant.schema import IngestOutcome
from assistant.settings import load_settings
from ingest.bulk import ingest_all
from ingest.commands import build_ingestor
from ingest.engines import core_count, open_engine
from ingest.files import Candidate, find_files
from ingest.pipeline import Progress, no_progress
from ingest.sandbox import parse_in_sandbox

LOOK_S = 0.05


def parse(folder: Path) -> dict[str, float]:
    """Reads every PDF of a folder on all cores, as `lineside ingest` does, and keeps nothing."""
    files, settings = sorted(folder.glob("*.pdf")), load_settings().ingest
    start = time.perf_counter()
    with ThreadPoolExecutor(settings.workers or core_count()) as pool:
        read = partial(parse_in_sandbox, kind="pdf", settings=settings, progress=lambda _done, _total: None)
        list(pool.map(read, files))
    return {"parse_s": time.perf_counter() - start}


def ingest(folder: Path) -> dict[str, float]:
    """Ingests a folder as `lineside ingest` does; `work_s` leaves out loading the model."""
    settings = load_settings()
    with open_lineside(settings) as lineside, open_engine("local", lineside.embedder, settings) as engine:
        ingestor = build_ingestor(lineside, engine)

        def work(candidate: Candidate, progress: Progress) -> IngestOutcome:
            return ingestor.ingest(candidate.path, candidate.document, progress=progress)

        with largest_child() as largest:
            start = time.perf_counter()
            outcomes = list(ingest_all(find_files([folder]), work, lambda _name: no_progress, engine.workers))
            lineside.store.optimize()
            seconds = time.perf_counter() - start
    return {
        "pages": sum(outcome.pages for outcome in outcomes),
        "chunks": sum(outcome.chunks for outcome in outcomes),
        "work_s": seconds,
        "rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "child_rss_mb": largest[0] / 2**20,
    }


@contextmanager
def largest_child() -> Iterator[list[int]]:
    """Bytes of the largest parser seen; the system's own maximum would count us, from before its start."""
    largest, done = [0], threading.Event()

    def look() -> None:
        while not done.wait(LOOK_S):
            for child in psutil.Process().children():
                with suppress(psutil.Error):
                    if "ingest.sandbox" in child.cmdline():
                        largest[0] = max(largest[0], child.memory_info().rss)

    watcher = threading.Thread(target=look, daemon=True)
    watcher.start()
    try:
        yield largest
    finally:
        done.set()
        watcher.join()


if __name__ == "__main__":
    timed = {"parse": parse, "ingest": ingest}[sys.argv[1]]
    sys.stdout.write(json.dumps(timed(Path(sys.argv[2]))))
