"""Runs suites through the pipeline that serves users, and through its peers; every result is kept at once."""

import hashlib
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from queue import Empty, SimpleQueue
from threading import Event
from typing import Protocol

from assistant.answer import Answerer
from assistant.errors import InputError, LLMUnavailableError, QuestionError
from assistant.schema import Question, TriageForm
from assistant.triage.rank import Triage
from eval.baselines import Outcome
from eval.cases import Case, Suite, TriageCase
from eval.folder import Folder
from eval.injection_witness import Witness, attested
from eval.recording import Replay
from eval.results import (
    WRITING_PEERS,
    Result,
    System,
    TriageOutcome,
    record_answer,
    record_hits,
    record_triage,
)

# How soon a run notices that it is to stop.
TICK_S = 0.2
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
class Asked:
    """A case that a system is to answer."""

    suite: str
    case: Case
    system: System


@dataclass(slots=True)
class Clock:
    """What a stretch of a run took, in seconds added up over questions in flight together."""

    questions: int = 0
    answering_s: float = 0.0
    harness_s: float = 0.0


@dataclass(frozen=True, slots=True)
class _Answered:
    """A result and the seconds it took: inside the system, and around it."""

    result: Result
    answering_s: float
    harness_s: float


class Runner:
    """Asks systems the cases of suites and keeps what they make of them."""

    def __init__(
        self,
        folder: Folder,
        systems: Mapping[System, Answering],
        triage: Triage,
        progress: Progress,
        *,
        at_once: int = 1,
        witness: Witness | None = None,
        replay: Replay | None = None,
        stop: Event | None = None,
    ) -> None:
        """Prepares a run.

        Args:
            folder: an open run.
            systems: whom to ask; safe to share between threads.
            triage: ranks the forms.
            progress: told before the first case and after each.
            at_once: questions in flight together.
            witness: stands before the model of the systems; attacks are kept with what it saw.
            replay: the model of the systems, when its outputs are stored ones.
            stop: ends the run when it is set, after the questions in flight.
        """
        self._folder = folder
        self._systems = systems
        self._triage = triage
        self._progress = progress
        self._at_once = at_once
        self._witness = witness
        self._replay = replay
        self._stop = stop or Event()
        self.clock = Clock()

    def run(self, questions: Sequence[Asked], suites: Sequence[Suite]) -> bool:
        """Answers the questions and ranks the suites' triage forms, as far as that is not done yet.

        What was answered without an output being recorded for it is asked again.

        Raises:
            ModelError: the model failed; what was answered is kept, and the same call goes on from there.

        Returns:
            Whether it came to its end; False when it was told to stop.
        """
        done = {
            (result.suite, result.case, result.system)
            for result in self._folder.results()
            if not result.unrecorded
        }
        self._ask_all([one for one in questions if (one.suite, one.case.id, one.system) not in done])
        ranked = {(outcome.suite, outcome.case) for outcome in self._folder.outcomes()}
        forms = [(s.name, case) for s in suites for case in s.triage if (s.name, case.id) not in ranked]
        for number, (suite_name, form) in enumerate(forms):
            if self._stop.is_set():
                break
            self._folder.keep(_ranked(suite_name, form, self._triage))
            self._progress(f"triage {form.id}", number + 1, len(forms))
        return not self._stop.is_set()

    def _ask_all(self, todo: Sequence[Asked]) -> None:
        """Results are kept here, by one thread, in the order in which they come."""
        ready: SimpleQueue[Future[_Answered]] = SimpleQueue()
        with ThreadPoolExecutor(self._at_once) as pool:
            self._progress("asking", 0, len(todo))
            for one in todo:
                pool.submit(self._answered, one).add_done_callback(ready.put)
            try:
                for number in range(len(todo)):
                    future = self._next(ready)
                    if future is None:
                        break
                    result = self._keep(future.result())
                    self._progress(f"{result.system} {result.case}", number + 1, len(todo))
            finally:
                pool.shutdown(cancel_futures=True)
                while not ready.empty():
                    future = ready.get()
                    if not future.cancelled() and not future.exception():
                        self._keep(future.result())

    def _next(self, ready: SimpleQueue[Future[_Answered]]) -> Future[_Answered] | None:
        """The next finished question; None when the run is to stop."""
        while not self._stop.is_set():
            with suppress(Empty):
                return ready.get(timeout=TICK_S)
        return None

    def _keep(self, answered: _Answered) -> Result:
        start = time.perf_counter()
        self._folder.keep(answered.result)
        self.clock.questions += 1
        self.clock.answering_s += answered.answering_s
        self.clock.harness_s += answered.harness_s + time.perf_counter() - start
        return answered.result

    def _answered(self, asked: Asked) -> _Answered:
        case, system = asked.case, self._systems[asked.system]
        missed = self._replay.missing_here if self._replay else 0
        start = time.perf_counter()
        try:
            answer, hits = system.answer(Question(case.question, case.asset, case.history))
            # The fused score of the first passage: how far the ways of searching agree on it.
            confidence = hits[0].score + hits[0].exact if hits else None
            result = Result(case.id, asked.suite, asked.system, answer, hits, confidence)
        except (QuestionError, LLMUnavailableError) as problem:
            result = Result(case.id, asked.suite, asked.system, None, error=str(problem))
        answered = time.perf_counter()
        if self._replay and self._replay.missing_here > missed:
            result = replace(result, unrecorded=True)
        if self._witness:
            result = attested(case, result, self._witness, self._triage)
        return _Answered(result, answered - start, time.perf_counter() - answered)


def questions_of(
    suites: Sequence[Suite], systems: Sequence[System], sample: int = 0, seed: int = 0
) -> list[Asked]:
    """What each system is asked, case by case.

    Args:
        suites: their cases.
        systems: whom to ask.
        sample: questions asked of the peers that write with the model; 0 for all.
        seed: of the sample. A case stays in or out of it when others are added.
    """
    drawn = sorted(((suite.name, case.id) for suite in suites for case in suite.cases), key=_lot(seed))
    sampled = set(drawn[:sample] if sample else drawn)
    return [
        Asked(suite.name, case, name)
        for suite in suites
        for case in suite.cases
        for name in systems
        if name not in WRITING_PEERS or (suite.name, case.id) in sampled
    ]


def _lot(seed: int) -> Callable[[tuple[str, str]], str]:
    return lambda key: hashlib.sha256(f"{seed} {key[0]} {key[1]}".encode()).hexdigest()


def _ranked(suite: str, case: TriageCase, triage: Triage) -> TriageOutcome:
    form = TriageForm(case.form.asset, case.form.happened, case.form.code, case.form.tried)
    try:
        return record_triage(case.id, suite, triage.rank(form))
    except QuestionError as problem:
        return TriageOutcome(case.id, suite, error=str(problem))


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
