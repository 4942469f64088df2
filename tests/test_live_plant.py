"""The real model on real vLLM, asked about the demonstration plant: its figures stand on cited pages."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pypdfium2
import pytest

from assistant.answer import Final, Found, Token
from assistant.app import Lineside, open_lineside
from assistant.literals import literals
from assistant.schema import Answer, Question
from assistant.settings import load_settings
from ingest.commands import build_ingestor

REPOSITORY = Path(__file__).parents[1]
MANUALS = REPOSITORY / "demo" / "built" / "manuals"
NAMES = ("HP-250_hydraulic-press_rev-C.pdf", "ZS-160_注塑机_rev-A.pdf")
QUESTIONS = (
    "what does E-07 mean",
    "accumulator precharge pressure at 20 °C",
    "how much oil does the reservoir of the press hold",
    "how do I replace the coupling element of the main pump",
    "AL-031 是什么报警",
    "油泵法兰螺栓力矩多少",
)

pytestmark = [pytest.mark.live, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def plant(live_llm: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lineside]:
    folder = tmp_path_factory.mktemp("live")
    environment = {
        "LINESIDE_HOME": str(folder / "home"),
        "LINESIDE_LLM_URL": live_llm,
        "LINESIDE_LLM_STYLE": "write",
        "LINESIDE_LLM_MAX_TOKENS": "160",
        "LINESIDE_LLM_FIRST_TOKEN_TIMEOUT_S": "120",
        "LINESIDE_LLM_TIMEOUT_S": "300",
    }
    with open_lineside(load_settings(environment, folder)) as lineside:
        ingestor = build_ingestor(lineside)
        for name in NAMES:
            assert ingestor.ingest(MANUALS / name, name).status == "ingested"
        yield lineside


@pytest.fixture(scope="module")
def answers(plant: Lineside) -> list[Answer]:
    return [plant.answerer.ask(Question(text)) for text in QUESTIONS]


def cited_text(answer: Answer) -> str:
    texts = []
    for document, page in sorted({(citation.document, citation.page) for citation in answer.citations}):
        with pypdfium2.PdfDocument(MANUALS / document) as manual:
            texts.append(manual[page - 1].get_textpage().get_text_range())
    return "\n".join(texts)


def test_an_answer_streams_from_the_real_model(plant: Lineside) -> None:
    events = list(plant.answerer.stream(Question("how do I replace the coupling element of the main pump")))
    assert isinstance(events[0], Found) and isinstance(events[-1], Final)
    assert len([event for event in events if isinstance(event, Token)]) > 5
    assert "first_token" in events[-1].answer.timings_ms


def test_the_model_writes_some_of_the_answers_itself(answers: list[Answer]) -> None:
    assert any(answer.mode == "llm" and not answer.refused for answer in answers)


def test_every_figure_of_an_answer_stands_on_a_page_it_cites(answers: list[Answer]) -> None:
    for question, answer in zip(QUESTIONS, answers, strict=True):
        if not answer.refused:
            claimed, _ = literals(answer.text.replace("“", "").replace("”", ""))
            marks = {str(citation.n) for citation in answer.citations}
            held, _ = literals(cited_text(answer))
            assert claimed - marks <= held, question


def test_every_answer_is_cited_or_refused_and_in_the_language_of_the_question(answers: list[Answer]) -> None:
    for question, answer in zip(QUESTIONS, answers, strict=True):
        assert answer.refused != bool(answer.citations), question
        assert answer.language == ("zh" if "是" in question or "油泵" in question else "en")


def test_four_questions_at_once_are_all_answered_by_the_model(plant: Lineside) -> None:
    with ThreadPoolExecutor(4) as pool:
        answered = list(pool.map(lambda text: plant.answerer.ask(Question(text)), QUESTIONS[:4]))
    assert all("first_token" in answer.timings_ms for answer in answered)
