"""Where parsing and embedding run: on this machine (here), or over a Ray cluster (engine_ray.py)."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from assistant.embedding import Embedder
from assistant.embedding.grouped import GroupedEmbedder
from assistant.schema import ParsedFile
from assistant.settings import IngestSettings, Settings
from ingest.files import FileType
from ingest.sandbox import parse_in_sandbox

EngineName = Literal["local", "ray"]
PageProgress = Callable[[int, int], None]
Parse = Callable[[Path, FileType, IngestSettings, PageProgress], ParsedFile]


@dataclass(frozen=True, slots=True)
class Engine:
    """What turns files into pages and passages into vectors.

    Attributes:
        parse: reads one file within its limits; many threads may call it.
        embedder: many threads may call it.
        workers: files worth having at work at one time.
    """

    parse: Parse
    embedder: Embedder
    workers: int


@contextmanager
def open_engine(name: EngineName, embedder: Embedder, settings: Settings) -> Iterator[Engine]:
    """The engine of that name, released at the end.

    Raises:
        MissingExtraError: Ray is not installed.
        LinesideError: the Ray cluster cannot be reached.
    """
    if name == "ray":
        from ingest.engine_ray import ray_engine

        with ray_engine(embedder, settings) as engine:
            yield engine
    else:
        workers = settings.ingest.workers or core_count()
        yield Engine(parse_in_sandbox, GroupedEmbedder(embedder), workers)


def core_count() -> int:
    """Processor cores that this process may use."""
    return len(os.sched_getaffinity(0))
