"""Lineside's side of the ingest benchmark, as a process of its own so that its memory can be told.

usage: python -m ingest.timed parse|ingest FOLDER; the home is LINESIDE_HOME. Prints one JSON object.
"""

import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from assistant.app import open_lineside
from assistant.schema import IngestOutcome
from assistant.settings import load_settings
from ingest.bulk import ingest_all
from ingest.commands import build_ingestor
from ingest.engines import core_count, open_engine
from ingest.files import Candidate, find_files
from ingest.pipeline import Progress, no_progress
from ingest.sandbox import parse_in_sandbox
from ingest.worker_memory import ChildrenMemory, own_peak_mb


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

        with ChildrenMemory("ingest.sandbox") as parsers:
            start = time.perf_counter()
            outcomes = list(ingest_all(find_files([folder]), work, lambda _name: no_progress, engine.workers))
            lineside.store.optimize()
            seconds = time.perf_counter() - start
    return {
        "pages": sum(outcome.pages for outcome in outcomes),
        "chunks": sum(outcome.chunks for outcome in outcomes),
        "work_s": seconds,
        "rss_mb": own_peak_mb(),
        "child_rss_mb": parsers.peak_mb,
    }


if __name__ == "__main__":
    timed = {"parse": parse, "ingest": ingest}[sys.argv[1]]
    sys.stdout.write(json.dumps(timed(Path(sys.argv[2]))))
