"""`lineside eval plant`: writes the files that carry an injection suite's attacks, ready to be ingested."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from eval.cases import read_suite
from eval.injection import MANUALS, ORDERS, Planted, attacks_of, plant_attacks
from eval.injection_families import attacks_from, read_families, suite_lines

SUITE = "suite.jsonl"


def plant(
    suite: Annotated[Path, typer.Option(help="Suite of attacks; with --payloads, of plain questions.")],
    out: Annotated[Path, typer.Option(help="New folder for the files.")],
    payloads: Annotated[
        Path | None, typer.Option(help="JSON of payload families to plant for the suite's questions.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print what was planted as JSON.")] = False,
) -> int:
    """Write each attack of a suite into a real file, to be ingested into a home made for that alone."""
    held = read_suite(suite)
    attacks = attacks_from(read_families(payloads), held) if payloads else attacks_of(held)
    planted = plant_attacks(attacks, out)
    run = suite
    if payloads:
        run = out / SUITE
        run.write_text(suite_lines(attacks), encoding="utf-8")
    if as_json:
        typer.echo(
            json.dumps({"suite": str(run), "planted": [asdict(one) for one in planted]}, ensure_ascii=False)
        )
    else:
        _print(planted, out, run)
    return 0


def _print(planted: list[Planted], out: Path, suite: Path) -> None:
    for one in planted:
        if one.remark:
            typer.echo(f"{one.case}: {one.remark}", err=True)
    documents = sum(one.carrier != "work_order" for one in planted)
    typer.echo(
        f"{len(planted)} attacks planted in {out}, {documents} in documents. Next, on a home of their own:"
    )
    if documents:
        typer.echo(f"  lineside ingest {out / MANUALS}")
    if documents < len(planted):
        typer.echo(f"  lineside ingest-work-orders {out / ORDERS}")
    typer.echo(f"  lineside eval run --suite {suite} --report REPORT --gate eval/gate-injection.yaml")
