"""Work orders of real fleets imported twice: `python -m eval.work_orders --data FOLDER` prints every figure.

Every file of the folders excavators, chillers, maintie and maintnorm is offered; what is no list of work
orders must be refused in one line. Accepted and rejected rows together must be those read, a second import
must change nothing, and all but embedding must take less than a minute a file.
"""

import argparse
import csv
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import typer

from assistant.app import open_lineside
from assistant.errors import InputError
from assistant.settings import load_settings
from eval.shorthand import clean_text, raw_text, read_norm
from ingest.order_commands import build_importer
from ingest.order_file import Choices
from ingest.work_orders import ImportOutcome, WorkOrders

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
    held = True
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        settings = load_settings({**os.environ, "LINESIDE_HOME": str(home)})
        with open_lineside(settings) as lineside:
            importer = build_importer(lineside)
            for path in _files(given.data, Path(folder)):
                held &= _twice(importer, path)
    return 0 if held else 1


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


def _twice(importer: WorkOrders, path: Path) -> bool:
    name = f"{path.parent.name}/{path.name}"
    choices = Choices(GIVEN.get(path.name))
    try:
        first = importer.ingest(path, choices)
    except InputError as refused:
        typer.echo(f"{name}: refused: {refused.problem[:90]}")
        return True
    second = importer.ingest(path, choices)
    besides = sum(spent for stage, spent in first.seconds.items() if stage != "embed")
    changes = second.added + second.updated + second.reindexed
    typer.echo(
        f"{name}: {first.read} rows = {first.accepted} accepted + {len(first.rejected)} rejected; "
        f"{first.added} added, {first.updated} updated, {first.merged} merged; "
        f"second import changes {changes}; {_spent(first)}; {first.shorthand} words of shorthand learned"
    )
    whole = first.read == first.accepted + len(first.rejected) == second.read
    return whole and changes == 0 and besides < LIMIT_S


def _spent(outcome: ImportOutcome) -> str:
    return ", ".join(f"{stage} {spent} s" for stage, spent in outcome.seconds.items())


if __name__ == "__main__":
    sys.exit(main())
