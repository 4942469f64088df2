"""Runs keep every result, go on where they stopped, and replay the model to the same prompt only."""

import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from langchain_core.messages import BaseMessage, HumanMessage

from assistant.app import open_lineside
from assistant.errors import InputError, LLMUnavailableError, ModelError
from assistant.schema import Question
from assistant.settings import load_settings
from assistant.sparse import SparseEncoder
from eval.baselines import Bm25Index, Bm25Quotes, Outcome, Piece
from eval.cases import Suite, read_suite
from eval.folder import OUTPUTS, RESULTS, Folder
from eval.recording import Recorder, Replay, read_recording, recording_line, write_recording
from eval.results import AnswerRecord, Run
from eval.run import Answering, LinesideSystem, Runner, check_documents, questions_of
from ingest.commands import build_ingestor

SUITES = Path(__file__).parents[1] / "eval" / "suites"


class Parrot:
    """A model that says what it is asked, until it dies."""

    def __init__(self, lives: int = 99) -> None:
        self.lives = lives

    def stream(self, messages: Sequence[BaseMessage], claims: Sequence[str] = ()) -> Iterator[str]:
        self.lives -= 1
        if self.lives < 0:
            raise LLMUnavailableError("The model server cannot be reached")
        yield str(messages[-1].content)

    def ready(self) -> bool:
        return True


def a_run(settings_hash: str = "s") -> Run:
    return Run("r", "2026-01-01", {}, "m", "", "", "e5-small", settings_hash, {}, 0, "", {}, 0.0)


def some(count: int) -> Suite:
    suite = read_suite(SUITES / "plant-en.jsonl")
    return Suite(suite.name, suite.cases[:count])


class Speaking:
    """A system whose model may die."""

    def __init__(self, model: Recorder | Replay) -> None:
        self.model = model

    def answer(self, question: Question) -> Outcome:
        text = "".join(self.model.stream([HumanMessage(question.text)]))
        return AnswerRecord(text, False, "llm", "en"), None


def no_progress(_doing: str, _done: int, _total: int) -> None:
    """Nobody watches."""


def runner(folder: Folder, system: Answering, at_once: int = 1, replay: Replay | None = None) -> Runner:
    # These suites hold no forms, so there is nothing to rank.
    return Runner(folder, {"no_documents": system}, None, no_progress, at_once=at_once, replay=replay)  # type: ignore[arg-type]


def run(
    folder: Folder, suite: Suite, system: Answering, at_once: int = 1, replay: Replay | None = None
) -> None:
    runner(folder, system, at_once, replay).run(questions_of([suite], ["no_documents"]), [suite])


def test_a_model_that_dies_halfway_loses_nothing_and_the_run_goes_on(tmp_path: Path) -> None:
    folder, suite, outputs = Folder(tmp_path / "run"), some(5), dict[str, str]()
    folder.open(a_run())
    with pytest.raises(ModelError, match="run stops here"):
        run(folder, suite, Speaking(Recorder(Parrot(3), outputs)))
    assert [result.case for result in folder.results()] == [case.id for case in suite.cases[:3]]
    folder.open(a_run())
    again = Parrot()
    run(folder, suite, Speaking(Recorder(again, outputs)))
    assert [result.case for result in folder.results()] == [case.id for case in suite.cases]
    assert again.lives == 99 - 2 and len(outputs) == 5


class Meeting:
    """A system that answers only when so many questions are before it at once."""

    def __init__(self, size: int) -> None:
        self.barrier = threading.Barrier(size, timeout=20)

    def answer(self, question: Question) -> Outcome:
        self.barrier.wait()
        return AnswerRecord(question.text, False, "llm", "en"), None


def test_questions_are_in_flight_together_and_each_is_kept_once(tmp_path: Path) -> None:
    folder, suite = Folder(tmp_path / "run"), some(8)
    folder.open(replace(a_run(), at_once=4))
    run(folder, suite, Meeting(4), at_once=4)
    assert sorted(result.case for result in folder.results()) == sorted(case.id for case in suite.cases)
    assert {result.case: result.answer.text for result in folder.results() if result.answer} == {
        case.id: case.question for case in suite.cases
    }


class Stopped:
    """A system that is told to stop while its third question is in flight."""

    def __init__(self, stop: threading.Event) -> None:
        self.stop, self.asked = stop, 0

    def answer(self, question: Question) -> Outcome:
        self.asked += 1
        if self.asked == 3:
            self.stop.set()
            time.sleep(0.5)
        return AnswerRecord(question.text, False, "llm", "en"), None


def test_a_run_that_is_stopped_keeps_the_question_in_flight_and_goes_on(tmp_path: Path) -> None:
    folder, suite, stop = Folder(tmp_path / "run"), some(6), threading.Event()
    folder.open(a_run())
    stopped = Runner(folder, {"no_documents": Stopped(stop)}, None, no_progress, stop=stop)  # type: ignore[arg-type]
    assert not stopped.run(questions_of([suite], ["no_documents"]), [suite])
    assert [result.case for result in folder.results()] == [case.id for case in suite.cases[:3]]
    run(folder, suite, Speaking(Recorder(Parrot(), {})))
    assert len(folder.results()) == 6


def test_what_was_not_recorded_is_marked_and_asked_again(tmp_path: Path) -> None:
    folder, suite, outputs = Folder(tmp_path / "run"), some(4), dict[str, str]()
    for case in suite.cases[:3]:
        list(Recorder(Parrot(), outputs).stream([HumanMessage(case.question)]))
    folder.open(replace(a_run(), replayed=1.0))
    lacking = Replay(outputs)
    run(folder, suite, Speaking(lacking), at_once=2, replay=lacking)
    assert [result.case for result in folder.results() if result.unrecorded] == [suite.cases[3].id]
    list(Recorder(Parrot(), outputs).stream([HumanMessage(suite.cases[3].question)]))
    whole = Replay(outputs)
    run(folder, suite, Speaking(whole), replay=whole)
    assert (whole.found, whole.missing) == (1, 0)
    assert len(folder.results()) == 4 and not any(result.unrecorded for result in folder.results())


def test_a_sample_is_the_same_each_time_and_for_the_writing_peers_alone() -> None:
    suite = read_suite(SUITES / "plant-en.jsonl")
    asked = questions_of([suite], ["lineside", "stock_rag", "no_documents"], sample=20, seed=1)
    drawn = {
        name: {one.case.id for one in asked if one.system == name} for name in ("stock_rag", "no_documents")
    }
    assert drawn["stock_rag"] == drawn["no_documents"] and len(drawn["stock_rag"]) == 20
    assert sum(one.system == "lineside" for one in asked) == len(suite.cases)
    assert asked == questions_of([suite], ["lineside", "stock_rag", "no_documents"], sample=20, seed=1)
    other = questions_of([suite], ["stock_rag"], sample=20, seed=2)
    assert {one.case.id for one in other} != drawn["stock_rag"]
    # A suite that grows changes little of the sample.
    fewer = questions_of([Suite(suite.name, suite.cases[1:])], ["stock_rag"], sample=20, seed=1)
    assert len({one.case.id for one in fewer} & drawn["stock_rag"]) >= 19


def test_a_line_that_a_kill_cut_short_is_dropped_and_asked_again(tmp_path: Path) -> None:
    folder, suite = Folder(tmp_path / "run"), some(3)
    folder.open(a_run())
    run(folder, suite, Speaking(Recorder(Parrot(), {})))
    (folder.path / RESULTS).write_bytes((folder.path / RESULTS).read_bytes()[:-20])
    (folder.path / OUTPUTS).write_text(recording_line("a", "b") + '{"prompt": "c', encoding="utf-8")
    folder.open(a_run())
    assert len(folder.results()) == 2 and read_recording(folder.path / OUTPUTS) == {"a": "b"}
    run(folder, suite, Speaking(Recorder(Parrot(), {})))
    assert len(folder.results()) == 3


def test_the_record_says_what_share_of_the_time_the_harness_took(tmp_path: Path) -> None:
    class Slow:
        def answer(self, question: Question) -> Outcome:
            time.sleep(0.05)
            return AnswerRecord(question.text, False, "llm", "en"), None

    ran = runner(Folder(tmp_path / "run"), Slow())
    Folder(tmp_path / "run").open(a_run())
    ran.run(questions_of([some(10)], ["no_documents"]), [some(10)])
    assert ran.clock.questions == 10 and ran.clock.answering_s >= 0.5
    assert ran.clock.harness_s < 0.2 * ran.clock.answering_s


def test_a_folder_with_another_run_is_refused(tmp_path: Path) -> None:
    Folder(tmp_path).open(a_run("one"))
    with pytest.raises(InputError, match="other settings, code or documents"):
        Folder(tmp_path).open(a_run("two"))


def test_a_folder_made_with_other_questions_at_once_is_refused(tmp_path: Path) -> None:
    Folder(tmp_path).open(a_run())
    with pytest.raises(InputError, match="another --at-once"):
        Folder(tmp_path).open(replace(a_run(), at_once=4))


@pytest.mark.parametrize("name", ["outputs.jsonl", "outputs.jsonl.gz"])
def test_a_recording_replays_to_the_same_prompt_only(tmp_path: Path, name: str) -> None:
    outputs: dict[str, str] = {}
    list(Recorder(Parrot(), outputs).stream([HumanMessage("扭矩？")]))
    write_recording(tmp_path / name, outputs)
    replay = Replay(read_recording(tmp_path / name))
    assert list(replay.stream([HumanMessage("扭矩？")])) == ["扭矩？"]
    with pytest.raises(LLMUnavailableError):
        list(replay.stream([HumanMessage("扭矩?")]))
    assert (replay.found, replay.missing) == (1, 1)


def test_a_broken_recording_names_its_line(tmp_path: Path) -> None:
    (tmp_path / "bad.jsonl").write_text('{"prompt": "a", "text": "b"}\n{"prompt"\n', encoding="utf-8")
    with pytest.raises(InputError, match="line 2"):
        read_recording(tmp_path / "bad.jsonl")


def test_missing_documents_are_named_before_anything_runs() -> None:
    with pytest.raises(InputError, match=r"BC-800_belt-conveyor_rev-A\.pdf"):
        check_documents([read_suite(SUITES / "plant-en.jsonl")], ["HP-250_hydraulic-press_rev-C.pdf"])


def test_bm25_ranks_the_passage_with_the_rare_word_first() -> None:
    pieces = [
        Piece("a.pdf", n, text) for n, text in enumerate(["the pump", "the pump and the turret", "the"], 1)
    ]
    answer, hits = Bm25Quotes(Bm25Index(pieces, SparseEncoder())).answer(Question("turret pump"))
    assert hits is not None and [hit.page for hit in hits] == [2, 1, 3]
    assert answer.citations[0].quote == "the pump and the turret"


def test_the_pipeline_itself_is_what_is_measured(tmp_path: Path) -> None:
    settings = load_settings({"LINESIDE_HOME": str(tmp_path / "home")}, tmp_path)
    (tmp_path / "rules.md").write_text("# Rules\n\nThe spare key lies in cabinet K7.\n", encoding="utf-8")
    with open_lineside(settings, Replay({})) as lineside:
        assert build_ingestor(lineside).ingest(tmp_path / "rules.md", "rules.md").status == "ingested"
        answer, hits = LinesideSystem(lineside.answerer).answer(Question("where is the spare key"))
    assert hits is not None and hits[0].document == "rules.md"
    assert (answer.mode, answer.citations[0].page) == ("extractive", 1)
