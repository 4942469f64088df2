"""`make run` after its set-up: plant loaded once, address and logins printed, every child ended with it."""

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import psutil
import pytest

from assistant.launch import folder_digest, free_port

SCRIPT = """
import sys
from pathlib import Path
from assistant.launch import Launch
from assistant.serving.process import until_stopped
from assistant.settings import load_settings
with until_stopped():
    Launch(load_settings(), Path(sys.argv[1]), lambda line: print(line, flush=True)).run()
"""
MANUAL = "# Press\n\n## Lubrication\n\nTighten the M12 bolts of the HP-9 press to 45 Nm.\n"


@pytest.fixture
def plant(tmp_path: Path) -> Path:
    folder = tmp_path / "plant"
    (folder / "built" / "manuals").mkdir(parents=True)
    (folder / "plant.yaml").write_text(
        "assets:\n  - {tag: PR-9, name: Press, model: HP-9}\n", encoding="utf-8"
    )
    (folder / "built" / "manuals" / "HP-9.md").write_text(MANUAL, encoding="utf-8")
    (folder / "built" / "stock.csv").write_text("part,description,quantity\n9-1,Bolt,4\n", encoding="utf-8")
    (folder / "built" / "work_orders.csv").write_text(
        "WONUM,DESCRIPTION,ASSETNUM,STATUS,REPORTDATE\n1,bolt loose,PR-9,COMP,2026-01-02\n", encoding="utf-8"
    )
    return folder


@contextmanager
def running(plant: Path, home: Path, port: int) -> Iterator[tuple[subprocess.Popen[str], list[str]]]:
    """Starts a run without a model server and yields it with its lines up to 'Ctrl-C ends it'."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("LINESIDE_")}
    environment |= {"LINESIDE_HOME": str(home), "LINESIDE_WEB_PORT": str(port)}
    # A folder that is no model: the run must go on without one.
    environment |= {"LINESIDE_VLLM_MODEL": str(plant)}
    with subprocess.Popen(
        [sys.executable, "-c", SCRIPT, str(plant)], env=environment, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        try:
            lines = []
            for line in process.stdout:
                lines.append(line)
                if "Ctrl-C ends it" in line:
                    break
            yield process, lines
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(60)


@pytest.mark.slow
def test_a_run_shows_address_and_logins_once_and_ends_with_all_its_children(
    plant: Path, tmp_path: Path, unused_port: int
) -> None:
    home = tmp_path / "home"
    with running(plant, home, unused_port) as (process, lines):
        text = "".join(lines)
        assert f"Lineside is at http://127.0.0.1:{unused_port}" in text
        assert "has no config.json. Name a folder in Hugging Face format. Answers are quoted passages" in text
        assert len(re.findall(r"\((?:technician|supervisor|administrator)\)", text)) == 3
        assert httpx.get(f"http://127.0.0.1:{unused_port}/healthz", trust_env=False).is_success
        children = psutil.Process(process.pid).children(recursive=True)
        assert children
    assert process.returncode == 0
    assert not [child for child in children if child.is_running() and child.status() != psutil.STATUS_ZOMBIE]
    with running(plant, home, unused_port) as (process, lines):
        text = "".join(lines)
        assert "demonstration plant is loaded already" in text
        assert "Logins were made before" in text


def test_a_taken_port_is_passed_over() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert port < free_port("127.0.0.1", port) <= port + 100


def test_a_changed_plant_is_noticed(plant: Path) -> None:
    before = folder_digest(plant / "plant.yaml", plant / "built")
    assert folder_digest(plant / "plant.yaml", plant / "built") == before
    (plant / "built" / "manuals" / "HP-9.md").write_text(MANUAL.replace("45", "54"), encoding="utf-8")
    assert folder_digest(plant / "plant.yaml", plant / "built") != before
