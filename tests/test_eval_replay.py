"""What the model wrote once is scored on every change: the gate holds, and no figure moves unseen."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from eval.folder import FIGURES, RESULTS, Folder
from eval.home import Homes
from eval.record import GATE, RECORDED, RECORDING, arguments, pinned

REPOSITORY = Path(__file__).parents[1]
NO_SERVER = "http://127.0.0.1:9/v1"
SECONDS = 180

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with the demonstration plant, ingested by the code under test."""
    folder = tmp_path_factory.mktemp("replay")
    return Homes(folder, REPOSITORY / ".lineside" / "models", print).of_plant()


def lineside(home: Path, *arguments: object, **variables: str) -> "subprocess.CompletedProcess[str]":
    kept = {name: value for name, value in os.environ.items() if not name.startswith("LINESIDE_")}
    return subprocess.run(
        [sys.executable, "-m", "assistant", *map(str, arguments)],
        env={**kept, "LINESIDE_HOME": str(home), "LINESIDE_LLM_URL": NO_SERVER, **variables},
        capture_output=True,
        text=True,
        check=False,
    )


def recorded() -> tuple[int, dict[str, list[float]]]:
    if not (RECORDED / RECORDING).exists():
        pytest.fail(f"{RECORDED} holds no recording: run make record")
    held = json.loads((RECORDED / FIGURES).read_text(encoding="utf-8"))
    return held["limit"], held["figures"]


@pytest.fixture(scope="module")
def replayed(home: Path) -> tuple["subprocess.CompletedProcess[str]", float, Path]:
    limit, _ = recorded()
    report = home / "report"
    started = time.perf_counter()
    done = lineside(home, *arguments(report, limit), "--replay", RECORDED / RECORDING, "--gate", GATE)
    return done, time.perf_counter() - started, report


def test_the_gate_holds_on_what_was_recorded(
    replayed: tuple["subprocess.CompletedProcess[str]", float, Path],
) -> None:
    done, _, _ = replayed
    assert "were never recorded" not in done.stderr, f"the recording is stale: run make record\n{done.stderr}"
    assert done.returncode == 0, done.stderr


def test_each_figure_is_the_recorded_one_to_the_digit(
    replayed: tuple["subprocess.CompletedProcess[str]", float, Path],
) -> None:
    _, figures = recorded()
    changed = {
        name: (figures.get(name), value)
        for name, value in pinned(replayed[2] / FIGURES).items()
        if figures.get(name) != value
    }
    assert not changed, "answers have changed: run make record and commit what became of the figures"
    assert set(figures) == set(pinned(replayed[2] / FIGURES))


def test_the_replay_takes_less_than_three_minutes(
    replayed: tuple["subprocess.CompletedProcess[str]", float, Path],
) -> None:
    _, seconds, report = replayed
    (session,) = Folder(report).run().sessions
    assert seconds < SECONDS and session.report_s < 60


def test_the_record_of_a_run_says_how_it_came_about(
    replayed: tuple["subprocess.CompletedProcess[str]", float, Path],
) -> None:
    run = Folder(replayed[2]).run()
    assert run.replayed and run.recorded["id"] and run.recorded["git_commit"]
    assert run.model and len(run.model_digest) == 64 and run.embedder == "e5-small"
    assert len(run.prompt_hash) == 64 and len(run.settings_hash) == 64 and run.versions["qdrant-edge-py"]
    assert len(run.revisions) == 5 and all(len(digest) == 64 for digest in run.revisions.values())
    assert {"retrieval", "llm", "ingest", "prompt", "code", "peers", "statistics"} == set(run.settings)


# What goes wrong from outside --------------------------------------------------------------------------


def one_line(done: "subprocess.CompletedProcess[str]", code: int) -> str:
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("lineside: ")]
    return line


def suite_of(path: Path, count: int) -> Path:
    lines = (REPOSITORY / "eval" / "suites" / "plant-en.jsonl").read_text(encoding="utf-8").splitlines()
    path.write_text("\n".join(lines[:count]) + "\n", encoding="utf-8")
    return path


def test_bad_input_is_one_clear_line_and_leaves_nothing(home: Path, tmp_path: Path) -> None:
    suite, report = suite_of(tmp_path / "s.jsonl", 2), tmp_path / "report"
    bad = tmp_path / "bad.jsonl"
    bad.write_text(suite.read_text(encoding="utf-8") + '{"id": 3}\n', encoding="utf-8")
    assert "line 3" in one_line(lineside(home, "eval", "run", "--suite", bad, "--report", report), 2)
    strange = tmp_path / "strange.jsonl"
    strange.write_text(suite.read_text(encoding="utf-8").replace("HP-250_", "HP-999_"), encoding="utf-8")
    line = one_line(lineside(home, "eval", "run", "--suite", strange, "--report", report), 2)
    assert "HP-999_" in line and "Ingest them first" in line
    line = one_line(
        lineside(home, "eval", "run", "--suite", suite, "--report", report, "--replay", "no.gz"), 2
    )
    assert "Make a recording" in line
    assert not report.exists()
    (tmp_path / "file").touch()
    line = one_line(lineside(home, "eval", "run", "--suite", suite, "--report", tmp_path / "file" / "r"), 2)
    assert "cannot be written" in line


def test_a_model_that_is_gone_ends_the_run_in_one_line_and_what_was_answered_stays(
    home: Path, tmp_path: Path
) -> None:
    suite, report = suite_of(tmp_path / "s.jsonl", 3), tmp_path / "report"
    options = (
        "eval",
        "run",
        "--suite",
        suite,
        "--report",
        report,
        "--system",
        "bm25_quotes",
        "--system",
        "no_documents",
    )
    line = one_line(lineside(home, *options), 1)
    assert "so the run stops here" in line and "run again" in line
    held = Folder(report).results()
    assert {result.system for result in held} <= {"bm25_quotes"}
    line = one_line(lineside(home, *options), 1)
    assert len(Folder(report).results()) >= len(held)


def test_ctrl_c_leaves_a_report_of_what_is_there_and_the_same_command_goes_on(
    home: Path, tmp_path: Path
) -> None:
    suite, report, empty = suite_of(tmp_path / "s.jsonl", 100), tmp_path / "report", tmp_path / "empty.jsonl"
    empty.touch()
    command = ("eval", "run", "--suite", suite, "--report", report, "--system", "lineside", "--replay", empty)
    kept = {name: value for name, value in os.environ.items() if not name.startswith("LINESIDE_")}
    process = subprocess.Popen(
        [sys.executable, "-m", "assistant", *map(str, command)],
        env={**kept, "LINESIDE_HOME": str(home)},
        stderr=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + 120
    while not (report / RESULTS).exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=120)
    assert process.returncode == 1 and "the same command goes on" in said and "Traceback" not in said
    partial = len(Folder(report).results())
    assert 0 < partial < 100 and f"Lineside {partial} of 100" in (report / "summary.md").read_text(
        encoding="utf-8"
    )
    assert lineside(home, *command).returncode == 0
    run = Folder(report).run()
    assert len(Folder(report).results()) == 100 and len(run.sessions) == 2
