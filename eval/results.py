"""What a run leaves behind: one result a case and system, and the record of how they came about."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Literal

from pydantic import TypeAdapter

from assistant.errors import InputError
from assistant.schema import Answer, Hit, Language, SafetyNotice, SignalWord, TriageResult
from assistant.trace import Check, Trace
from eval.lines import parse_line, text_lines

System = Literal["lineside", "stock_rag", "bm25_quotes", "no_documents"]
SYSTEMS: tuple[System, ...] = ("lineside", "stock_rag", "bm25_quotes", "no_documents")
# Peers that write with the model, which is what takes long.
WRITING_PEERS: frozenset[System] = frozenset({"stock_rag", "no_documents"})
# As deep as recall and nDCG look.
KEPT_HITS = 10


@dataclass(frozen=True, slots=True)
class RetrievedPages:
    """A hit: the pages (1-based, both ends included) that the passage stands on."""

    document: str
    page: int
    page_last: int
    score: float
    exact: bool = False


@dataclass(frozen=True, slots=True)
class CitedBlock:
    """What a marker [n] points to: the page and the words of the passage, under its headings."""

    n: int
    document: str
    page: int
    quote: str
    chunk_id: str = ""
    section: str = ""


@dataclass(frozen=True, slots=True)
class ShownNotice:
    """A safety notice as it was shown."""

    level: SignalWord
    text: str
    document: str
    page: int


@dataclass(frozen=True, slots=True)
class KeptTrace:
    """What is kept of a trace: all but the hits, of which a result keeps its own, and the timings."""

    parts: tuple[str, ...] = ()
    identifiers: tuple[str, ...] = ()
    attributes: tuple[str, ...] = ()
    applies_to: tuple[str, ...] = ()
    answerable: float | None = None
    prompt_tokens: int = 0
    draft: str = ""
    checks: tuple[Check, ...] = ()


@dataclass(frozen=True, slots=True)
class AnswerRecord:
    """An answer as it was given; `timings_ms` are milliseconds since the question, by mark."""

    text: str
    refused: bool
    mode: Literal["llm", "extractive"]
    language: Language
    citations: tuple[CitedBlock, ...] = ()
    safety: tuple[ShownNotice, ...] = ()
    timings_ms: Mapping[str, float] = field(default_factory=dict)
    note: str = ""
    trace: KeptTrace | None = None


@dataclass(frozen=True, slots=True)
class RankedCause:
    """A cause as triage ranked it, in the manual's words, with the parts it offers."""

    cause: str
    checks: tuple[str, ...]
    parts: tuple[str, ...]
    document: str
    page: int


@dataclass(frozen=True, slots=True)
class TriageOutcome:
    """What triage made of one form; `causes` best first, `orders` the past work orders as they are shown."""

    case: str
    suite: str
    causes: tuple[RankedCause, ...] = ()
    safety: tuple[ShownNotice, ...] = ()
    error: str = ""
    orders: tuple[str, ...] = ()
    note: str = ""


@dataclass(frozen=True, slots=True)
class Result:
    """What one system made of one case.

    Attributes:
        hits: best first, up to KEPT_HITS; None for a system that searches nothing.
        confidence: how sure the system was, in any unit, higher is surer; None when it does not say.
        error: why there is no answer; empty when there is one.
        shown: for attacks, the prompts that the model was given; empty when it was given none.
        triage: for an attack in a work order, what triage made of the question: past orders stand there.
        unrecorded: a replay had no output for a prompt of this question; the answer is not what is measured.
    """

    case: str
    suite: str
    system: System
    answer: AnswerRecord | None
    hits: tuple[RetrievedPages, ...] | None = None
    confidence: float | None = None
    error: str = ""
    shown: str = ""
    triage: TriageOutcome | None = None
    unrecorded: bool = False

    def __post_init__(self) -> None:
        """Refuses a result that is neither an answer nor a failure."""
        if (self.answer is None) != bool(self.error):
            raise ValueError("a result has either an answer or an error")


@dataclass(frozen=True, slots=True)
class Session:
    """One stretch of a run: from its start to its end or interruption.

    Attributes:
        started: ISO 8601 with offset.
        git_commit: as in Run.
        questions: asked in it.
        answering_s: seconds inside the systems, added up over questions in flight together.
        harness_s: seconds around them, keeping results; added up in the same way.
        report_s: seconds of scoring and writing the report.
    """

    started: str
    git_commit: str
    questions: int
    answering_s: float
    harness_s: float
    report_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Run:
    """How results came about: enough to say why two runs differ.

    Attributes:
        started: ISO 8601 with offset.
        settings: per system, what it was run with.
        settings_hash: SHA-256 of the settings in canonical form.
        revisions: SHA-256 of each document that was searched.
        git_commit: of Lineside, with '+' behind it when the checkout was changed.
        versions: of the libraries that can change a figure.
        replayed: 1 when the model's outputs were stored ones, 0 when a model wrote them.
        seed: of the sample drawn for the peers; the statistics have seeds of their own, in `settings`.
        at_once: questions in flight together; with more than one, times are not those of one user.
        sample: questions asked of each peer that writes with the model; 0 for all.
        prompt_hash: SHA-256 of the template of Lineside's prompt.
        recorded: of a replay, where its outputs come from: id, start, commit and at_once of that run.
        sessions: the stretches that the run was made in.
    """

    id: str
    started: str
    settings: Mapping[str, Any]
    model: str
    model_digest: str
    adapter: str
    embedder: str
    settings_hash: str
    revisions: Mapping[str, str]
    seed: int
    git_commit: str
    versions: Mapping[str, str]
    replayed: float
    at_once: int = 1
    sample: int = 0
    prompt_hash: str = ""
    recorded: Mapping[str, str] = field(default_factory=dict)
    sessions: tuple[Session, ...] = ()

    @property
    def timed(self) -> bool:
        """Whether times are those that one user would have: a live model, one question at a time."""
        return not self.replayed and self.at_once == 1

    @property
    def harness_share(self) -> float | None:
        """Share of a live run's time that the harness took around the systems, 0 to 1; None without one."""
        if not self.sessions or self.replayed:
            return None
        answering = sum(session.answering_s for session in self.sessions) / self.at_once
        harness = sum(session.harness_s / self.at_once + session.report_s for session in self.sessions)
        return harness / (answering + harness) if answering + harness else None


_RESULT = TypeAdapter(Result)
_TRIAGE = TypeAdapter(TriageOutcome)
_RUN = TypeAdapter(Run)


def result_line(result: Result | TriageOutcome) -> str:
    """A result as one line of JSON, with its line end."""
    dumped = _RESULT.dump_json(result) if isinstance(result, Result) else _TRIAGE.dump_json(result)
    return dumped.decode("utf-8") + "\n"


def read_results(path: Path) -> list[Result]:
    """The results of a file.

    Raises:
        InputError: the file is missing, empty, or a line is no result.
    """
    return [parse_line(_RESULT, path, number, line) for number, line in text_lines(path)]


def read_triage_outcomes(path: Path) -> list[TriageOutcome]:
    """The triage outcomes of a file; errors as in read_results."""
    return [parse_line(_TRIAGE, path, number, line) for number, line in text_lines(path)]


def record_json(run: Run) -> str:
    """The record of a run as indented JSON."""
    return _RUN.dump_json(run, indent=1).decode("utf-8")


def write_run(path: Path, run: Run) -> None:
    """Writes the record of a run."""
    path.write_text(record_json(run) + "\n", encoding="utf-8")


def read_run(path: Path) -> Run:
    """The record of a run.

    Raises:
        InputError: the file is missing or holds no run.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as problem:
        raise InputError(f"{path} cannot be read: {problem}", "Run the evaluation first.") from problem
    return parse_line(_RUN, path, 1, text)


def record_answer(answer: Answer) -> AnswerRecord:
    """What is kept of an answer of the pipeline."""
    return AnswerRecord(
        text=answer.text,
        refused=answer.refused,
        mode=answer.mode,
        language=answer.language,
        citations=tuple(
            CitedBlock(cited.n, cited.document, cited.page, cited.quote, cited.chunk_id, cited.section)
            for cited in answer.citations
        ),
        safety=_shown(answer.safety),
        timings_ms=dict(answer.timings_ms),
        note=answer.note,
        trace=_compact(answer.trace) if answer.trace else None,
    )


def record_hits(hits: Iterable[Hit]) -> tuple[RetrievedPages, ...]:
    """What is kept of the pipeline's hits."""
    return tuple(
        RetrievedPages(hit.chunk.document, hit.chunk.page, hit.chunk.page_last, hit.score, hit.exact)
        for hit in list(hits)[:KEPT_HITS]
    )


def record_triage(case: str, suite: str, result: TriageResult) -> TriageOutcome:
    """What is kept of a triage."""
    return TriageOutcome(
        case=case,
        suite=suite,
        causes=tuple(
            RankedCause(
                cause.cause,
                cause.checks,
                tuple(part.part for part in cause.parts),
                cause.citation.document,
                cause.citation.page,
            )
            for cause in result.causes
        ),
        safety=_shown(result.safety),
        orders=tuple(f"{order.text}\n{order.remedy}".strip() for order in result.orders),
        note=result.note,
    )


def _shown(notices: Iterable[SafetyNotice]) -> tuple[ShownNotice, ...]:
    return tuple(ShownNotice(notice.level, notice.text, notice.document, notice.page) for notice in notices)


def _compact(trace: Trace) -> KeptTrace:
    return KeptTrace(**{kept.name: getattr(trace, kept.name) for kept in fields(KeptTrace)})
