"""The same folder through a real local Ray: the same chunks, the same outcomes."""

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pypdfium2
import pytest

from assistant.app import open_lineside
from assistant.settings import load_settings

MANUALS = Path(__file__).parents[1] / "demo" / "built" / "manuals"
PAGES = {"SC-75_screw-compressor_rev-A.pdf": [6, 7, 8], "ZS-160_注塑机_rev-A.pdf": [10, 11, 12]}


def ingest(folder: Path, home: Path, *options: str, blocked: str = "") -> tuple[int, str, str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("LINESIDE_")}
    program = f"import sys; sys.modules[{blocked!r}] = None; " if blocked else "import sys; "
    program += "from assistant.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", program, "ingest", str(folder), "--json", *options],
        env={**environment, "LINESIDE_HOME": str(home), "LINESIDE_INGEST_WORKERS": "2"},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    return done.returncode, done.stdout, done.stderr


def chunks(home: Path) -> dict[str, Any]:
    with open_lineside(load_settings({"LINESIDE_HOME": str(home)}, home)) as lineside:
        found = [
            chunk
            for revision in lineside.catalogue.revisions("visible")
            for chunk in lineside.store.section(revision.id, 0, revision.chunks)
        ]
    return {chunk.id: chunk for chunk in found}


def test_ray_gives_the_same_chunks_and_outcomes(tmp_path: Path) -> None:
    if importlib.util.find_spec("ray") is None:
        pytest.skip("Ray is not installed: pip install 'lineside[ray]'")
    folder = tmp_path / "manuals"
    folder.mkdir()
    for name, pages in PAGES.items():
        whole, part = pypdfium2.PdfDocument(MANUALS / name), pypdfium2.PdfDocument.new()
        part.import_pages(whole, pages)
        part.save(folder / name)
    (folder / "broken.pdf").write_bytes(b"%PDF-1.7 nothing")
    here = ingest(folder, tmp_path / "local")
    there = ingest(folder, tmp_path / "ray", "--engine", "ray")
    assert here[0] == there[0] == 1, there[2]
    assert json.loads(there[1]) == json.loads(here[1])
    assert [o["status"] for o in json.loads(here[1])] == ["rejected", "ingested", "ingested"]
    local = chunks(tmp_path / "local")
    assert local and chunks(tmp_path / "ray") == local


def test_without_ray_one_line_names_what_to_install(tmp_path: Path) -> None:
    (tmp_path / "note.md").write_text("# Note\n\nThe key is in cabinet K7.\n", encoding="utf-8")
    code, _, told = ingest(tmp_path / "note.md", tmp_path / "home", "--engine", "ray", blocked="ray")
    assert code == 2
    assert "pip install 'lineside[ray]'" in told
    assert "Traceback" not in told
