"""Lineside's side of the ingest benchmark, as a process of its own so that its memory can be told.

usage: python -m eval.bench.ours FOLDER; the home is LINESIDE_HOME. Prints one JSON object.
"""

import json
import resource
import sys
import time
from pathlib import Path

from assistant.app import open_lineside
from assistant.schema import IngestOutcome
from assistant.settings import load_settings
from ingest.bulk import ingest_all
from ingest.commands import build_ingestor
from ingest.engines import open_engine
from ingest.files import Candidate, find_files
from ingest.pipeline import Progress, no_progress


def main(folder: Path) -> None:
    """Ingests a folder as `lineside ingest` does; `work_s` leaves out loading the model."""
    settings = load_settings()
    with open_lineside(settings) as lineside, open_engine("local", lineside.embedder, settings) as engine:
        ingestor = build_ingestor(lineside, engine)

        def work(candidate: Candidate, progress: Progress) -> IngestOutcome:
            return ingestor.ingest(candidate.path, candidate.document, progress=progress)

        start = time.perf_counter()
        outcomes = list(ingest_all(find_files([folder]), work, lambda _name: no_progress, engine.workers))
        lineside.store.optimize()
        seconds = time.perf_counter() - start
    figures = {
        "pages": sum(outcome.pages for outcome in outcomes),
        "chunks": sum(outcome.chunks for outcome in outcomes),
        "work_s": seconds,
        # Kilobytes; of the children it is the largest of them.
        "rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "child_rss_mb": resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024,
    }
    sys.stdout.write(json.dumps(figures))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
