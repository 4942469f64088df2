"""The demonstration plant as benchmarks use it: its manuals, a home with them ingested, and questions."""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from assistant.errors import InputError, LinesideError

DEMO = Path(__file__).parents[2] / "demo"
MANUALS = DEMO / "built" / "manuals"

# As a technician types them, on what the plant's manuals hold and on what they do not.
QUESTIONS = (
    "how do I change the return filter on the press",
    "E-07 on the press, what now",
    "what nitrogen pressure goes in the accumulator",
    "steps to replace the main pump",
    "turret does not index, what to check",
    "spindle gets hot, which causes",
    "compressor trips on high air temperature",
    "how to change the separator element on the screw compressor",
    "belt runs off to one side at the tail",
    "how do I tension the conveyor belt",
    "gearbox oil change on the conveyor, how much",
    "press sinks when stopped",
    "AL-031 怎么处理",
    "怎么更换油泵",
    "料筒温度一直上不去",
    "合模不到位是什么原因",
    "润滑多久加一次油",
    "how do I test the light curtain",
    "chuck does not clamp",
    "oil carry over in the air line",
)


def ingest_plant(home: Path) -> None:
    """Ingests the plant's manuals into an empty home.

    Raises:
        LinesideError: the command failed.
    """
    run_module("assistant", ["ingest", *map(str, plant_manuals()), "--json"], environment_for(home))


def plant_manuals() -> list[Path]:
    """The plant's manuals.

    Raises:
        InputError: they were not built.
    """
    found = sorted(MANUALS.glob("*.pdf"))
    if not found:
        raise InputError(f"{MANUALS} holds no manuals", "Run the benchmark from a checkout of Lineside.")
    return found


def environment_for(home: Path, **changes: str) -> dict[str, str]:
    """This process's variables with another home, and without settings that would change what is measured."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("LINESIDE_")}
    return {**kept, "LINESIDE_HOME": str(home), **changes}


def run_module(module: str, arguments: Sequence[str], environment: dict[str, str]) -> str:
    """Runs `python -m module` to its end and returns what it printed.

    Raises:
        LinesideError: it failed.
    """
    argv = [sys.executable, "-m", module, *arguments]
    done = subprocess.run(argv, capture_output=True, text=True, check=False, env=environment)
    if done.returncode:
        last = done.stderr.strip().splitlines()[-1:] or [f"exit code {done.returncode}"]
        raise LinesideError(f"{module} failed: {last[0]}")
    return done.stdout
