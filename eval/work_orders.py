"""Work orders of real fleets imported twice: `python -m eval.work_orders --data FOLDER` prints every figure.

Every file of the folders excavators, chillers, maintie and maintnorm is offered; what is no list of work
orders must be refused in one line. Accepted and rejected rows together must be those read, a second import
must change nothing, and all but embedding must take less than a minute a file.
"""

import argparse
import csv
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer

from eval.shorthand import clean_text, raw_text, read_norm

LIMIT_S = 60.0
# Files without a date or number, which only a supervisor's mapping tells to be work orders.
GIVEN = {"gold_release.json": "description=text", "normalised.csv": "description=raw,plain=clean"}


def main() -> int:
    """Prints a line a file; 1 when a figure does not hold, 2 when the data is not there."""
    parser = argparse.ArgumentParser(prog="python -m eval.work_orders", description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder with excavators, chillers, ...")
    given = parser.parse_args()
    if not (given.data / "excavators").is_dir():
        typer.echo(f"{given.data} holds no folder excavators", err=True)
        return 2
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        held = [_twice(path, home) for path in _files(given.data, Path(folder))]
    return 0 if all(held) else 1


def _files(data: Path, scratch: Path) -> Iterator[Path]:
    for name in ("excavators", "chillers", "maintie"):
        yield from sorted(path for path in (data / name).iterdir() if path.suffix in {".csv", ".json"})
    for company in sorted((data / "maintnorm").glob("company_*")):
        path = scratch / company.name / "normalised.csv"
        path.parent.mkdir()
        with path.open("w", encoding="utf-8", newline="") as stream:
            writer = csv.writer(stream)
            writer.writerow(("raw", "clean"))
            for part in ("train", "val", "test"):
                rows = read_norm(company / f"{part}.norm")
                writer.writerows((raw_text(text), clean_text(text)) for text in rows)
        yield path


def _twice(path: Path, home: Path) -> bool:
    name = f"{path.parent.name}/{path.name}"
    first = _imported(path, home)
    if isinstance(first, str):
        typer.echo(f"{name}: refused: {first[:90]}")
        return True
    second = _imported(path, home)
    if isinstance(second, str):
        typer.echo(f"{name}: refused the second time: {second[:90]}")
        return False
    besides = sum(spent for stage, spent in first["seconds"].items() if stage != "embed")
    changes = second["added"] + second["updated"] + second["reindexed"]
    spent = ", ".join(f"{stage} {seconds} s" for stage, seconds in first["seconds"].items())
    typer.echo(
        f"{name}: {first['read']} rows = {first['accepted']} accepted + {len(first['rejected'])} rejected; "
        f"{first['added']} added, {first['updated']} updated, {first['merged']} merged; "
        f"second import changes {changes}; {spent}; {first['shorthand']} words of shorthand learned"
    )
    whole = first["read"] == first["accepted"] + len(first["rejected"]) == second["read"]
    return bool(whole and changes == 0 and besides < LIMIT_S)


def _imported(path: Path, home: Path) -> dict[str, Any] | str:
    """What the command tells of the import, or the line with which it refuses."""
    command = [sys.executable, "-m", "assistant", "ingest-work-orders", str(path), "--json"]
    command += ["--mapping", GIVEN[path.name]] if path.name in GIVEN else []
    environment = {**os.environ, "LINESIDE_HOME": str(home)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if not done.stdout:
        return done.stderr.strip().splitlines()[-1]
    outcome: dict[str, Any] = json.loads(done.stdout)
    return outcome


if __name__ == "__main__":
    sys.exit(main())
