"""`lineside eval record`: makes what pull requests are scored with, eval/recorded/, on a fresh checkout.

outputs.jsonl.gz holds what the model wrote, run.json how that came about, and figures.json the figures that a
replay of it gives, to the digit: whoever changes an answer has to record again and shows what became of it.
"""

import json
import tempfile
from pathlib import Path
from typing import Annotated, Any

import typer

from assistant.errors import InputError
from assistant.settings import load_settings
from eval.folder import FIGURES, OUTPUTS, RUN, Folder
from eval.home import ROOT, Homes, lineside, model_server
from eval.provenance import code_digest
from eval.recording import read_recording, write_recording
from eval.results import write_run

RECORDED = ROOT / "eval" / "recorded"
RECORDING = "outputs.jsonl.gz"
SUITES = ("plant-en", "plant-zh", "plant-cross", "triage")
GATE = ROOT / "eval" / "gate.yaml"
# Which questions the peers are asked that write with the model; a replay has to ask the same.
SAMPLE = 80
# Figures that are pinned; the other slices follow from the same answers.
PINNED = ("all", "suite")


def record(
    out: Annotated[Path, typer.Option(help="Where the recording belongs.")] = RECORDED,
    at_once: Annotated[int, typer.Option(min=1, max=64, help="Questions in flight together.")] = 4,
    limit: Annotated[int, typer.Option(min=0, help="Only so many cases of each suite; 0 for all.")] = 0,
) -> int:
    """Ask the model all that a replay will ask, keep what it wrote, and pin the figures of that replay.

    Interrupted, the same command goes on, unless the code or a suite has changed in between.
    """
    settings = load_settings()
    models, work = settings.store.root / "models", settings.store.root / "eval"
    home = Homes(work / "homes", models, _say).of_plant()
    live = work / f"recording-{code_digest(ROOT.glob('eval/suites/*.jsonl'))}-{limit or 'all'}"
    with model_server(settings, settings.store.root, _say) as where:
        code = lineside(
            home, *arguments(live, limit), "--at-once", str(at_once), partly=True, environment=where
        )
    run = Folder(live).run()
    if code or run.replayed:
        raise InputError(f"The recording in {live} is not complete", "The same command goes on from there.")
    write_recording(out / RECORDING, read_recording(live / OUTPUTS))
    write_run(out / RUN, run)
    with tempfile.TemporaryDirectory(dir=work) as scratch:
        replay = Path(scratch) / "replay"
        # It says which limits the new figures fail; to move them is for a person.
        command = [*arguments(replay, limit), "--replay", str(out / RECORDING), "--gate", str(GATE)]
        lineside(home, *command, partly=True)
        figures = {"limit": limit, "figures": pinned(replay / FIGURES)}
    (out / FIGURES).write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    _say(f"recorded: {out}\nreport: {live / 'report.html'}")
    return 0


def arguments(report: Path, limit: int = 0) -> list[str]:
    """The `lineside eval run` that recordings and their replays are made with."""
    chosen = ["--limit", str(limit)] if limit else []
    return ["eval", "run", *suite_options(), "--report", str(report), "--sample", str(SAMPLE), *chosen]


def suite_options() -> list[str]:
    """The project's suites for the demonstration plant as options of `lineside eval run`."""
    folder = ROOT / "eval" / "suites"
    return [part for name in SUITES for part in ("--suite", str(folder / f"{name}.jsonl"))]


def pinned(figures: Path) -> dict[str, list[Any]]:
    """Figures as they are pinned: value and n by 'system slice metric'.

    Args:
        figures: figures.json of a run's folder.
    """
    rows = json.loads(figures.read_text(encoding="utf-8"))["figures"]
    return {
        f"{row['system']} {row['slice'].rstrip(':')} {row['metric']}": [row["value"], row["n"]]
        for row in rows
        if row["slice"].split(":")[0] in PINNED
    }


def _say(line: str) -> None:
    typer.echo(line, err=True)
