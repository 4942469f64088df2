"""The command line as scripts meet it: the contract, and one clear line for all that goes wrong."""

import json
import os
import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pypdf
import pytest

from assistant.store.edge import EdgeStore

REPOSITORY = Path(__file__).parents[1]
MANUALS = REPOSITORY / "demo" / "built" / "manuals"
PRESS = MANUALS / "HP-250_hydraulic-press_rev-C.pdf"
NO_SERVER = "http://127.0.0.1:9/v1"

pytestmark = pytest.mark.slow


class Cli:
    """Runs `lineside` on one home, as a process of its own."""

    def __init__(self, home: Path, limit: Callable[[], None] | None = None) -> None:
        self.home = home
        self._limit = limit

    def __call__(self, *arguments: object, **variables: str) -> "subprocess.CompletedProcess[str]":
        kept = {name: value for name, value in os.environ.items() if not name.startswith("LINESIDE_")}
        return subprocess.run(
            [sys.executable, "-m", "assistant", *map(str, arguments)],
            env={**kept, "LINESIDE_HOME": str(self.home), "LINESIDE_LLM_URL": NO_SERVER, **variables},
            capture_output=True,
            text=True,
            check=False,
            preexec_fn=self._limit,
        )

    def json(self, *arguments: object) -> Any:
        done = self(*arguments, "--json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def refused(self, *arguments: object, **variables: str) -> str:
        """The one line of a call that must end with exit code 2 and print nothing else."""
        done = self(*arguments, **variables)
        lines = [line for line in done.stderr.splitlines() if line.startswith("lineside: ")]
        assert (done.returncode, done.stdout) == (2, ""), done.stderr
        assert len(lines) == 1, done.stderr
        return lines[0]


@pytest.fixture(scope="module")
def plant(tmp_path_factory: pytest.TempPathFactory) -> Cli:
    """A home with the press manual, revision B and then C, the register, the stock and some work orders."""
    folder = tmp_path_factory.mktemp("cli")
    cli = Cli(folder / "home")
    assert cli("assets", "import", REPOSITORY / "demo" / "plant.yaml").returncode == 0
    assert cli("stock", "import", REPOSITORY / "demo" / "built" / "stock.csv").returncode == 0
    outcomes = cli.json("ingest", MANUALS / "HP-250_hydraulic-press_rev-B.pdf", PRESS)
    assert [(o["status"], o["pages"], o["ocr_pages"]) for o in outcomes] == [
        ("ingested", 35, 2),
        ("superseded", 36, 2),
    ]
    orders = (REPOSITORY / "demo" / "built" / "work_orders.csv").read_text(encoding="utf-8").splitlines()
    some = folder / "orders.csv"
    some.write_text(
        "\n".join([orders[0], *(line for line in orders[1:] if ",PR-0" in line)]), encoding="utf-8"
    )
    assert cli.json("ingest-work-orders", some, "--mapping", "maximo")["rejected"] == []
    return cli


def test_ingesting_again_changes_nothing(plant: Cli) -> None:
    again = plant.json("ingest", PRESS)
    assert [(o["status"], o["chunks"] > 100) for o in again] == [("unchanged", True)]


def test_an_answer_carries_the_contract(plant: Cli) -> None:
    answer = plant.json("ask", "E-07, what now?", "--asset", "PR-01")
    assert {"answer", "refused", "mode", "language", "citations", "safety", "timings_ms"} <= set(answer)
    first = answer["citations"][0]
    assert (first["n"], first["document"], first["revision"]) == (1, PRESS.name, "C")
    assert "E-07" in first["quote"] and "E-07" in page_text(first["page"])
    assert all(0 <= box[edge] <= 1 for box in first["boxes"] for edge in ("x0", "y0", "x1", "y1"))
    assert (answer["mode"], answer["refused"]) == ("extractive", False) and "[1]" in answer["answer"]


def test_an_answer_tells_why_when_asked_to(plant: Cli) -> None:
    question = ("ask", "E-07, what now?", "--asset", "PR-01")
    trace = plant.json(*question, "--explain")["trace"]
    assert trace["hits"][0]["document"] == PRESS.name and trace["applies_to"] == ["pr-01", "hp-250"]
    assert trace["checks"] and trace["timings_ms"]["total"] > 0 and trace["identifiers"] == ["e07"]
    told = plant(*question, "--explain").stdout
    assert "Must hold for: pr-01 | hp-250" in told and f"{PRESS.name}, page" in told and "Checks:" in told
    assert "Checks:" not in plant(*question).stdout and "trace" not in plant.json(*question)


def test_a_batch_keeps_order_and_ids_and_says_what_could_not_be_asked(plant: Cli, tmp_path: Path) -> None:
    lines = [
        {"id": "a", "question": "accumulator precharge", "asset": "PR-01"},
        {"id": "b", "question": "torque?", "asset": "XY-99"},
        {"id": "c", "question": "E-999?", "asset": "HP-250"},
    ]
    batch, out = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    batch.write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
    done = plant("ask", "--batch", batch, "--out", out)
    answers = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
    assert done.returncode == 1 and [answer["id"] for answer in answers] == ["a", "b", "c"]
    assert "45 bar" in answers[0]["answer"] and "XY-99" in answers[1]["error"] and answers[2]["refused"]


def test_triage_names_causes_parts_and_past_orders(plant: Cli, tmp_path: Path) -> None:
    form = tmp_path / "form.json"
    form.write_text(
        json.dumps({"asset": "PR-01", "happened": "oil low again", "code": "E-07"}), encoding="utf-8"
    )
    case = plant.json("triage", "--form", form)
    first = case["causes"][0]
    assert "Leak in the system" in first["cause"] and "E-07" in page_text(first["citation"]["page"])
    assert "44-2305" in [part["part"] for part in first["parts"]]
    assert case["orders"] and all(order["asset"].startswith("PR-") for order in case["orders"])


def page_text(page: int) -> str:
    return pypdf.PdfReader(PRESS).pages[page - 1].extract_text()


@pytest.fixture(scope="module")
def bad_files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bad")
    (folder / "empty.pdf").touch()
    (folder / "damaged.pdf").write_bytes(PRESS.read_bytes()[:3000])
    (folder / "none").mkdir()
    (folder / "orders.csv").write_text("colour,weight\nred,3\n", encoding="utf-8")
    locked = pypdf.PdfWriter()
    locked.add_blank_page(100, 100)
    locked.encrypt("secret", algorithm="AES-256")
    locked.write(folder / "locked.pdf")
    return folder


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["ingest", "{bad}/missing.pdf"], "missing.pdf"),
        (["ingest", "{bad}/none"], "none"),
        (["ingest-work-orders", "{bad}/orders.csv", "--mapping", "maximo"], "WONUM"),
        (["ask", "torque?", "--asset", "XY-99"], "XY-99"),
        (["ask", "   "], "empty"),
        (["ask", "x" * 50_000], "50,000"),
        (["ask", "--batch", "{bad}/orders.csv", "--out", "{bad}/out.jsonl"], "line 1"),
        (["triage", "--form", "{bad}/orders.csv"], "form"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(
    plant: Cli, bad_files: Path, arguments: list[str], named: str
) -> None:
    before = sorted(bad_files.iterdir())
    assert named in plant.refused(*(argument.replace("{bad}", str(bad_files)) for argument in arguments))
    assert sorted(bad_files.iterdir()) == before


@pytest.mark.parametrize(
    ("name", "named"), [("empty", "empty"), ("damaged", "damaged"), ("locked", "password")]
)
def test_a_file_that_cannot_be_read_is_rejected_with_its_reason(
    plant: Cli, bad_files: Path, name: str, named: str
) -> None:
    done = plant("ingest", bad_files / f"{name}.pdf", "--json")
    (outcome,) = json.loads(done.stdout)
    assert (done.returncode, outcome["status"], outcome["chunks"]) == (2, "rejected", 0)
    assert named in outcome["reason"] and "\n" not in outcome["reason"]


def test_an_unknown_setting_is_named(plant: Cli) -> None:
    assert "LINESIDE_LLM_MODLE" in plant.refused("ask", "torque?", LINESIDE_LLM_MODLE="x")


def test_a_home_in_use_is_said_to_be_in_use(plant: Cli) -> None:
    holder = EdgeStore(plant.home / "vectors", "e5-small", 384)
    try:
        assert "in use" in plant.refused("ask", "torque?")
    finally:
        holder.close()


def test_a_full_disk_leaves_nothing_half_visible(tmp_path: Path) -> None:
    def little_room() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000))

    home = tmp_path / "home"
    done = Cli(home, little_room)("ingest", PRESS)
    assert done.returncode != 0 and "Traceback" not in done.stderr, done.stderr
    assert done.stderr.count("lineside: ") <= 1
    roomy = Cli(home)
    assert roomy.json("ask", "E-07")["refused"]
    assert roomy.json("ingest", PRESS)[0]["status"] == "ingested"


def test_a_backup_restores_into_an_empty_home_only(plant: Cli, tmp_path: Path) -> None:
    packed = tmp_path / "plant.tar.gz"
    assert plant("backup", packed).returncode == 0
    assert "exists" in plant.refused("backup", packed)
    other = Cli(tmp_path / "other")
    assert other("restore", packed).returncode == 0
    assert "E-07" in other.json("ask", "E-07", "--asset", "PR-01")["citations"][0]["quote"]
    assert "already" in other.refused("restore", packed)


def test_doctor_tells_what_is_there_and_what_is_missing(plant: Cli) -> None:
    findings = {finding["name"]: finding for finding in plant.json("doctor")}
    assert findings["manuals"]["state"] == "ok" and findings["model server"]["state"] == "warning"
