"""The process of the bulk benchmark that gets killed: ingests a folder with vectors drawn by lot.

usage: python -m ingest.timed_bulk FOLDER; prints a line for each file, then one JSON object.
"""

import json
import sys
import zlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from assistant.app import open_lineside
from assistant.embedding import Embedder, Progress
from assistant.schema import IngestOutcome
from assistant.settings import load_settings
from assistant.store.base import Vectors
from ingest.bulk import ingest_all
from ingest.commands import build_ingestor
from ingest.engines import open_engine
from ingest.files import Candidate, find_files
from ingest.pipeline import Progress as StageProgress
from ingest.pipeline import no_progress
from ingest.worker_memory import own_peak_mb


class DrawnVectors:
    """The home's embedder with passages drawn by lot: equal texts draw equal vectors."""

    def __init__(self, embedder: Embedder) -> None:
        """Takes name, length and token counts from the real one."""
        self._embedder = embedder
        self.name, self.dimension = embedder.name, embedder.dimension
        self.max_tokens = embedder.max_tokens

    def queries(self, texts: Sequence[str]) -> Vectors:
        """Real ones."""
        return self._embedder.queries(texts)

    def count_tokens(self, text: str) -> int:
        """Real counts."""
        return self._embedder.count_tokens(text)

    def passages(self, texts: Sequence[str], progress: Progress | None = None) -> Vectors:
        """Unit vectors of random direction."""
        drawn = np.empty((len(texts), self.dimension), dtype=np.float32)
        for row, text in zip(drawn, texts, strict=True):
            row[:] = np.random.default_rng(zlib.crc32(text.encode())).standard_normal(self.dimension)
        if progress:
            progress(len(texts), len(texts))
        unit: Vectors = drawn / np.linalg.norm(drawn, axis=1, keepdims=True)
        return unit


def main(folder: Path) -> None:
    """Ingests the folder on all cores."""
    settings = load_settings()
    statuses: Counter[str] = Counter()
    with (
        open_lineside(settings) as lineside,
        open_engine("local", DrawnVectors(lineside.embedder), settings) as engine,
    ):
        ingestor = build_ingestor(replace(lineside, embedder=engine.embedder), engine)

        def work(candidate: Candidate, progress: StageProgress) -> IngestOutcome:
            return ingestor.ingest(candidate.path, candidate.document, progress=progress)

        for outcome in ingest_all(find_files([folder]), work, lambda _name: no_progress, engine.workers):
            statuses[outcome.status] += 1
            sys.stdout.write(f"{outcome.status} {outcome.document}\n")
            sys.stdout.flush()
        lineside.store.optimize()
    counts = {status: statuses[status] for status in ("ingested", "unchanged", "rejected")}
    sys.stdout.write(json.dumps({**counts, "rss_mb": own_peak_mb()}))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
