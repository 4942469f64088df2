"""How long the way from a question to its passages takes in a large plant, embedding included.

The store is filled with passages that are mixed from the sentences of real ones: their words are real, so the
word index has the lists it would have; their vectors lie as near to each other as those of real passages do.
"""

import random
import tempfile
import time
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from assistant.embedding import Embedder
from assistant.language import sentences
from assistant.records.catalogue import Catalogue
from assistant.records.database import open_database
from assistant.retrieve import Retriever
from assistant.schema import Chunk, Question
from assistant.settings import RetrievalSettings
from assistant.sparse import SparseEncoder
from assistant.store.base import Vectors
from assistant.store.edge import EdgeStore

BATCH = 2000
SENTENCES = 6
# Spread of a mixed passage's vector around a real one: cosine about 0.9, as between passages of one section.
SPREAD = 0.5


@dataclass(frozen=True, slots=True)
class RetrievalFigures:
    """Milliseconds from question to hits, over all questions, for one size of store."""

    chunks: int
    questions: int
    p50_ms: float
    p95_ms: float
    fill_s: float


def measure_retrieval(
    embedder: Embedder,
    passages: Sequence[str],
    questions: Sequence[str],
    sizes: Sequence[int],
    rounds: int = 4,
) -> list[RetrievalFigures]:
    """Fills one store up to each size in turn and asks every question `rounds` times.

    Args:
        embedder: the one in use.
        passages: real passages, some hundreds.
        questions: real questions.
        sizes: numbers of chunks, ascending.
        rounds: how often each question is asked; the first round only warms up.
    """
    sparse, draw = SparseEncoder(), random.Random(7)
    seeds = embedder.passages(passages)
    pool = [piece for passage in passages for piece in sentences(passage)]
    figures = []
    with tempfile.TemporaryDirectory(prefix="lineside-bench-") as folder:
        store = EdgeStore(Path(folder) / "vectors", embedder.name, embedder.dimension)
        engine = open_database("", Path(folder))
        retriever = Retriever(store, embedder, sparse, Catalogue(engine), RetrievalSettings())
        filled = 0
        for size in sizes:
            start = time.perf_counter()
            for chunks, vectors in _mixed(pool, seeds, filled, size, draw):
                store.upsert(chunks, vectors, sparse.passages([chunk.text for chunk in chunks]))
            store.optimize()
            filled, fill_s = size, time.perf_counter() - start
            took = [_timed(retriever, text) for _ in range(rounds) for text in questions][len(questions) :]
            p50, p95 = np.quantile(took, [0.5, 0.95])
            figures.append(RetrievalFigures(size, len(took), float(p50), float(p95), fill_s))
        store.close()
        engine.dispose()
    return figures


def _timed(retriever: Retriever, text: str) -> float:
    start = time.perf_counter()
    retriever.retrieve(Question(text))
    return (time.perf_counter() - start) * 1000


def _mixed(
    pool: Sequence[str], seeds: Vectors, first: int, last: int, draw: random.Random
) -> Iterator[tuple[list[Chunk], Vectors]]:
    """Batches of chunks numbered first..last with unit vectors around the seeds."""
    noise = np.random.default_rng(first)
    for start in range(first, last, BATCH):
        batch = range(start, min(start + BATCH, last))
        chunks = [_chunk(number, " ".join(draw.choices(pool, k=SENTENCES))) for number in batch]
        around = seeds[[number % len(seeds) for number in batch]]
        spread = noise.normal(scale=SPREAD / np.sqrt(seeds.shape[1]), size=around.shape)
        vectors = (around + spread).astype(np.float32)
        yield chunks, vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def _chunk(number: int, text: str) -> Chunk:
    page = number % 400 + 1
    return Chunk(
        id=str(uuid.uuid5(uuid.NAMESPACE_URL, f"bench-{number}")),
        document=f"manual-{number // 1000}.pdf",
        revision=f"r{number // 1000}",
        title="Manual",
        section=(f"Section {page // 10}",),
        page=page,
        page_last=page,
        kind="text",
        text=text,
        ordinal=number,
    )
