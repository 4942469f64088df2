"""Runs suites through the pipeline that serves users, and through its peers; every result is kept at once.

A run's folder holds results.jsonl, triage.jsonl, outputs.jsonl (what the model wrote, by prompt) and
run.json. The same command on the same folder goes on where it stopped.
"""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from assistant.answer import Answerer
from assistant.errors import InputError, QuestionError
from assistant.schema import Question, TriageForm
from assistant.triage.rank import Triage
from eval.baselines import Outcome
from eval.cases import Case, Suite, TriageCase
from eval.results import (
    Result,
    Run,
    System,
    TriageOutcome,
    read_results,
    read_run,
    read_triage_outcomes,
    record_answer,
    record_hits,
    record_triage,
    result_line,
    write_run,
)

RESULTS, TRIAGE, RUN, OUTPUTS = "results.jsonl", "triage.jsonl", "run.json", "outputs.jsonl"
# (what is being done, done, in all)
Progress = Callable[[str, int, int], None]


class Answering(Protocol):
    """A system under test."""

    def answer(self, question: Question) -> Outcome:
        """Answers one question; QuestionError for one that it cannot be asked."""


class LinesideSystem:
    """The pipeline itself."""

    def __init__(self, answerer: Answerer) -> None:
        """Asks the object that serves users."""
        self._answerer = answerer

    def answer(self, question: Question) -> Outcome:
        """The checked answer and the passages behind it."""
        answer = self._answerer.ask(question)
        return record_answer(answer), record_hits(answer.hits)


@dataclass(frozen=True, slots=True)
class Folder:
    """Where a run is kept."""

    path: Path

    def open(self, run: Run) -> None:
        """Starts a run, or goes on with the one that is there.

        Raises:
            InputError: the folder cannot be written, or holds a run with other settings or documents.
        """
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            if not (self.path / RUN).exists():
                write_run(self.path / RUN, run)
                return
        except OSError as problem:
            raise InputError(f"{self.path} cannot be written: {problem}", "Name another folder.") from problem
        held = read_run(self.path / RUN)
        if (held.settings_hash, held.revisions) != (run.settings_hash, run.revisions):
            raise InputError(
                f"{self.path} holds a run with other settings or documents", "Name a new folder for this one."
            )

    def run(self) -> Run:
        """How the run in this folder came about; InputError when there is none."""
        return read_run(self.path / RUN)

    def results(self) -> list[Result]:
        """What has been answered so far."""
        path = self.path / RESULTS
        return read_results(path) if path.exists() and path.stat().st_size else []

    def outcomes(self) -> list[TriageOutcome]:
        """What has been ranked so far."""
        path = self.path / TRIAGE
        return read_triage_outcomes(path) if path.exists() and path.stat().st_size else []

    def keep(self, result: Result | TriageOutcome) -> None:
        """Appends one result, on disk when this returns."""
        name = RESULTS if isinstance(result, Result) else TRIAGE
        with (self.path / name).open("a", encoding="utf-8") as lines:
            lines.write(result_line(result))


def run_suites(
    folder: Folder,
    suites: Sequence[Suite],
    systems: Mapping[System, Answering],
    triage: Triage,
    progress: Progress,
) -> None:
    """Answers what is not answered yet.

    Raises:
        ModelError: the model failed; what was answered is kept, and the same call goes on from there.
    """
    done = {(result.suite, result.case, result.system) for result in folder.results()}
    todo = [
        (suite.name, case, name)
        for suite in suites
        for case in suite.cases
        for name in systems
        if (suite.name, case.id, name) not in done
    ]
    for number, (suite_name, case, name) in enumerate(todo):
        progress(f"{name} {case.id}", number, len(todo))
        folder.keep(_answered(suite_name, case, name, systems[name]))
    ranked = {(outcome.suite, outcome.case) for outcome in folder.outcomes()}
    forms = [(s.name, case) for s in suites for case in s.triage if (s.name, case.id) not in ranked]
    for number, (suite_name, form) in enumerate(forms):
        progress(f"triage {form.id}", number, len(forms))
        folder.keep(_ranked(suite_name, form, triage))


def _answered(suite: str, case: Case, name: System, system: Answering) -> Result:
    try:
        answer, hits = system.answer(Question(case.question, case.asset, case.history))
    except QuestionError as problem:
        return Result(case.id, suite, name, None, error=str(problem))
    # The fused score of the first passage: how far the ways of searching agree on it.
    confidence = hits[0].score + hits[0].exact if hits else None
    return Result(case.id, suite, name, answer, hits, confidence)


def _ranked(suite: str, case: TriageCase, triage: Triage) -> TriageOutcome:
    form = TriageForm(case.form.asset, case.form.happened, case.form.code, case.form.tried)
    try:
        return record_triage(case.id, suite, triage.rank(form))
    except QuestionError as problem:
        return TriageOutcome(case.id, suite, error=str(problem))


def settings_hash(settings: Mapping[str, object]) -> str:
    """SHA-256 over settings in canonical form, as hex."""
    text = json.dumps(settings, sort_keys=True, default=str)
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def check_documents(suites: Sequence[Suite], held: Sequence[str]) -> None:
    """Refuses to run suites on documents that the home does not hold.

    Raises:
        InputError: names the missing documents.
    """
    golds = [case.gold for suite in suites for case in suite.cases]
    golds += [case.page for suite in suites for case in suite.triage]
    wanted = {place.document for gold in golds for group in gold for place in group}
    missing = sorted(wanted - set(held))
    if missing:
        shown = ", ".join(missing[:5]) + (" …" if len(missing) > 5 else "")
        raise InputError(f"The suites need documents that are not held: {shown}", "Ingest them first.")
