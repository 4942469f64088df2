"""What becomes of hostile files: each is ingested or rejected, in time, and nothing stored before changes.

    python -m ingest.survival FOLDER... [--timeout 60]

Ingests every file below the folders into a home of its own that holds one known manual, and prints a line for
each with the figures at the end. Exit code 1 when a file broke a limit or what was stored before changed.
"""

import argparse
import json
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assistant.app import Lineside, open_lineside
from assistant.errors import LinesideError
from assistant.schema import IngestOutcome, Question
from assistant.settings import load_settings
from ingest.commands import build_ingestor
from ingest.files import find_files
from ingest.worker_memory import ChildrenMemory

KNOWN = "# Known manual\n\n## Alarm E-4711\n\nThe coolant valve is shut. Open it.\n"
QUESTION = "What does alarm E-4711 mean?"
# A reason that names these is a crash that nobody foresaw.
CRASHES = ("parser crashed", "parser stopped", "nonsense")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one file, and how long it took in seconds."""

    outcome: IngestOutcome
    seconds: float

    @property
    def reason(self) -> str:
        """Why it was rejected, without the file's name and figures; '' when it was not."""
        if self.outcome.status != "rejected":
            return ""
        text = self.outcome.reason.removeprefix(Path(self.outcome.document).name).strip()
        return text.partition(". ")[0].partition(" (")[0]


def survive(lineside: Lineside, folders: Sequence[Path]) -> tuple[list[Outcome], bool]:
    """Ingests all files below the folders.

    Returns:
        The outcomes in order, and whether the manual that was there before is untouched: the same passages,
        still found first.

    Raises:
        InputError: a folder does not exist or holds no file that could be a manual.
    """
    ingestor = build_ingestor(lineside)
    with tempfile.TemporaryDirectory() as folder:
        known = Path(folder) / "known.md"
        known.write_text(KNOWN, encoding="utf-8")
        ingestor.ingest(known, known.name)
    before = _known(lineside)
    outcomes = []
    for candidate in find_files(folders):
        begun = time.monotonic()
        outcome = ingestor.ingest(candidate.path, candidate.document)
        outcomes.append(Outcome(outcome, round(time.monotonic() - begun, 1)))
        sys.stderr.write(f"{outcomes[-1].seconds:6.1f} s  {outcome.status:10} {candidate.document}")
        sys.stderr.write(f"  {outcome.reason}\n")
    stored = sum(o.outcome.chunks for o in outcomes if o.outcome.status in {"ingested", "superseded"})
    count = lineside.store.count()
    return outcomes, _known(lineside) == before and count <= stored + len(before)


def figures(
    outcomes: Sequence[Outcome], untouched: bool, timeout_s: float, worker_peak_mb: int
) -> dict[str, Any]:
    """The figures of a run as JSON."""
    slowest = max(outcomes, key=lambda outcome: outcome.seconds)
    return {
        "files": len(outcomes),
        **Counter(outcome.outcome.status for outcome in outcomes),
        "reasons": dict(Counter(o.reason for o in outcomes if o.reason).most_common()),
        "crashed": [o.outcome.document for o in outcomes if any(word in o.reason for word in CRASHES)],
        "longest_s": slowest.seconds,
        "longest": slowest.outcome.document,
        "limit_s": timeout_s,
        "worker_peak_mb": worker_peak_mb,
        "stored_before_untouched": untouched,
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Prints one line a file on standard error and the figures as JSON on standard output."""
    parser = argparse.ArgumentParser(prog="python -m ingest.survival", description="Ingest hostile files.")
    parser.add_argument("folders", type=Path, nargs="+")
    parser.add_argument("--timeout", type=float, default=60.0, help="seconds for one file")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as home:
        variables = {**os.environ, "LINESIDE_HOME": home, "LINESIDE_INGEST_TIMEOUT_S": str(options.timeout)}
        try:
            with (
                open_lineside(load_settings(variables)) as lineside,
                ChildrenMemory("ingest.sandbox") as memory,
            ):
                outcomes, untouched = survive(lineside, options.folders)
        except LinesideError as problem:
            sys.stderr.write(f"{problem}\n")
            return problem.exit_code
    result = figures(outcomes, untouched, options.timeout, memory.peak_mb)
    json.dump(result, sys.stdout, ensure_ascii=False, indent=1)
    sys.stdout.write("\n")
    # Embedding what was read comes on top of the limit for reading it.
    late = result["longest_s"] > 2 * options.timeout
    return int(late or not untouched or bool(result["crashed"]))


def _known(lineside: Lineside) -> tuple[str, ...]:
    """The passages of the known manual, found by asking for it."""
    hits = lineside.retriever.retrieve(Question(QUESTION))
    return tuple(hit.chunk.text for hit in hits if hit.chunk.document == "known.md")


if __name__ == "__main__":
    sys.exit(main())
