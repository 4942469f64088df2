"""A manual becomes answerable in one step, or not at all."""

import hashlib
import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from assistant.errors import ModelError, StorageError
from assistant.schema import Asset, Chunk
from assistant.store.base import SparseVector, Vectors
from ingest.pipeline import revision_id

MANUAL = "# Pump\n\n## Faults\n\nE-07 means low pressure.\n\n## Oil\n\nUse {oil} oil.\n"


def test_a_new_document_becomes_visible_with_its_original_kept(workshop: Any) -> None:
    path = workshop.write("pump.md")
    stages: list[str] = []
    outcome = workshop.ingestor.ingest(
        path, "pump.md", progress=lambda stage, _done, _total: stages.append(stage)
    )
    assert (outcome.status, outcome.pages, outcome.chunks) == ("ingested", 1, 2)
    assert workshop.visible() == {"E-07 means low pressure.", "Use HLP 46 oil."}
    assert list(dict.fromkeys(stages)) == ["read", "embed", "store", "check", "publish"]
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    kept = workshop.files.path(digest)
    assert kept is not None and kept.read_bytes() == path.read_bytes()


def test_the_same_bytes_change_nothing(workshop: Any) -> None:
    path = workshop.write("pump.md")
    first = workshop.ingestor.ingest(path, "pump.md")
    again = workshop.ingestor.ingest(path, "pump.md")
    assert (again.status, again.revision, again.chunks) == ("unchanged", first.revision, first.chunks)
    assert workshop.store.count() == first.chunks


def test_a_new_revision_replaces_the_old_one_which_is_kept_hidden(workshop: Any) -> None:
    old = workshop.ingestor.ingest(workshop.write("pump_rev-B.md"), "pump_rev-B.md")
    new = workshop.ingestor.ingest(workshop.write("pump_rev-C.md", "HLP 68"), "pump_rev-C.md")
    assert (old.status, new.status) == ("ingested", "superseded")
    assert "Use HLP 68 oil." in workshop.visible() and "Use HLP 46 oil." not in workshop.visible()
    assert workshop.store.count(old.revision) == old.chunks
    assert workshop.states() == {"B": "retired", "C": "visible"}


def test_a_folder_with_two_revisions_can_be_ingested_again_without_change(workshop: Any) -> None:
    b, c = workshop.write("pump_rev-B.md"), workshop.write("pump_rev-C.md", "HLP 68")
    for path in (b, c):
        workshop.ingestor.ingest(path, path.name)
    again = [workshop.ingestor.ingest(path, path.name) for path in (b, c)]
    assert [outcome.status for outcome in again] == ["unchanged", "unchanged"]
    assert again[0].reason == "kept as an earlier revision: pump_rev-C.md replaced it"
    assert "Use HLP 68 oil." in workshop.visible()


def test_going_back_to_earlier_bytes_under_one_name_makes_them_visible_again(workshop: Any) -> None:
    for oil in ("HLP 46", "HLP 68", "HLP 46"):
        outcome = workshop.ingestor.ingest(workshop.write("pump.md", oil), "pump.md")
    assert outcome.status == "superseded"
    assert "Use HLP 46 oil." in workshop.visible() and "Use HLP 68 oil." not in workshop.visible()


def test_a_file_that_cannot_be_read_is_rejected_and_leaves_no_trace(workshop: Any) -> None:
    broken = workshop.home / "broken.pdf"
    broken.write_bytes(b"%PDF-1.7 nothing")
    for path, reason in ((broken, "is damaged or not a PDF"), (workshop.home / "gone.md", "cannot be read")):
        outcome = workshop.ingestor.ingest(path, path.name)
        assert outcome.status == "rejected" and reason in outcome.reason
    assert workshop.store.count() == 0 and workshop.catalogue.revisions() == []


def test_what_fails_midway_leaves_nothing_and_the_next_run_succeeds(
    workshop: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = workshop.write("pump.md")
    workshop.ingestor.ingest(path, "pump.md")
    write_all = workshop.store.upsert

    def write_half(chunks: Sequence[Chunk], dense: Vectors, sparse: Sequence[SparseVector]) -> None:
        half = len(chunks) // 2
        write_all(chunks[:half], dense[:half], sparse[:half])
        raise StorageError("The disk is full", "Free some disk space.")

    with monkeypatch.context() as disk:
        disk.setattr(workshop.store, "upsert", write_half)
        with pytest.raises(StorageError, match="disk is full"):
            workshop.ingestor.ingest(workshop.write("pump.md", "HLP 68"), "pump.md")
    assert [r.state for r in workshop.catalogue.revisions()] == ["visible"]
    assert workshop.store.count() == 2 and len(workshop.files_kept()) == 1
    assert workshop.visible() == {"E-07 means low pressure.", "Use HLP 46 oil."}

    outcome = workshop.ingestor.ingest(workshop.write("pump.md", "VG 100"), "pump.md")
    assert outcome.status == "superseded"
    assert workshop.visible() == {"E-07 means low pressure.", "Use VG 100 oil."}
    assert workshop.store.count() == 2 * outcome.chunks


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ("HP-250_hydraulic-press_rev-B.md", ("hp-250",)),
        ("press/PR-01 notes.md", ("pr-01",)),
        ("HP-2500_manual.md", ()),
        ("general.md", ()),
    ],
)
def test_a_registered_machine_in_the_file_name_decides_what_a_manual_holds_for(
    workshop: Any, document: str, expected: tuple[str, ...]
) -> None:
    workshop.plant.add_assets([Asset("PR-01", model="HP-250"), Asset("CP-01", model="SC-75")])
    outcome = workshop.ingestor.ingest(workshop.write("x.md"), document)
    revision = workshop.catalogue.revision(outcome.revision)
    assert revision is not None and revision.applies_to == expected


def test_a_registered_model_in_the_title_counts_too(workshop: Any) -> None:
    workshop.plant.add_assets([Asset("PR-01", model="HP-250")])
    path = workshop.home / "manual.md"
    path.write_text("# Hydraulic press HP-250\n\nText.\n", encoding="utf-8")
    first, second = (workshop.ingestor.ingest(path, "manual.md") for _ in range(2))
    revision = workshop.catalogue.revision(first.revision)
    assert revision is not None and revision.applies_to == ("hp-250",)
    assert second.status == "unchanged"


def test_an_asset_and_model_given_enter_the_register(workshop: Any) -> None:
    path = workshop.write("x.md")
    workshop.ingestor.ingest(path, "x.md", asset="CV-09", model="BC-800")
    assert workshop.plant.assets() == [Asset("CV-09", model="BC-800")]


def test_what_the_engine_does_not_hold_as_written_is_not_published(
    workshop: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_all = workshop.store.upsert

    def lose_the_last(chunks: Sequence[Chunk], dense: Vectors, sparse: Sequence[SparseVector]) -> None:
        write_all(chunks[:-1], dense[:-1], sparse[:-1])

    monkeypatch.setattr(workshop.store, "upsert", lose_the_last)
    with pytest.raises(StorageError, match="does not hold what was written"):
        workshop.ingestor.ingest(workshop.write("pump.md"), "pump.md")
    assert workshop.catalogue.revisions() == [] and workshop.store.count() == 0


def test_vectors_that_are_no_numbers_are_not_published(
    workshop: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    embed = workshop.embedder.passages

    def broken(texts: Sequence[str], progress: Any = None) -> Vectors:
        vectors = embed(texts, progress)
        vectors[0, 0] = float("nan")
        return vectors

    monkeypatch.setattr(workshop.embedder, "passages", broken)
    with pytest.raises(ModelError, match="cannot be searched"):
        workshop.ingestor.ingest(workshop.write("pump.md"), "pump.md")
    assert workshop.catalogue.revisions() == []


def test_a_revision_depends_on_name_bytes_and_what_it_holds_for() -> None:
    ids = {revision_id(*key) for key in (("a", "1", ()), ("b", "1", ()), ("a", "2", ()), ("a", "1", ("x",)))}
    ids.add(revision_id("a", "1", (), "1000-1999"))
    assert len(ids) == 5 and all(len(found) == 16 for found in ids)


def test_command_line_outcomes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from ingest.commands import ingest

    monkeypatch.setenv("LINESIDE_HOME", str(tmp_path / "home"))
    folder = tmp_path / "manuals"
    folder.mkdir()
    (folder / "pump.md").write_text(MANUAL.format(oil="HLP 46"), encoding="utf-8")
    (folder / "torn.pdf").write_bytes(b"%PDF-1.7 nothing")
    assert ingest([folder], as_json=True) == 1
    outcomes = json.loads(capsys.readouterr().out)
    assert [(found["document"], found["status"]) for found in outcomes] == [
        ("pump.md", "ingested"),
        ("torn.pdf", "rejected"),
    ]
    assert set(outcomes[0]) == {"document", "revision", "status", "pages", "chunks", "ocr_pages", "reason"}
    assert ingest([folder / "torn.pdf"], as_json=True) == 2
    shutil.rmtree(folder)
