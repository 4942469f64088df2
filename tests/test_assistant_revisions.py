"""What supervisors decide about manuals, and that no question ever sees two revisions of one."""

import json
import threading
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from assistant.errors import InputError
from assistant.records.database import open_database
from assistant.schema import Asset, IngestOutcome, Question

OLD, NEW = "Use HLP 46 oil.", "Use HLP 68 oil."


def take_in(workshop: Any, name: str, oil: str = "HLP 46", **options: Any) -> IngestOutcome:
    outcome: IngestOutcome = workshop.ingestor.ingest(workshop.write(name, oil), name, **options)
    return outcome


def test_a_reviewed_manual_is_seen_when_it_is_published(workshop: Any) -> None:
    take_in(workshop, "pump_rev-B.md")
    ready = take_in(workshop, "pump_rev-C.md", "HLP 68", review=True)
    assert ready.status == "ready" and workshop.states() == {"B": "visible", "C": "ready"}
    assert OLD in workshop.visible() and NEW not in workshop.visible()
    again = take_in(workshop, "pump_rev-C.md", "HLP 68")
    assert again.status == "unchanged" and "waits for approval" in again.reason
    assert workshop.revisions.publish("pump_rev-C.md").state == "visible"
    assert NEW in workshop.visible() and OLD not in workshop.visible()
    with pytest.raises(InputError, match="No revision of pump_rev-C.md waits"):
        workshop.revisions.publish("pump_rev-C.md")


def test_a_rejected_manual_leaves_the_one_in_force_alone(workshop: Any) -> None:
    take_in(workshop, "pump_rev-B.md")
    take_in(workshop, "pump_rev-C.md", "HLP 68", review=True)
    workshop.revisions.reject("pump_rev-C.md")
    workshop.clearing.finish()
    assert workshop.states() == {"B": "visible"} and OLD in workshop.visible()
    assert workshop.store.count() == 2 and len(workshop.files_kept()) == 1


def test_going_back_lasts_until_somebody_decides_otherwise(workshop: Any) -> None:
    for label, oil in (("A", "VG 32"), ("B", "HLP 46"), ("C", "HLP 68")):
        latest = take_in(workshop, f"pump_rev-{label}.md", oil)
    withdrawn, restored = workshop.revisions.roll_back("pump_rev-C.md")
    assert (withdrawn.label, restored.label) == ("C", "B") and OLD in workshop.visible()
    again = take_in(workshop, "pump_rev-C.md", "HLP 68")
    assert again.status == "unchanged" and "was rolled back" in again.reason
    assert workshop.revisions.roll_back("pump_rev-B.md", to="A")[1].label == "A"
    with pytest.raises(InputError, match=r"no revision D. Choose with --to: B, C"):
        workshop.revisions.roll_back("pump_rev-A.md", to="D")
    workshop.revisions.publish(latest.revision)
    assert NEW in workshop.visible() and len(workshop.visible()) == 2


def test_a_deleted_document_leaves_no_trace_in_the_home(workshop: Any, partly_scanned: Path) -> None:
    """Its words are nowhere in the home: records, log, vectors, original, pictures, uploads, reports."""
    kept = take_in(workshop, "kept.md", "HLP 46")
    upload = workshop.home / "uploads" / "1" / "secret.md"
    upload.parent.mkdir(parents=True)
    upload.write_text("# Quixotium\n\n## Zephyrine\n\nUse quixotium-zephyrine grease.\n", encoding="utf-8")
    job = workshop.jobs.submit(upload, "secret.md")
    workshop.jobs.cancel(job.id)
    upload.parent.mkdir(parents=True)
    upload.write_text("# Quixotium\n\n## Zephyrine\n\nUse quixotium-zephyrine grease.\n", encoding="utf-8")
    gone = workshop.ingestor.ingest(upload, "secret.md")
    scan = workshop.ingestor.ingest(partly_scanned, "secret.pdf")
    digest = workshop.catalogue.revision(scan.revision).file_hash
    workshop.pictures.picture(workshop.files.path(digest), digest, 1)
    assert any(b"uixotium" in found.read_bytes() for found in files(workshop.home))
    for name in ("secret.md", "secret.pdf"):
        workshop.revisions.delete(name)
        workshop.clearing.finish()
    assert [found for found in files(workshop.home) if b"uixotium" in found.read_bytes().lower()] == []
    assert [found for found in files(workshop.home) if b"secret" in found.read_bytes()] == []
    names = " ".join(str(found) for found in files(workshop.home))
    assert digest not in names and "secret" not in names and gone.revision not in names
    assert workshop.reports.get(gone.revision) is None and workshop.jobs.recent() == []
    assert [r.id for r in workshop.catalogue.revisions()] == [kept.revision] and OLD in workshop.visible()


def files(home: Path) -> list[Path]:
    return [path for path in home.rglob("*") if path.is_file()]


def test_an_original_stays_while_another_document_has_the_same_bytes(workshop: Any) -> None:
    take_in(workshop, "pump.md")
    take_in(workshop, "copy.md")
    workshop.revisions.delete("pump.md")
    workshop.clearing.finish()
    assert len(workshop.files_kept()) == 1
    with pytest.raises(InputError, match="No document 'pump.md' is held"):
        workshop.revisions.delete("pump.md")


def test_a_question_sees_one_state_of_the_catalogue(workshop: Any) -> None:
    take_in(workshop, "pump.md")
    asked = workshop.retriever.pinned()
    take_in(workshop, "pump.md", "HLP 68")
    found = {hit.chunk.text for hit in asked.retrieve(Question("which oil, E-07"))}
    assert OLD in found and NEW not in found
    assert NEW in workshop.visible()


def test_questions_under_way_never_mix_revisions(workshop: Any) -> None:
    take_in(workshop, "pump.md")
    mixed: list[set[str]] = []
    asked, over = 0, threading.Event()

    def ask() -> None:
        nonlocal asked
        while not over.is_set():
            retriever = workshop.retriever.pinned()
            hits = [*retriever.retrieve(Question("which oil")), *retriever.retrieve(Question("E-07"))]
            asked += 1
            if len({hit.chunk.revision for hit in hits}) != 1:
                mixed.append({hit.chunk.text for hit in hits})

    threads = [threading.Thread(target=ask) for _ in range(2)]
    for thread in threads:
        thread.start()
    for number in range(6):
        take_in(workshop, "pump.md", f"VG {number}")
    over.set()
    for thread in threads:
        thread.join()
    assert asked > 6 and mixed == []


def test_a_manual_for_some_serial_numbers_answers_for_no_other_machine(workshop: Any) -> None:
    take_in(workshop, "pump_rev-B.md", serials="1000-1999")
    later = take_in(workshop, "pump_rev-C.md", "HLP 68", serials="2000-")
    assert later.status == "ingested"
    assert {OLD, NEW} <= workshop.visible()
    assert NEW not in workshop.visible("1500") and OLD in workshop.visible("SN-1500")
    assert OLD not in workshop.visible("2100") and NEW in workshop.visible("2100")
    corrected = take_in(workshop, "pump_rev-B.md", serials="1000-1899")
    assert corrected.status == "superseded" and workshop.visible("1950") == set()


def test_listing_publishing_and_going_back_by_command_while_another_process_holds_the_home(
    workshop: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from assistant.commands.documents import list_documents, publish, report, rollback

    monkeypatch.setenv("LINESIDE_HOME", str(workshop.home))
    take_in(workshop, "pump_rev-B.md")
    take_in(workshop, "pump_rev-C.md", "HLP 68", review=True)
    assert report("pump_rev-C.md", as_json=True) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["document"], told["verdict"], told["chunks"]) == ("pump_rev-C.md", "good", 2)
    assert publish("pump_rev-C.md") == 0 and NEW in workshop.visible()
    assert rollback("pump_rev-C.md") == 0 and OLD in workshop.visible()
    assert list_documents(every=True, as_json=True) == 0
    states = {held["label"]: held["state"] for held in json.loads(capsys.readouterr().out)}
    assert states == {"B": "visible", "C": "withdrawn"}
    assert list_documents(as_json=False) == 0
    assert "pump_rev-B.md" in capsys.readouterr().out


def test_the_register_knows_serial_numbers_and_an_older_home_gets_the_column(tmp_path: Path) -> None:
    from assistant.records.plant import Plant

    engine = open_database("", tmp_path)
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE assets DROP COLUMN serial"))
        connection.execute(text("INSERT INTO assets VALUES ('pr-01', 'PR-01', 'Press', 'HP-250', '')"))
    engine.dispose()
    engine = open_database("", tmp_path)
    plant = Plant(engine)
    assert plant.assets() == [Asset("PR-01", "Press", "HP-250")]
    plant.add_assets([Asset("PR-01", "Press", "HP-250", serial="2100")])
    assert plant.assets()[0].serial == "2100"
    engine.dispose()
