"""A plant's whole library in one night: 100,000 chunks, the process killed midway, and taken up again.

The manuals are written for the purpose, each section one chunk. Parsing, cutting, storing, checking and
publishing are real; vectors are drawn by lot, because embedding so much takes many minutes (its rate is
measured on real manuals by the ingest section).
"""

import json
import random
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from assistant.app import open_lineside
from assistant.schema import Question
from assistant.settings import load_settings
from eval.bench.plant import QUESTIONS, environment_for, run_module

SECTIONS = 500
KILL_AFTER = 0.4
ROUNDS = 3
_PARTS = "pump valve belt spindle gearbox filter cylinder motor coupling bearing hose sensor fan".split()
_DEEDS = "check clean replace grease tighten measure adjust drain vent align test flush".split()
_SIGNS = "noise heat leakage vibration wear pressure speed play backlash dust".split()
_CHINESE = (
    "检查油位",
    "更换滤芯",
    "清洁散热片",
    "测量压力",
    "紧固螺栓",
    "调整皮带张力",
    "润滑轴承",
    "排放冷凝水",
)


@dataclass(frozen=True, slots=True)
class BulkFigures:
    """One library, killed once.

    Attributes:
        expected, held: chunks that were written into the manuals, chunks found in the end.
        published_before_kill: files; `unchanged_after` of them were left as they were by the second run.
        unfinished: revisions that are neither visible nor gone in the end.
        seconds: of both runs together.
        p50_ms, p95_ms: question to passages in the library, embedding of the question included.
    """

    expected: int
    held: int
    files: int
    published_before_kill: int
    unchanged_after: int
    unfinished: int
    seconds: float
    p50_ms: float
    p95_ms: float
    rss_mb: float


def measure_bulk(folder: Path, chunks: int) -> BulkFigures:
    """Writes the manuals, ingests them, kills the process, goes on, counts and asks.

    Args:
        folder: empty.
        chunks: rounded up to whole manuals.

    Raises:
        LinesideError: the second run failed.
    """
    manuals, home = folder / "library", folder / "bulk-home"
    files = -(-chunks // SECTIONS)
    write_library(manuals, files)
    environment = environment_for(home)
    start = time.perf_counter()
    before = _run_and_kill(manuals, environment, int(files * KILL_AFTER))
    lines = run_module("ingest.timed_bulk", [str(manuals)], environment).splitlines()
    seconds = time.perf_counter() - start
    last: dict[str, Any] = json.loads(lines[-1])
    with open_lineside(load_settings(environment)) as lineside:
        revisions = lineside.catalogue.revisions()
        visible = [revision for revision in revisions if revision.state == "visible"]
        held = sum(lineside.store.count(revision.id) for revision in visible)
        took = []
        for text in QUESTIONS * ROUNDS:
            began = time.perf_counter()
            lineside.retriever.retrieve(Question(text))
            took.append((time.perf_counter() - began) * 1000)
    p50, p95 = np.quantile(took[len(QUESTIONS) :], [0.5, 0.95])
    return BulkFigures(
        expected=files * SECTIONS,
        held=held,
        files=files,
        published_before_kill=before,
        unchanged_after=last["unchanged"],
        unfinished=len(revisions) - len(visible),
        seconds=seconds,
        p50_ms=float(p50),
        p95_ms=float(p95),
        rss_mb=last["rss_mb"],
    )


def write_library(folder: Path, files: int) -> None:
    """Markdown manuals of SECTIONS sections with one paragraph each; the same every time."""
    folder.mkdir(parents=True)
    draw = random.Random(11)
    for number in range(files):
        sections = "\n\n".join(_section(draw, section) for section in range(SECTIONS))
        (folder / f"manual-{number:04}.md").write_text(f"# Machine manual\n\n{sections}\n", encoding="utf-8")


def _section(draw: random.Random, number: int) -> str:
    part, sign = draw.choice(_PARTS), draw.choice(_SIGNS)
    steps = [
        f"{draw.choice(_DEEDS).capitalize()} the {draw.choice(_PARTS)} when {draw.choice(_SIGNS)} exceeds "
        f"{draw.randint(2, 99)} {draw.choice(('bar', 'mm', '°C', 'h'))}."
        for _ in range(5)
    ]
    steps.append(f"{draw.choice(_CHINESE)}，每 {draw.randint(2, 90)} 小时一次。")
    return f"## Case {number}: {sign} of the {part}\n\n{' '.join(steps)}"


def _run_and_kill(manuals: Path, environment: dict[str, str], after: int) -> int:
    """Ends the process without warning once so many files are published; returns how many were."""
    argv = [sys.executable, "-m", "ingest.timed_bulk", str(manuals)]
    published = 0
    with subprocess.Popen(argv, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            published += line.startswith("ingested")
            if published >= after:
                break
        process.send_signal(signal.SIGKILL)
        published += sum(line.startswith("ingested") for line in process.stdout)
    return published
