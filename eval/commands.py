"""`lineside eval`: run suites, compare with the peers and an earlier run, report, and judge by a gate."""

import json
import signal
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from types import FrameType
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
from eval.cases import InjectionCase, Suite, read_suite
from eval.folder import FIGURES, OUTPUTS, Folder
from eval.full import all_suites
from eval.gate import GoalState, Verdict, check, goal_states
from eval.injection import check_clean
from eval.injection_command import plant
from eval.injection_witness import Witness
from eval.metrics.aggregate import Aggregator, Figure
from eval.metrics.calibration import calibrated_judge
from eval.metrics.score import ScoredRun, Scorer, score_run
from eval.metrics.support import Support
from eval.provenance import record_of
from eval.record import record as make_recording
from eval.recording import Recorder, Replay, read_recording, recording_line, write_recording
from eval.report.contents import collect
from eval.report.write import write_report
from eval.results import SYSTEMS, Run, Session, System
from eval.rules import read_gate
from eval.run import Answering, LinesideSystem, Progress, Runner, check_documents, questions_of
from eval.sources import read_documents

app = typer.Typer(help="Measure answers on suites of known questions.", no_args_is_help=True)


app.command("plant")(plant)
app.command("record")(make_recording)
app.command("all")(all_suites)


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
    at_once: Annotated[
        int, typer.Option(min=1, max=64, help="Questions in flight together; above 1 times are not judged.")
    ] = 1,
    sample: Annotated[
        int, typer.Option(min=0, help="Ask the peers that need the model only so many questions; 0 all.")
    ] = 0,
    seed: Annotated[int, typer.Option(help="Which questions the sample holds.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print the figures as JSON.")] = False,
) -> int:
    """Answer the suites' questions as users would be answered, score, report, and judge."""
    suites = [_shortened(read_suite(path), limit) for path in suite]
    rules = read_gate(gate) if gate else None
    names = _systems(system)
    if replay and record:
        raise InputError("A replay makes nothing to record", "Give either --replay or --record.")
    settings = load_settings()
    folder = Folder(report)
    replayed = Replay(read_recording(replay)) if replay else None
    model = replayed or _recorder(settings, folder)
    witness = Witness(model)
    with open_lineside(settings, witness) as lineside:
        held = [revision.document for revision in lineside.catalogue.revisions("visible")]
        check_documents(suites, held)
        check_clean(suites, held)
        made = record_of(lineside, names, at_once=at_once, sample=sample, seed=seed, replay=replay)
        folder.open(made)
        questions = questions_of(suites, names, sample, seed)
        systems = _build(names, lineside, witness)
        with _bar() as progress, _stop_on_signal() as stop:
            runner = Runner(
                folder,
                systems,
                lineside.triage,
                progress,
                at_once=at_once,
                witness=witness,
                replay=replayed,
                stop=stop,
            )
            try:
                ended = runner.run(questions, suites)
            finally:
                folder.keep_session(_session(made, runner))
        if record and (report / OUTPUTS).exists():
            write_recording(record, read_recording(report / OUTPUTS))
        started = time.perf_counter()
        scored = _scored(folder, suites, lineside)
        before = _baseline(baseline, suites, lineside) if baseline else None
    figures = Aggregator().figures(scored)
    verdicts = check(scored, before, rules, figures) if rules else []
    goals = goal_states(rules, figures) if rules else []
    page, summary = write_report(collect(scored, figures, verdicts, before, goals), report)
    folder.keep_report_time(time.perf_counter() - started)
    document = json.dumps(_document(figures, verdicts, goals))
    (report / FIGURES).write_text(document + "\n", encoding="utf-8")
    if as_json:
        print(document)
    print(f"report: {page}\nsummary: {summary}", file=sys.stderr)
    _say(folder, scored, verdicts, goals)
    if not ended:
        print(
            f"stopped after {len(scored.scored)} of {len(questions)} answers; the same command goes on",
            file=sys.stderr,
        )
    return 1 if not ended or any(not verdict.passed for verdict in verdicts) else 0


def _recorder(settings: Settings, folder: Folder) -> Recorder:
    """A live model whose every output is on disk before the next."""
    path = folder.path / OUTPUTS

    def keep(key: str, text: str) -> None:
        with path.open("a", encoding="utf-8") as lines:
            lines.write(recording_line(key, text))

    return Recorder(ServedModel(settings.llm), {}, keep)


def _session(made: Run, runner: Runner) -> Session:
    clock = runner.clock
    return Session(made.started, made.git_commit, clock.questions, clock.answering_s, clock.harness_s)


@contextmanager
def _stop_on_signal() -> Iterator[Event]:
    """An event that the first Ctrl-C or SIGTERM sets; a second one ends the process as usual."""
    stop = Event()
    before = {one: signal.getsignal(one) for one in (signal.SIGINT, signal.SIGTERM)}

    def ask(_number: int, _frame: FrameType | None) -> None:
        print("stopping after the questions in flight", file=sys.stderr)
        stop.set()
        for one, handler in before.items():
            signal.signal(one, handler)

    for one in before:
        signal.signal(one, ask)
    try:
        yield stop
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)


def _say(folder: Folder, scored: ScoredRun, verdicts: Sequence[Verdict], goals: Sequence[GoalState]) -> None:
    """What a person at the terminal wants to know of a run that ended."""
    share = folder.run().harness_share
    if share is not None:
        print(f"harness: {share:.1%} of the time", file=sys.stderr)
    missing = [item for item in scored.scored if item.result.unrecorded]
    if missing:
        print(f"{len(missing)} of {len(scored.scored)} answers lack a recorded output", file=sys.stderr)
    if goals:
        print(f"goals: {sum(goal.met is True for goal in goals)} of {len(goals)} met", file=sys.stderr)
    for verdict in verdicts:
        if not verdict.passed:
            print(f"gate: {verdict.sentence}", file=sys.stderr)


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
    attacks = [case for suite in suites for case in suite.cases if isinstance(case, InjectionCase)]
    scorer = Scorer(judge, pages, attacks)
    return score_run(folder.run(), suites, folder.results(), folder.outcomes(), scorer)


def _baseline(path: Path, suites: Sequence[Suite], lineside: Lineside) -> ScoredRun:
    if not path.is_dir():
        raise InputError(f"{path} holds no run to compare with")
    return _scored(Folder(path), suites, lineside)


@contextmanager
def _bar() -> Iterator[Progress]:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Bar(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task("starting", total=None)

        def show(doing: str, done: int, total: int) -> None:
            bar.update(task, description=doing, completed=done, total=total)

        yield show


def _document(
    figures: Sequence[Figure], verdicts: Sequence[Verdict], goals: Sequence[GoalState]
) -> dict[str, Any]:
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
        "goals": [{"met": goal.met, "sentence": goal.sentence} for goal in goals],
    }
