"""Killed at any step, the next run ends where an undisturbed one does, and nobody ever sees half a manual."""

import shutil
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from assistant.errors import InputError

TESTS = Path(__file__).parent
ROWS = 5
# The process ends itself, as hard as the operating system can, when the journal reaches a step.
CHILD = """
import os, signal, sys
tests, home, last, *action = sys.argv[1:]
sys.path[:0] = [tests, os.path.dirname(tests)]
import ingest.build
from conftest import Workshop
ingest.build.STORE_BATCH = 3

def journal(step):
    print(step, flush=True)
    if step == last:
        os.kill(os.getpid(), signal.SIGKILL)

from pathlib import Path
shop = Workshop(Path(home), journal)
if action[0] == "ingest":
    shop.ingestor.ingest(Path(action[1]), Path(action[1]).name)
elif action[0] == "rollback":
    shop.revisions.roll_back(action[1])
else:
    shop.revisions.delete(action[1])
    shop.clearing.finish()
shop.close()
"""
INGEST = [
    "parsed",
    "begun",
    "original kept",
    "embedded",
    "stored 3 of 5",
    "stored 5 of 5",
    "checked",
    "reported",
    "published",
]
DELETE = [
    "hidden",
    "passages removed",
    "original removed",
    "pictures removed",
    "report and jobs removed",
    "passages purged",
    "records removed",
]


def manual(folder: Path, label: str) -> Path:
    path = folder / f"pump_rev-{label}.md"
    rows = "".join(f"## Step {n}\n\nGrease bearing {n} with {label}-grease.\n\n" for n in range(ROWS))
    path.write_text(f"# Pump\n\n{rows}", encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def homes(tmp_path_factory: pytest.TempPathFactory, open_workshop: Any) -> Path:
    """Homes with revision B, with B replaced by C, with C rolled back to B, and with C deleted."""
    folder = tmp_path_factory.mktemp("homes")
    b, c = manual(folder, "B"), manual(folder, "C")
    shop = open_workshop(folder / "b")
    shop.ingestor.ingest(b, b.name)
    shop.close()
    shutil.copytree(folder / "b", folder / "c")
    shop = open_workshop(folder / "c")
    shop.ingestor.ingest(c, c.name)
    shop.close()
    for name in ("rolled", "deleted"):
        shutil.copytree(folder / "c", folder / name)
        shop = open_workshop(folder / name)
        if name == "rolled":
            shop.revisions.roll_back(c.name)
        else:
            shop.revisions.delete(c.name)
            shop.clearing.finish()
        shop.close()
    return folder


def killed(home: Path, step: str, *action: str) -> list[str]:
    """Runs the child until the step; returns the steps it told of."""
    command = [sys.executable, "-c", CHILD, str(TESTS), str(home), step, *action]
    child = subprocess.run(command, capture_output=True, text=True, check=False)
    assert child.returncode == (-9 if step else 0), child.stderr
    return child.stdout.split("\n")[:-1]


def state(shop: Any) -> dict[str, Any]:
    """All that a home holds, but for times."""
    held = shop.catalogue.revisions()
    return {
        "records": [(r.id, r.document, r.label, r.state, r.pages, r.chunks, r.applies_to) for r in held],
        "passages": {r.id: [(c.id, c.text) for c in shop.store.section(r.id, 0, 1000)] for r in held},
        "count": shop.store.count(),
        "originals": sorted(path.name for path in shop.files_kept()),
        "reports": [shop.reports.get(r.id) for r in held],
        "answers": shop.visible(),
    }


@pytest.fixture
def undisturbed(homes: Path, open_workshop: Any) -> Any:
    def look(name: str) -> dict[str, Any]:
        shop = open_workshop(homes / name)
        try:
            return state(shop)
        finally:
            shop.close()

    return look


def seen_of(shop: Any) -> set[str]:
    """Labels of the revisions that passages of a search come from."""
    return {text.rstrip(".").rsplit(" ", 1)[-1][0] for text in shop.visible()}


def test_the_journal_tells_every_step(homes: Path, tmp_path: Path) -> None:
    home = shutil.copytree(homes / "b", tmp_path / "home")
    assert killed(home, "", "ingest", str(homes / "pump_rev-C.md")) == INGEST
    assert killed(home, "", "delete", "pump_rev-C.md") == DELETE


@pytest.mark.slow
@pytest.mark.parametrize("step", INGEST)
def test_ingesting_a_revision(
    homes: Path, tmp_path: Path, undisturbed: Any, open_workshop: Any, step: str
) -> None:
    home, path = shutil.copytree(homes / "b", tmp_path / "home"), homes / "pump_rev-C.md"
    assert killed(home, step, "ingest", str(path))[-1] == step
    shop = open_workshop(home)
    assert seen_of(shop) == ({"C"} if step == "published" else {"B"})
    assert len(shop.visible()) == ROWS
    shop.ingestor.ingest(path, path.name)
    assert state(shop) == undisturbed("c")
    shop.close()


@pytest.mark.slow
@pytest.mark.parametrize("step", DELETE)
def test_deleting_a_document(
    homes: Path, tmp_path: Path, undisturbed: Any, open_workshop: Any, step: str
) -> None:
    home = shutil.copytree(homes / "c", tmp_path / "home")
    killed(home, step, "delete", "pump_rev-C.md")
    shop = open_workshop(home)
    assert shop.visible() == set()
    shop.clearing.finish()
    with suppress(InputError):
        shop.revisions.delete("pump_rev-C.md")
        shop.clearing.finish()
    assert state(shop) == undisturbed("deleted")
    shop.close()
    assert not [p for p in home.rglob("*") if p.is_file() and b"C-grease" in p.read_bytes()]


def test_rolling_back(homes: Path, tmp_path: Path, undisturbed: Any, open_workshop: Any) -> None:
    home = shutil.copytree(homes / "c", tmp_path / "home")
    killed(home, "rolled back", "rollback", "pump_rev-C.md")
    shop = open_workshop(home)
    with suppress(InputError):
        shop.revisions.roll_back("pump_rev-C.md")
    assert state(shop) == undisturbed("rolled") and seen_of(shop) == {"B"}
    shop.close()
