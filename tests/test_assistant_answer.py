"""The pipeline on a real store and embedder; only the model server is played, over HTTP."""

import json
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from assistant.answer import Answerer, Final, Found, Token
from assistant.app import build_answerer, build_retriever
from assistant.assets import AssetResolver
from assistant.embedding import Embedder, build_embedder
from assistant.errors import QuestionError
from assistant.identifiers import find_identifiers
from assistant.llm import ServedModel
from assistant.prompt import REFUSAL
from assistant.records.catalogue import Catalogue, Revision
from assistant.records.database import open_database, utc_now
from assistant.records.plant import Plant
from assistant.schema import Asset, Chunk, Question, Turn
from assistant.settings import LLMSettings, load_settings
from assistant.sparse import SparseEncoder
from assistant.store.edge import EdgeStore

PASSAGES = {
    "notice": "WARNING Stored pressure. Discharge the accumulator before you open the hydraulic circuit.",
    "torque": "Tighten the cover bolts of the hydraulic pump to 45 Nm in two passes.",
    "e07": "Code: E-07 | Message: Pressure low | Cause: Filter clogged | Remedy: Replace filter 44-1180",
    "e107": "Code: E-107 | Message: Light curtain | Cause: Object in the field | Remedy: Clear it",
    "lathe": "Tighten the turret disc screws to 70 Nm.",
    "old": "Tighten the cover bolts of the hydraulic pump to 38 Nm.",
}


class _QuietServer(ThreadingHTTPServer):
    def handle_error(self, request: object, client_address: object) -> None:
        """A client that gives up on a slow reply closes the connection; that is what the test wants."""


class ModelServer:
    """An OpenAI-compatible server whose next replies a test decides."""

    def __init__(self) -> None:
        self.pieces: list[str] = []
        self.status = 200
        self.delay = 0.0
        self.asked: list[str] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                outer.asked.append("\n".join(message["content"] for message in body["messages"]))
                time.sleep(outer.delay)
                self.send_response(outer.status)
                self.send_header("Content-Type", "text/event-stream" if outer.status == 200 else "text/plain")
                self.end_headers()
                for piece in outer.pieces if outer.status == 200 else []:
                    delta = {"choices": [{"index": 0, "delta": {"content": piece}, "finish_reason": None}]}
                    self.wfile.write(f"data: {json.dumps(delta)}\n\n".encode())
                self.wfile.write(b"data: [DONE]\n\n")

            def log_message(self, *_: object) -> None:
                """Keeps the test output quiet."""

        self._server = _QuietServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/v1"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def model() -> Iterator[ModelServer]:
    server = ModelServer()
    yield server
    server.close()


@pytest.fixture(scope="module")
def embedder(tmp_path_factory: pytest.TempPathFactory) -> Embedder:
    return build_embedder("e5-small", tmp_path_factory.mktemp("models"))


def a_chunk(name: str, ordinal: int) -> Chunk:
    return Chunk(
        id=str(uuid.uuid5(uuid.NAMESPACE_URL, name)),
        document="lathe.pdf" if name == "lathe" else "press.pdf",
        revision={"lathe": "lathe", "old": "press-old"}.get(name, "press"),
        title="Manual",
        section=("Hydraulics",),
        page=ordinal + 1,
        page_last=ordinal + 1,
        kind="table" if name.startswith("e") else "text",
        text=PASSAGES[name],
        signal="WARNING" if name == "notice" else None,
        identifiers=find_identifiers(PASSAGES[name]),
        applies_to=("tl-42",) if name == "lathe" else ("hp-250",),
        notices=(str(uuid.uuid5(uuid.NAMESPACE_URL, "notice")),) if name == "torque" else (),
        ordinal=ordinal,
    )


def a_revision(name: str, document: str) -> Revision:
    return Revision(
        name, document, document, "A", "Manual", "0" * 64, (), "building", 9, 0, 0, utc_now(), None
    )


@pytest.fixture
def build(tmp_path: Path, embedder: Embedder) -> Iterator[Callable[..., Answerer]]:
    engine = open_database("", tmp_path)
    catalogue, plant, sparse = Catalogue(engine), Plant(engine), SparseEncoder()
    store = EdgeStore(tmp_path / "vectors", embedder.name, embedder.dimension)
    chunks = [a_chunk(name, ordinal) for ordinal, name in enumerate(PASSAGES)]
    texts = [chunk.text for chunk in chunks]
    for revision, document in (("press-old", "press.pdf"), ("press", "press.pdf"), ("lathe", "lathe.pdf")):
        catalogue.begin(a_revision(revision, document))
        catalogue.publish(revision, chunks=3)
    store.upsert(chunks, embedder.passages(texts), sparse.passages(texts))
    plant.add_assets([Asset("PR-01", "Press 1", "HP-250"), Asset("LA-01", "Lathe 1", "TL-42")])

    def make(url: str, **llm: float | str) -> Answerer:
        writing = LLMSettings.model_validate({"url": url, "style": "write", **llm})
        settings = replace(load_settings({}), llm=writing)
        parts = (catalogue, store, embedder, sparse)
        resolver, retriever = AssetResolver(plant, catalogue, store), build_retriever(*parts, settings)
        return build_answerer(resolver, retriever, *parts, ServedModel(writing), settings)

    yield make
    store.close()
    engine.dispose()


TORQUE = Question("How tight are the pump cover bolts?", "PR-01")


def test_found_then_tokens_then_the_checked_answer(
    build: Callable[..., Answerer], model: ModelServer
) -> None:
    model.pieces = ["Tighten the cover bolts ", "to 45 Nm [1]. ", "Then paint it red [1]."]
    events = list(build(model.url).stream(TORQUE))
    assert isinstance(events[0], Found)
    assert "".join(event.text for event in events if isinstance(event, Token)) == "".join(model.pieces)
    assert isinstance(events[-1], Final)
    answer = events[-1].answer
    assert answer.text == "Tighten the cover bolts to 45 Nm [1]."
    assert (answer.mode, answer.refused, answer.citations[0].page) == ("llm", False, 2)
    assert "withheld" in answer.note


def test_the_notice_of_the_cited_procedure_comes_verbatim(
    build: Callable[..., Answerer], model: ModelServer
) -> None:
    model.pieces = ["Tighten the cover bolts to 45 Nm."]
    answer = build(model.url).ask(TORQUE)
    assert [(notice.level, notice.text) for notice in answer.safety] == [("WARNING", PASSAGES["notice"])]


def test_a_code_is_found_exactly_and_its_neighbour_comes_later(
    build: Callable[..., Answerer], model: ModelServer
) -> None:
    for typed, page in (("e 07", 3), ("E-107", 4), ("E07?", 3)):
        events = build(model.url).stream(Question(f"press shows {typed}", "HP-250"))
        found = next(event for event in events if isinstance(event, Found))
        assert (found.hits[0].chunk.page, found.hits[0].exact) == (page, True), typed


@pytest.mark.parametrize("typed", ["E-117", "e117", "E 117"])
def test_a_code_that_no_manual_holds_is_said_to_be_missing(
    build: Callable[..., Answerer], model: ModelServer, typed: str
) -> None:
    model.pieces = ["E-117 means the light curtain is open [1]."]
    answer = build(model.url).ask(Question(f"fault {typed} on the press", "PR-01"))
    assert answer.refused and model.asked == []
    assert "117" in answer.text and "is not in the manuals held for PR-01" in answer.text
    assert "E-107" in answer.text


def test_other_machines_and_old_revisions_are_never_shown(
    build: Callable[..., Answerer], model: ModelServer
) -> None:
    model.pieces = ["38 Nm [1]."]
    answer = build(model.url).ask(Question("torque of the screws and bolts", "PR-01"))
    assert all("70 Nm" not in hit.chunk.text and "38 Nm" not in hit.chunk.text for hit in answer.hits)
    assert "38" not in answer.text


@pytest.mark.parametrize(
    ("machine", "model_name"), [("LA-01", "tl-42"), ("the TL-42", "tl-42"), ("PR-01", "hp-250")]
)
def test_a_machine_named_in_the_question_narrows_the_search(
    build: Callable[..., Answerer], model: ModelServer, machine: str, model_name: str
) -> None:
    events = build(model.url).stream(Question(f"how tight are the screws and bolts on {machine}"))
    found = next(event for event in events if isinstance(event, Found))
    assert {name for hit in found.hits for name in hit.chunk.applies_to} == {model_name}


def test_the_model_refuses_and_the_answer_says_so(build: Callable[..., Answerer], model: ModelServer) -> None:
    model.pieces = [REFUSAL["en"]]
    answer = build(model.url).ask(Question("What colour is the press?", "PR-01"))
    assert (answer.refused, answer.citations) == (True, ())
    assert answer.text.startswith("The manuals held for PR-01 do not answer this")
    assert {citation.document for citation in answer.closest} == {"press.pdf"}


def test_a_follow_up_is_searched_with_the_question_before_it(
    build: Callable[..., Answerer], model: ModelServer
) -> None:
    history = (
        Turn("user", "Where are the cover bolts of the hydraulic pump?"),
        Turn("assistant", "At the pump."),
    )
    model.pieces = ["45 Nm."]
    answer = build(model.url).ask(Question("and the torque for them?", "PR-01", history))
    assert answer.hits[0].chunk.text == PASSAGES["torque"]
    assert "At the pump." in model.asked[-1]


@pytest.mark.parametrize("fault", ["absent", "error", "slow", "empty", "markers only", "invented"])
def test_quotes_stand_in_for_a_model_that_fails(
    build: Callable[..., Answerer], model: ModelServer, fault: str
) -> None:
    url = model.url if fault != "absent" else "http://127.0.0.1:9/v1"
    model.status = 500 if fault == "error" else 200
    model.delay = 1.0 if fault == "slow" else 0.0
    model.pieces = {"markers only": ["[1] [2] [3]"], "invented": ["Use 99 Nm [1]."]}.get(fault, [])
    answer = build(url, first_token_timeout_s=0.5).ask(TORQUE)
    assert (answer.mode, answer.refused) == ("extractive", False)
    assert "45 Nm" in answer.text and answer.citations[0].quote == PASSAGES["torque"]
    assert answer.note.startswith("These are quotes")


def test_a_wrong_figure_gives_way_to_the_words_of_the_manual_and_the_note_says_so(
    build: Callable[..., Answerer], model: ModelServer
) -> None:
    model.pieces = ["Tighten the cover bolts in two passes [1]. ", "Tighten the cover bolts to 99 Nm [1]."]
    answer = build(model.url).ask(TORQUE)
    assert answer.mode == "llm" and "99" not in answer.text and "45 Nm" in answer.text
    assert "replaced by the manual's own words" in answer.note


def test_a_model_that_points_is_followed_where_it_points_at_the_best_place(
    build: Callable[..., Answerer], model: ModelServer
) -> None:
    model.pieces = ["1, 2"]
    led = build(model.url, style="point").ask(TORQUE)
    assert led.text.startswith(f"“{PASSAGES['torque']}” [1]") and led.note.startswith("The model chose")
    assert len(led.citations) >= 2
    model.pieces = ["2"]
    answer = build(model.url, style="point").ask(TORQUE)
    assert "45 Nm" in answer.text and "less fitting passages" in answer.note
    assert {led.mode, answer.mode} == {"extractive"}


def test_chinese_is_answered_in_chinese(build: Callable[..., Answerer], model: ModelServer) -> None:
    answer = build("http://127.0.0.1:9/v1").ask(Question("液压泵盖螺栓的力矩是多少？", "PR-01"))
    assert answer.language == "zh" and answer.note.startswith("以下为手册原文摘录")
    assert any("45 Nm" in citation.quote for citation in answer.citations)


@pytest.mark.parametrize(
    ("question", "named"),
    [
        (Question("   "), "empty"),
        (Question("x" * 50_000), "50,000 characters"),
        (Question("torque?", "XY-99"), "XY-99"),
    ],
)
def test_what_cannot_be_asked_is_one_clear_line(
    build: Callable[..., Answerer], model: ModelServer, question: Question, named: str
) -> None:
    with pytest.raises(QuestionError, match=named):
        build(model.url).ask(question)
    assert model.asked == []
