"""Runs keep every result, go on where they stopped, and replay the model to the same prompt only."""

from collections.abc import Iterator, Sequence
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
from eval.recording import Recorder, Replay, read_recording, write_recording
from eval.results import AnswerRecord, Run
from eval.run import Folder, LinesideSystem, check_documents, run_suites
from ingest.commands import build_ingestor

SUITES = Path(__file__).parents[1] / "eval" / "suites"


class Parrot:
    """A model that says what it is asked, until it dies."""

    def __init__(self, lives: int = 99) -> None:
        self.lives = lives

    def stream(self, messages: Sequence[BaseMessage]) -> Iterator[str]:
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


def test_a_model_that_dies_halfway_loses_nothing_and_the_run_goes_on(tmp_path: Path) -> None:
    folder, suite, outputs = Folder(tmp_path / "run"), some(5), dict[str, str]()
    folder.open(a_run())
    with pytest.raises(ModelError, match="run stops here"):
        run_suites(
            folder, [suite], {"no_documents": Speaking(Recorder(Parrot(3), outputs))}, None, no_progress
        )  # type: ignore[arg-type]
    assert [result.case for result in folder.results()] == [case.id for case in suite.cases[:3]]
    folder.open(a_run())
    again = Parrot()
    run_suites(folder, [suite], {"no_documents": Speaking(Recorder(again, outputs))}, None, no_progress)  # type: ignore[arg-type]
    assert [result.case for result in folder.results()] == [case.id for case in suite.cases]
    assert again.lives == 99 - 2 and len(outputs) == 5


def test_a_folder_with_another_run_is_refused(tmp_path: Path) -> None:
    Folder(tmp_path).open(a_run("one"))
    with pytest.raises(InputError, match="other settings or documents"):
        Folder(tmp_path).open(a_run("two"))


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
