"""`lineside eval all`: everything that can be measured here, one report folder a part.

- plant: the project's suites with triage, all systems, on the demonstration plant, judged by eval/gate.yaml
- unattacked: the injection suite's questions on the clean plant, Lineside alone
- attacks: the same with the attacks planted, judged by eval/gate-injection.yaml against the unattacked run
- others: suites and documents that somebody brings, all systems, without a gate
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated

import typer

from assistant.errors import InputError, StorageError
from assistant.settings import load_settings
from eval.home import ROOT, Homes, lineside, model_server
from eval.injection import MANUALS, ORDERS
from eval.provenance import code_digest
from eval.record import suite_options

ATTACKS = ROOT / "eval" / "suites" / "injection.jsonl"
GATE, ATTACKS_GATE = ROOT / "eval" / "gate.yaml", ROOT / "eval" / "gate-injection.yaml"


def all_suites(
    report: Annotated[Path, typer.Option(help="Folder for the reports; the same one goes on.")],
    suites: Annotated[
        list[Path] | None, typer.Option(help="Folder with more suites; give it again for more.")
    ] = None,
    documents: Annotated[
        list[Path] | None, typer.Option(help="Folder with the documents of those suites.")
    ] = None,
    at_once: Annotated[
        int, typer.Option(min=1, max=64, help="Questions in flight together; above 1 there are no times.")
    ] = 1,
    limit: Annotated[int, typer.Option(min=0, help="Only so many cases of each suite; 0 for all.")] = 0,
    sample: Annotated[
        int, typer.Option(min=0, help="Ask the peers that need the model only so many questions; 0 all.")
    ] = 0,
) -> int:
    """Run every suite on every system and write a report for each part; goes on where it stopped."""
    more = [path for folder in suites or () for path in sorted(folder.glob("*.jsonl"))]
    if bool(more) != bool(documents):
        raise InputError("More suites need their documents, and the other way round", "Give both or neither.")
    settings = load_settings()
    root = settings.store.root
    homes = Homes(root / "eval" / "homes", root / "models", _say)
    # Results of other code are not gone on with.
    report = report / code_digest()
    options = ["--at-once", str(at_once), "--sample", str(sample)]
    options += ["--limit", str(limit)] if limit else []
    questions = ["--suite", str(ATTACKS)]
    attacks = [*questions, "--baseline", str(report / "unattacked")]
    with model_server(settings, root, _say) as where:
        closed = [
            _run(homes.of_plant(), report / "plant", suite_options(), GATE, options, where),
            _run(
                homes.of_plant(),
                report / "unattacked",
                [*questions, "--system", "lineside"],
                None,
                options,
                where,
            ),
            _run(_attacked(homes), report / "attacks", attacks, ATTACKS_GATE, options, where),
        ]
        if more and documents:
            home = homes.of_documents("others", documents)
            chosen = [part for path in more for part in ("--suite", str(path))]
            _run(home, report / "others", chosen, None, options, where)
    return 1 if any(closed) else 0


def _attacked(homes: Homes) -> Path:
    """The demonstration plant with the attacks of the injection suite planted in it."""
    home = homes.of_plant("attacked")
    done, carriers = home / "planted", home / "carriers"
    if not done.exists():
        if not carriers.exists():
            lineside(home, "eval", "plant", "--suite", str(ATTACKS), "--out", str(carriers))
        lineside(home, "ingest", str(carriers / MANUALS), partly=True)
        lineside(home, "ingest-work-orders", str(carriers / ORDERS), partly=True)
        done.touch()
    return home


def _run(
    home: Path,
    report: Path,
    suites: Sequence[str],
    gate: Path | None,
    options: Sequence[str],
    environment: Mapping[str, str],
) -> bool:
    """One part; True when its gate closed.

    Raises:
        StorageError: it was stopped, or failed.
    """
    judged = ["--gate", str(gate)] if gate else []
    _say(f"\n{report.name}: report in {report}")
    code = lineside(
        home,
        *("eval", "run", *suites, "--report", str(report), *judged, *options),
        partly=True,
        environment=environment,
    )
    if not (report / "report.html").exists():
        raise StorageError(f"{report.name} has no report, see above", "The same command goes on.")
    _say(f"{report.name}: {report / 'report.html'}")
    return code == 1


def _say(line: str) -> None:
    typer.echo(line, err=True)
