"""One contract for every vector engine: Qdrant Edge on disk, and the client of a Qdrant server."""

import os
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from qdrant_client import QdrantClient

from assistant.errors import HomeInUseError, SettingsError, StorageError
from assistant.schema import Box, Chunk
from assistant.sparse import SparseEncoder
from assistant.store.base import ChunkStore, Scope, Vectors
from assistant.store.edge import EdgeStore
from assistant.store.server import ServerStore

DIMENSION = 8
TEXTS = {
    "pump": "Replace the hydraulic pump when the pressure stays below 180 bar.",
    "valve": "Clean the proportional valve with lint-free cloth.",
    "zh": "液压泵压力过低时更换滤芯。",
    "belt": "Track the belt with the take-up screws.",
}


def a_chunk(name: str, **changes: object) -> Chunk:
    fields: dict[str, object] = {
        "id": str(uuid.uuid5(uuid.NAMESPACE_URL, name)),
        "document": "press.pdf",
        "revision": "r1",
        "title": "Press",
        "section": ("Hydraulics", name),
        "page": 3,
        "page_last": 3,
        "kind": "text",
        "text": TEXTS.get(name, name),
        "boxes": (Box(3, 0.1, 0.2, 0.9, 0.3),),
        "identifiers": ("e07",) if name == "pump" else (),
        "applies_to": ("hp-250",) if name in {"pump", "valve"} else (),
        "ordinal": list(TEXTS).index(name) if name in TEXTS else 9,
    }
    return Chunk(**{**fields, **changes})  # type: ignore[arg-type]


def vectors(count: int, seed: int = 0) -> Vectors:
    drawn = np.random.default_rng(seed).normal(size=(count, DIMENSION)).astype(np.float32)
    return drawn / np.linalg.norm(drawn, axis=1, keepdims=True)


def fill(store: ChunkStore, chunks: list[Chunk]) -> Vectors:
    dense = vectors(len(chunks))
    store.upsert(chunks, dense, SparseEncoder().passages([chunk.text for chunk in chunks]))
    return dense


@pytest.fixture(params=["edge", "client", "server"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[ChunkStore]:
    made: ChunkStore
    if request.param == "edge":
        made = EdgeStore(tmp_path / "shard", "test", DIMENSION)
    elif request.param == "client":
        made = ServerStore(QdrantClient(":memory:"), "contract", "test", DIMENSION)
    else:
        url = os.environ.get("LINESIDE_QDRANT_URL")
        if not url:
            pytest.skip("LINESIDE_QDRANT_URL names no Qdrant server to test against")
        made = ServerStore(QdrantClient(url), f"contract-{uuid.uuid4()}", "test", DIMENSION)
    yield made
    made.close()


@pytest.mark.filterwarnings("ignore:Payload indexes have no effect in the local Qdrant")
class TestContract:
    def test_a_chunk_comes_back_as_it_was_written(self, store: ChunkStore) -> None:
        chunk = a_chunk("pump", notices=("n1",), extra={"order": "4711"}, signal="DANGER")
        fill(store, [chunk])
        assert store.fetch([chunk.id, str(uuid.uuid4())]) == [chunk]

    def test_search_finds_by_word_in_both_languages(self, store: ChunkStore) -> None:
        chunks = [a_chunk(name) for name in TEXTS]
        fill(store, chunks)
        for question, name in (("proportional valve", "valve"), ("滤芯什么时候换", "zh")):
            away = -vectors(1, seed=7)[0]
            hits = store.search(away, SparseEncoder().query(question), Scope(), limit=4, depth=1)
            assert name in [hit.chunk.section[-1] for hit in hits]

    def test_search_finds_by_vector(self, store: ChunkStore) -> None:
        chunks = [a_chunk(name) for name in TEXTS]
        dense = fill(store, chunks)
        hits = store.search(dense[3], SparseEncoder().query("zzz"), Scope(), limit=1, depth=4)
        assert hits[0].chunk.section[-1] == "belt"

    def test_scope_hides_other_machines_and_hidden_revisions(self, store: ChunkStore) -> None:
        old = a_chunk("old", revision="r0", applies_to=("hp-250",))
        lathe = a_chunk("lathe", applies_to=("tl-42",))
        orders = a_chunk("order", source="work_order")
        fill(store, [a_chunk("pump"), a_chunk("zh"), old, lathe, orders])
        scope = Scope(applies_to=("pr-01", "hp-250"), source="manual", hidden=("r0",))
        hits = store.search(vectors(1)[0], SparseEncoder().query("pump"), scope, limit=9, depth=9)
        assert {hit.chunk.section[-1] for hit in hits} == {"pump", "zh"}

    def test_identifiers_are_found_exactly_and_within_scope(self, store: ChunkStore) -> None:
        fill(store, [a_chunk(name) for name in TEXTS])
        assert [hit.chunk.section[-1] for hit in store.lookup(["e07"], Scope(), 5)] == ["pump"]
        assert store.lookup(["e0"], Scope(), 5) == []
        assert store.lookup(["e07"], Scope(applies_to=("tl-42",)), 5) == []

    def test_writing_again_replaces_and_delete_removes_one_revision(self, store: ChunkStore) -> None:
        chunks = [a_chunk(name) for name in TEXTS]
        fill(store, chunks)
        fill(store, [*chunks, a_chunk("new", revision="r2")])
        assert (store.count(), store.count("r1"), store.count("r2")) == (5, 4, 1)
        store.delete("r1")
        assert (store.count(), store.count("r1")) == (1, 0)

    def test_vectors_come_back_as_they_were_written(self, store: ChunkStore) -> None:
        chunks = [a_chunk(name) for name in TEXTS]
        written = fill(store, chunks)
        found = store.vectors([chunks[2].id, str(uuid.uuid4()), chunks[0].id])
        assert set(found) == {chunks[2].id, chunks[0].id}
        np.testing.assert_array_equal(found[chunks[2].id], written[2])
        assert store.vectors([]) == {}

    def test_section_reads_neighbours_in_order(self, store: ChunkStore) -> None:
        fill(store, [a_chunk(name) for name in TEXTS])
        assert [chunk.section[-1] for chunk in store.section("r1", 1, 2)] == ["valve", "zh"]


def test_edge_keeps_its_chunks_after_reopening(tmp_path: Path) -> None:
    first = EdgeStore(tmp_path / "shard", "test", DIMENSION)
    fill(first, [a_chunk("pump")])
    first.optimize()
    first.close()
    again = EdgeStore(tmp_path / "shard", "test", DIMENSION)
    assert again.count() == 1
    again.close()


def test_edge_refuses_another_embedder(tmp_path: Path) -> None:
    EdgeStore(tmp_path / "shard", "one", DIMENSION).close()
    with pytest.raises(SettingsError, match="holds vectors of the embedder 'one'"):
        EdgeStore(tmp_path / "shard", "two", DIMENSION)


def test_edge_turns_another_process_away_and_goes_on(tmp_path: Path) -> None:
    holder = EdgeStore(tmp_path / "shard", "test", DIMENSION)
    fill(holder, [a_chunk("pump")])
    holder.flush()
    code = (
        "from pathlib import Path; from assistant.store.edge import EdgeStore; "
        f"EdgeStore(Path({str(tmp_path / 'shard')!r}), 'test', {DIMENSION})"
    )
    other = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert other.returncode != 0
    assert HomeInUseError.__name__ in other.stderr and "in use" in other.stderr
    # Left to the engine, this flush would fail: the other process had cut its journal.
    fill(holder, [a_chunk("valve")])
    holder.flush()
    holder.close()
    again = EdgeStore(tmp_path / "shard", "test", DIMENSION)
    assert again.count() == 2
    again.close()


def test_edge_that_could_not_be_opened_holds_nothing(tmp_path: Path) -> None:
    (tmp_path / "shard").mkdir()
    (tmp_path / "shard" / "embedder.json").write_text('{"embedder": "test"}', encoding="utf-8")
    for _ in range(2):
        with pytest.raises(StorageError, match="cannot open"):
            EdgeStore(tmp_path / "shard", "test", DIMENSION)
