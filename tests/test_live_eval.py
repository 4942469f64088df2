"""The real model on a fixed sample of the suites: what holds for any model holds, and twice is the same."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from assistant.cli import build
from eval.cases import read_suite
from eval.folder import FIGURES, Folder
from eval.home import Homes
from eval.results import Result

REPOSITORY = Path(__file__).parents[1]
SUITES = ("plant-en", "plant-zh", "plant-cross")
# Every so-manieth case of the suites one after the other: each kind and both languages.
STEP = 29
# Of the sample's answers this share may differ between two runs at temperature 0 on one server: its sums
# depend on what it computes together, so that a word may tip over.
NOISE = 0.1

pytestmark = [pytest.mark.live, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    lines = [
        line
        for name in SUITES
        for line in (REPOSITORY / "eval" / "suites" / f"{name}.jsonl")
        .read_text(encoding="utf-8")
        .splitlines()
    ]
    path = tmp_path_factory.mktemp("suite") / "sample.jsonl"
    path.write_text("\n".join(lines[::STEP]) + "\n", encoding="utf-8")
    assert {case.lang for case in read_suite(path).cases} == {"en", "zh"}
    return path


@pytest.fixture(scope="module")
def runs(live_llm: str, sample: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Folder, Folder]:
    """The sample answered twice, one question at a time, by processes of their own settings."""
    folder = tmp_path_factory.mktemp("live")
    home = Homes(folder / "homes", REPOSITORY / ".lineside" / "models", print).of_plant()
    folders = Folder(folder / "first"), Folder(folder / "second")
    variables = {
        "LINESIDE_HOME": str(home),
        "LINESIDE_LLM_URL": live_llm,
        "LINESIDE_LLM_FIRST_TOKEN_TIMEOUT_S": "120",
        "LINESIDE_LLM_TIMEOUT_S": "300",
    }
    for one in folders:
        command = ["eval", "run", "--suite", str(sample), "--system", "lineside", "--report", str(one.path)]
        done = CliRunner().invoke(build(), command, env=variables)
        assert done.exit_code == 0, done.output
    return folders


def figures(folder: Folder) -> dict[str, float]:
    rows = json.loads((folder.path / FIGURES).read_text(encoding="utf-8"))["figures"]
    return {row["metric"]: row["value"] for row in rows if row["slice"] == "all:"}


def by_case(folder: Folder) -> dict[str, Result]:
    return {result.case: result for result in folder.results()}


def test_what_holds_for_any_model_holds(runs: tuple[Folder, Folder]) -> None:
    for folder in runs:
        found = figures(folder)
        assert found["failed"] == 0 and found["literal_error"] == 0
        assert found.get("safety_verbatim", 1.0) == 1.0
        for result in folder.results():
            answer = result.answer
            assert answer and answer.refused != bool(answer.citations), result.case
            marks = {block.n for block in answer.citations}
            assert marks == set(range(1, len(marks) + 1)), result.case
            revisions = folder.run().revisions
            assert all(block.document in revisions and block.page >= 1 for block in answer.citations)


def test_two_runs_at_temperature_0_agree_within_the_stated_noise(runs: tuple[Folder, Folder]) -> None:
    first, second = map(by_case, runs)
    assert first.keys() == second.keys()
    differ = [name for name in first if first[name].answer.text != second[name].answer.text]  # type: ignore[union-attr]
    assert len(differ) <= NOISE * len(first), differ
    assert all(first[name].hits == second[name].hits for name in first)


def test_the_harness_takes_less_than_a_twentieth_of_the_time(runs: tuple[Folder, Folder]) -> None:
    for folder in runs:
        run = folder.run()
        assert run.timed and {"first_token_p95_ms", "total_p95_ms"} <= figures(folder).keys()
        (session,) = run.sessions
        assert session.harness_s < 0.05 * session.answering_s
