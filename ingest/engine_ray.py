"""Parsing and embedding over a Ray cluster (Moritz et al. 2018): the same functions, called on its nodes.

The cluster is the one that RAY_ADDRESS names, else one on this machine for as long as the run takes. Nodes
need Lineside installed, but no shared folder: files travel as bytes. Records and vectors are written here
alone.
"""

import logging
import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from assistant.embedding import Embedder, Progress, build_embedder
from assistant.embedding.grouped import GroupedEmbedder
from assistant.errors import DocumentError, LinesideError, MissingExtraError
from assistant.schema import ParsedFile
from assistant.settings import IngestSettings, Settings
from assistant.store.base import Vectors
from ingest.engines import Engine, PageProgress, core_count
from ingest.files import FileType
from ingest.sandbox import parse_in_sandbox

SLICE = 128
"""Passages in one call of a node: enough to sort by length, few enough to spread and to show progress."""


@contextmanager
def ray_engine(embedder: Embedder, settings: Settings) -> Iterator[Engine]:
    """Connects to the cluster, or starts one on this machine with all its cores.

    Raises:
        MissingExtraError: Ray is not installed.
        LinesideError: the cluster cannot be reached.
    """
    # A short path of its own: Ray's sockets lie below it, and their names may not exceed 107 bytes.
    with tempfile.TemporaryDirectory(prefix="ray-", dir="/tmp", ignore_cleanup_errors=True) as folder:
        ray = _connect(settings, folder)
        try:
            cores = int(ray.cluster_resources().get("CPU", 1))
            shared = _RayEmbedder(ray, embedder, settings.store.root / "models")
            workers = settings.ingest.workers or cores
            yield Engine(_RayParser(ray), GroupedEmbedder(shared), workers)
        finally:
            ray.shutdown()


def _connect(settings: Settings, folder: str) -> Any:
    # Ray reports its use to its makers unless told otherwise before it is imported.
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    try:
        import ray
    except ImportError as problem:
        raise MissingExtraError(
            "Package ray is missing", "Install it: pip install 'lineside[ray]'"
        ) from problem
    address = os.environ.get("RAY_ADDRESS")
    own: dict[str, Any] = {
        "num_cpus": settings.ingest.workers or core_count(),
        "include_dashboard": False,
        "_node_ip_address": "127.0.0.1",
        "_temp_dir": folder,
    }
    try:
        ray.init(
            address=address or "local",
            log_to_driver=False,
            logging_level=logging.ERROR,
            **({} if address else own),
        )
    except (ConnectionError, RuntimeError, ValueError) as problem:
        raise LinesideError(
            f"The Ray cluster cannot be reached: {problem}",
            "Check RAY_ADDRESS, or unset it to start Ray on this machine.",
        ) from problem
    return ray


class _RayParser:
    """Reads a file in the sandbox of whichever node is free."""

    def __init__(self, ray: Any) -> None:
        self._ray = ray
        self._remote = ray.remote(num_cpus=1, max_retries=1)(_parse_bytes)

    def __call__(
        self, path: Path, kind: FileType, settings: IngestSettings, progress: PageProgress
    ) -> ParsedFile:
        progress(0, 1)
        answer = self._ray.get(self._remote.remote(path.read_bytes(), path.name, kind, settings))
        if isinstance(answer, DocumentError):
            raise answer
        progress(len(answer.pages), len(answer.pages))
        return answer  # type: ignore[no-any-return]


def _parse_bytes(
    content: bytes, name: str, kind: FileType, settings: IngestSettings
) -> ParsedFile | DocumentError:
    """On a node: the file under its own name, parsed as everywhere else."""
    with tempfile.TemporaryDirectory(prefix="lineside-") as folder:
        path = Path(folder) / name
        path.write_bytes(content)
        try:
            return parse_in_sandbox(path, kind, settings, lambda _done, _total: None)
        except DocumentError as problem:
            return problem


class _NodeEmbedder:
    """On a node: the embedding model, loaded once."""

    def __init__(self, name: str, models_folder: Path) -> None:
        self._embedder = build_embedder(name, models_folder)

    def passages(self, texts: Sequence[str]) -> Vectors:
        return self._embedder.passages(texts)


class _RayEmbedder:
    """An Embedder whose passages are embedded by one model on every node."""

    def __init__(self, ray: Any, local: Embedder, models_folder: Path) -> None:
        self._ray = ray
        self._local = local
        self.name, self.dimension, self.max_tokens = local.name, local.dimension, local.max_tokens
        nodes = [node["NodeID"] for node in ray.nodes() if node["Alive"] and node["Resources"].get("CPU")]
        pinned = ray.util.scheduling_strategies.NodeAffinitySchedulingStrategy
        actor = ray.remote(num_cpus=0)(_NodeEmbedder)
        self._nodes = [
            actor.options(scheduling_strategy=pinned(node, soft=False)).remote(local.name, models_folder)
            for node in nodes
        ]

    def queries(self, texts: Sequence[str]) -> Vectors:
        return self._local.queries(texts)

    def count_tokens(self, text: str) -> int:
        return self._local.count_tokens(text)

    def passages(self, texts: Sequence[str], progress: Progress | None = None) -> Vectors:
        """Slices of like length go to the nodes in turn; whoever is done first gets the next."""
        vectors = np.empty((len(texts), self.dimension), dtype=np.float32)
        order = sorted(range(len(texts)), key=lambda index: -len(texts[index]))
        slices = [order[start : start + SLICE] for start in range(0, len(order), SLICE)]
        pool = self._ray.util.ActorPool(self._nodes)
        done = 0
        answers = pool.map(lambda node, part: node.passages.remote([texts[index] for index in part]), slices)
        for part, answer in zip(slices, answers, strict=True):
            vectors[part] = answer
            done += len(part)
            if progress:
                progress(done, len(texts))
        return vectors
