"""The demonstration plant as benchmarks use it: its manuals, a home with them ingested, and questions."""

import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
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


@dataclass(frozen=True, slots=True)
class IngestRun:
    """One run over the manuals, as a process of its own: loading, reading, embedding, storing."""

    pages: int
    chunks: int
    seconds: float


def ingest_with_lineside(home: Path) -> IngestRun:
    """Times `lineside ingest` of all manuals into an empty home.

    Raises:
        LinesideError: the command failed.
    """
    if not any(MANUALS.glob("*.pdf")):
        raise InputError(f"{MANUALS} holds no manuals", "Run the benchmark from a checkout of Lineside.")
    start = time.perf_counter()
    printed = _run([sys.executable, "-m", "assistant", "ingest", str(MANUALS), "--json"], home)
    seconds = time.perf_counter() - start
    outcomes = json.loads(printed)
    return IngestRun(sum(o["pages"] for o in outcomes), sum(o["chunks"] for o in outcomes), seconds)


def ingest_with_stock_script(home: Path) -> IngestRun:
    """Times the peer (see stock.py) on the same files."""
    start = time.perf_counter()
    printed = _run([sys.executable, "-m", "eval.bench.stock", str(MANUALS), str(home / "stock")], home)
    seconds = time.perf_counter() - start
    counts = json.loads(printed)
    return IngestRun(counts["pages"], counts["chunks"], seconds)


def environment_for(home: Path, **changes: str) -> dict[str, str]:
    """This process's variables with another home, and without settings that would change what is measured."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("LINESIDE_")}
    return {**kept, "LINESIDE_HOME": str(home), **changes}


def _run(argv: list[str], home: Path) -> str:
    done = subprocess.run(argv, capture_output=True, text=True, check=False, env=environment_for(home))
    if done.returncode:
        last = done.stderr.strip().splitlines()[-1:] or [f"exit code {done.returncode}"]
        raise LinesideError(f"{' '.join(argv[1:4])} failed: {last[0]}")
    return done.stdout
