"""Qdrant Edge: the vector engine inside this process, on disk in the home folder."""

import json
import shutil
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import qdrant_edge as qe
from filelock import FileLock, Timeout

from assistant.errors import HomeInUseError, SettingsError, StorageError
from assistant.schema import Chunk, Hit
from assistant.store.base import Scope, SparseVector, Vectors
from assistant.store.fusion import fuse, fused_hits
from assistant.store.payload import (
    DENSE,
    INTEGER_FIELDS,
    KEYWORD_FIELDS,
    SPARSE,
    allowed_applications,
    from_payload,
    to_payload,
)
from assistant.store.rewrite import ReadersGate, beside, copy_points, exchange, mend

BATCH = 512
SCROLL = 1000


class EdgeStore:
    """A ChunkStore for one process at a time."""

    def __init__(self, folder: Path, embedder: str, dimension: int) -> None:
        """Opens the shard in `folder`, or creates it.

        Args:
            folder: where the shard lies.
            embedder: name of the model whose vectors it holds.
            dimension: their length.

        Raises:
            HomeInUseError: another process has it open.
            SettingsError: it holds another embedder's vectors.
            StorageError: it cannot be read or written.
        """
        self._writing = threading.Lock()
        self._gate = ReadersGate()
        self._folder, self._embedder, self._dimension = folder, embedder, dimension
        self._lock = _locked(folder)
        try:
            mend(folder)
            _check_embedder(folder, embedder)
            with _translated(f"open {folder}"):
                self._shard = _open(folder, embedder, dimension)
        except BaseException:
            self._lock.release()
            raise

    def upsert(self, chunks: Sequence[Chunk], dense: Vectors, sparse: Sequence[SparseVector]) -> None:
        """Writes chunks in batches; see ChunkStore."""
        for start in range(0, len(chunks), BATCH):
            part = slice(start, start + BATCH)
            points = [
                qe.Point(
                    chunk.id,
                    {
                        DENSE: vector.tolist(),
                        SPARSE: qe.SparseVector(list(words.indices), list(words.values)),
                    },
                    to_payload(chunk),
                )
                for chunk, vector, words in zip(chunks[part], dense[part], sparse[part], strict=True)
            ]
            self._update(qe.UpdateOperation.upsert_points(points))

    def search(self, dense: Vectors, sparse: SparseVector, scope: Scope, limit: int, depth: int) -> list[Hit]:
        """Fuses both channels by reciprocal rank; see ChunkStore."""
        queries = [qe.Query.Nearest(dense.tolist(), using=DENSE)]
        if sparse.indices:
            words = qe.SparseVector(list(sparse.indices), list(sparse.values))
            queries.append(qe.Query.Nearest(words, using=SPARSE))
        visible = _filter(scope)
        requests = [qe.QueryRequest(limit=depth, query=query, filter=visible) for query in queries]
        with self._gate.reading(), _translated("search"):
            channels = [[(str(p.id), p.score) for p in self._shard.query(request)] for request in requests]
            fused = fuse(channels, depth, limit)
            records = self._shard.retrieve([found for found, _ in fused], with_payload=True, with_vector=True)
        chunks = {str(record.id): from_payload(record.payload or {}) for record in records}
        return fused_hits(fused, channels[1] if sparse.indices else (), dense, _dense(records), chunks)

    def lookup(self, identifiers: Sequence[str], scope: Scope, limit: int) -> list[Hit]:
        """Chunks with any of the identifiers; see ChunkStore."""
        if not identifiers:
            return []
        wanted = _filter(scope, [qe.FieldCondition("identifiers", match=qe.MatchAny(list(identifiers)))])
        found = sorted(self._scroll(wanted, limit), key=lambda chunk: (chunk.document, chunk.ordinal))
        return [Hit(chunk, 1.0, exact=True) for chunk in found]

    def section(self, revision: str, first: int, last: int) -> list[Chunk]:
        """A run of chunks of one revision; see ChunkStore."""
        wanted = qe.Filter(
            must=[
                _matches("revision", revision),
                qe.FieldCondition("ordinal", range=qe.RangeFloat(gte=first, lte=last)),
            ]
        )
        return sorted(self._scroll(wanted, last - first + 1), key=lambda chunk: chunk.ordinal)

    def fetch(self, ids: Sequence[str]) -> list[Chunk]:
        """Chunks by id; see ChunkStore."""
        if not ids:
            return []
        with self._gate.reading(), _translated("read"):
            records = self._shard.retrieve(list(ids), with_payload=True, with_vector=False)
        found = {str(record.id): from_payload(record.payload or {}) for record in records}
        return [found[chunk_id] for chunk_id in ids if chunk_id in found]

    def vectors(self, ids: Sequence[str]) -> dict[str, Vectors]:
        """Dense vectors by id; see ChunkStore."""
        if not ids:
            return {}
        with self._gate.reading(), _translated("read"):
            records = self._shard.retrieve(list(ids), with_payload=False, with_vector=True)
        return _dense(records)

    def delete(self, revision: str) -> None:
        """Removes a revision's chunks; see ChunkStore."""
        wanted = qe.Filter(must=[_matches("revision", revision)])
        self._update(qe.UpdateOperation.delete_points_by_filter(wanted))

    def count(self, revision: str | None = None) -> int:
        """Number of chunks; see ChunkStore."""
        wanted = qe.Filter(must=[_matches("revision", revision)]) if revision else None
        with self._gate.reading(), _translated("count"):
            return self._shard.count(qe.CountRequest(exact=True, filter=wanted))

    def optimize(self) -> None:
        """Builds indexes; see ChunkStore."""
        with self._writing, _translated("optimize"):
            self._shard.optimize()

    def flush(self) -> None:
        """Writes through to the disk; see ChunkStore."""
        with self._writing, _translated("flush"):
            self._shard.flush()

    def purge(self) -> None:
        """Writes the shard anew without what was deleted; see ChunkStore."""
        with self._writing, _translated("purge"):
            new, _ = beside(self._folder)
            shutil.rmtree(new, ignore_errors=True)
            fresh = _open(new, self._embedder, self._dimension)
            copy_points(self._shard, fresh)
            fresh.optimize()
            fresh.flush()
            fresh.close()
            with self._gate.alone():
                self._shard.flush()
                self._shard.close()
                exchange(self._folder)
                self._shard = qe.EdgeShard.load(str(self._folder))

    def close(self) -> None:
        """Flushes and releases the shard."""
        with self._writing, _translated("close"):
            self._shard.flush()
            self._shard.close()
            self._lock.release()

    def _update(self, operation: qe.UpdateOperation) -> None:
        with self._writing, _translated("write"):
            self._shard.update(operation)

    def _scroll(self, wanted: qe.Filter, limit: int) -> Iterator[Chunk]:
        offset, left = None, limit
        while left > 0:
            request = qe.ScrollRequest(
                limit=min(left, SCROLL), filter=wanted, offset=offset, with_payload=True, with_vector=False
            )
            with self._gate.reading(), _translated("read"):
                records, offset = self._shard.scroll(request)
            yield from (from_payload(record.payload or {}) for record in records)
            left -= len(records)
            if offset is None:
                return


def _locked(folder: Path) -> FileLock:
    """Keeps other processes out, before the engine opens a file.

    The engine locks its log last: by then whoever it turns away has cut the journals of the process inside,
    whose next flush fails.
    """
    lock = FileLock(folder.with_name(f"{folder.name}.lock"), blocking=False, thread_local=False)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except Timeout as problem:
        raise HomeInUseError(
            f"The home {folder.parent} is in use by another Lineside process",
            "Stop it first, or point LINESIDE_QDRANT_URL at a Qdrant server that both can use.",
        ) from problem
    except OSError as problem:
        raise StorageError(f"The vector engine cannot open {folder}: {problem}") from problem
    return lock


def _open(folder: Path, embedder: str, dimension: int) -> qe.EdgeShard:
    if (folder / "embedder.json").exists():
        return qe.EdgeShard.load(str(folder))
    # Without the note below, an earlier creation was cut short and nothing was ever written to it.
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    config = qe.EdgeConfig(
        vectors={DENSE: qe.EdgeVectorParams(size=dimension, distance=qe.Distance.Dot)},
        sparse_vectors={SPARSE: qe.EdgeSparseVectorParams(modifier=qe.Modifier.Idf)},
    )
    shard = qe.EdgeShard.create(str(folder), config)
    for name in KEYWORD_FIELDS:
        shard.update(qe.UpdateOperation.create_field_index(name, qe.PayloadSchemaType.Keyword))
    for name in INTEGER_FIELDS:
        shard.update(qe.UpdateOperation.create_field_index(name, qe.PayloadSchemaType.Integer))
    note = json.dumps({"embedder": embedder, "dimension": dimension})
    (folder / "embedder.json").write_text(note, encoding="utf-8")
    return shard


def _check_embedder(folder: Path, embedder: str) -> None:
    note = folder / "embedder.json"
    held = json.loads(note.read_text(encoding="utf-8"))["embedder"] if note.exists() else embedder
    if held != embedder:
        raise SettingsError(
            f"{folder} holds vectors of the embedder '{held}', the settings name '{embedder}'",
            f"Set LINESIDE_RETRIEVAL_EMBEDDER={held}, or use a new LINESIDE_HOME and ingest again.",
        )


def _filter(scope: Scope, must: list[qe.FieldCondition] | None = None) -> qe.Filter:
    conditions = list(must or [])
    if scope.source:
        conditions.append(_matches("source", scope.source))
    allowed = allowed_applications(scope)
    if allowed:
        conditions.append(qe.FieldCondition("applies_to", match=qe.MatchAny(allowed)))
    hidden = [qe.FieldCondition("revision", match=qe.MatchAny(list(scope.hidden)))] if scope.hidden else []
    return qe.Filter(must=list(conditions), must_not=list(hidden))


def _dense(records: Sequence[qe.Record]) -> dict[str, Vectors]:
    named = {str(record.id): record.vector for record in records}
    return {
        chunk_id: np.asarray(vector[DENSE], dtype=np.float32)
        for chunk_id, vector in named.items()
        if isinstance(vector, dict)
    }


def _matches(key: str, value: str) -> qe.FieldCondition:
    return qe.FieldCondition(key, match=qe.MatchValue(value))


@contextmanager
def _translated(doing: str) -> Iterator[None]:
    try:
        yield
    except Exception as problem:  # the binding raises bare exceptions only
        todo = "Free some disk space." if "space" in str(problem).lower() else ""
        raise StorageError(f"The vector engine cannot {doing}: {problem}", todo) from problem
