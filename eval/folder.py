"""Where a run is kept: every result is on disk at once, and the same command goes on from there.

A folder holds results.jsonl, triage.jsonl, outputs.jsonl (what the model wrote, by prompt) and run.json;
figures.json and the report join them when it is scored.
"""

from dataclasses import dataclass, replace
from pathlib import Path

from assistant.errors import InputError
from eval.results import (
    Result,
    Run,
    Session,
    TriageOutcome,
    read_results,
    read_run,
    read_triage_outcomes,
    result_line,
    write_run,
)

RESULTS, TRIAGE, RUN, OUTPUTS = "results.jsonl", "triage.jsonl", "run.json", "outputs.jsonl"
FIGURES = "figures.json"


@dataclass(frozen=True, slots=True)
class Folder:
    """The files of one run."""

    path: Path

    def open(self, run: Run) -> None:
        """Starts a run, or goes on with the one that is there.

        Raises:
            InputError: the folder cannot be written, or holds a run that was made in another way.
        """
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            if not (self.path / RUN).exists():
                write_run(self.path / RUN, run)
                return
            for name in (RESULTS, TRIAGE, OUTPUTS):
                _drop_torn_line(self.path / name)
        except OSError as problem:
            raise InputError(f"{self.path} cannot be written: {problem}", "Name another folder.") from problem
        held = read_run(self.path / RUN)
        if (held.settings_hash, held.revisions) != (run.settings_hash, run.revisions):
            raise InputError(
                f"{self.path} holds a run with other settings, code or documents",
                "Name a new folder for this one.",
            )
        if (held.at_once, bool(held.replayed)) != (run.at_once, bool(run.replayed)):
            raise InputError(
                f"{self.path} holds a run with another --at-once, or one is replayed and the other is not",
                "Name a new folder for this one.",
            )

    def run(self) -> Run:
        """How the run in this folder came about; InputError when there is none."""
        return read_run(self.path / RUN)

    def results(self) -> list[Result]:
        """What has been answered so far; where a case was answered again, the last answer."""
        path = self.path / RESULTS
        read = read_results(path) if path.exists() and path.stat().st_size else []
        return list({(result.suite, result.case, result.system): result for result in read}.values())

    def outcomes(self) -> list[TriageOutcome]:
        """What has been ranked so far."""
        path = self.path / TRIAGE
        return read_triage_outcomes(path) if path.exists() and path.stat().st_size else []

    def keep(self, result: Result | TriageOutcome) -> None:
        """Appends one result, on disk when this returns."""
        name = RESULTS if isinstance(result, Result) else TRIAGE
        with (self.path / name).open("a", encoding="utf-8") as lines:
            lines.write(result_line(result))

    def keep_session(self, session: Session) -> None:
        """Adds one stretch of work to the record of the run."""
        run = self.run()
        write_run(self.path / RUN, replace(run, sessions=(*run.sessions, session)))

    def keep_report_time(self, seconds: float) -> None:
        """Adds what scoring and reporting took to the last stretch."""
        run = self.run()
        last = replace(run.sessions[-1], report_s=round(seconds, 3))
        write_run(self.path / RUN, replace(run, sessions=(*run.sessions[:-1], last)))


def _drop_torn_line(path: Path) -> None:
    """Cuts off what a process that was killed while writing left of its last line."""
    if not path.exists():
        return
    data = path.read_bytes()
    whole = data[: data.rfind(b"\n") + 1]
    if whole != data:
        path.write_bytes(whole)
