"""What a model server says, and what it refuses, becomes a draft or one clear line; over real HTTP."""

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from langchain_core.messages import HumanMessage

from assistant.errors import LLMUnavailableError
from assistant.llm import ServedModel
from assistant.prompt import is_refusal
from assistant.settings import LLMSettings

CLAIMS = ("Tighten to 45 Nm. [1]", "Use grease NLGI 2. [1]", "Change it after 500 h. [2]")
Reply = tuple[int, list[str], str]


class Server:
    """An OpenAI-compatible server that a function answers for; `bodies` are the requests it got."""

    def __init__(self) -> None:
        self.answer: Callable[[dict[str, Any]], Reply] = lambda _body: (200, [], "stop")
        self.bodies: list[dict[str, Any]] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                outer.bodies.append(body)
                status, pieces, ended = outer.answer(body)
                self.send_response(status)
                kind = "text/event-stream" if status == 200 else "application/json"
                self.send_header("Content-Type", kind)
                self.end_headers()
                if status != 200:
                    self.wfile.write(json.dumps({"error": {"message": "".join(pieces)}}).encode())
                    return
                for place, piece in enumerate(pieces, start=1):
                    finish = ended if place == len(pieces) else None
                    choice = {"index": 0, "delta": {"content": piece}, "finish_reason": finish}
                    self.wfile.write(f"data: {json.dumps({'choices': [choice]})}\n\n".encode())
                self.wfile.write(b"data: [DONE]\n\n")

            def log_message(self, *_: object) -> None:
                """Keeps the test output quiet."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def model(self, **settings: object) -> ServedModel:
        url = f"http://127.0.0.1:{self._server.server_port}/v1"
        return ServedModel(LLMSettings.model_validate({"url": url, **settings}))

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def server() -> Iterator[Server]:
    started = Server()
    yield started
    started.close()


def said(model: ServedModel, claims: tuple[str, ...] = ()) -> list[str]:
    return list(model.stream([HumanMessage("How tight?")], claims))


@pytest.mark.parametrize(
    ("pieces", "draft"),
    [
        (["2", ", ", "1"], "Use grease NLGI 2. [1]\nTighten to 45 Nm. [1]"),
        (["3"], "Change it after 500 h. [2]"),
        (["Source 1", ", then 1 and 12"], "Tighten to 45 Nm. [1]"),
    ],
)
def test_numbers_that_a_model_names_become_the_words_they_stand_for(
    server: Server, pieces: list[str], draft: str
) -> None:
    server.answer = lambda _body: (200, pieces, "stop")
    assert "".join(said(server.model(), CLAIMS)) == draft
    assert server.bodies[0]["structured_outputs"] == {"regex": "none|(1|2|3)(, (1|2|3)){0,2}"}


def test_words_come_as_soon_as_their_number_is_told(server: Server) -> None:
    server.answer = lambda _body: (200, ["2", ", 1"], "stop")
    assert len(said(server.model(), CLAIMS)) == 2


@pytest.mark.parametrize("pieces", [["none"], ["9"], ["I cannot tell."]])
def test_naming_no_source_is_a_refusal(server: Server, pieces: list[str]) -> None:
    server.answer = lambda _body: (200, pieces, "stop")
    assert is_refusal("".join(said(server.model(), CLAIMS)))


def test_a_server_without_structured_outputs_is_asked_without_them_from_then_on(server: Server) -> None:
    def answer(body: dict[str, Any]) -> Reply:
        refused = "structured_outputs" in body
        return (400, ["Unrecognized request argument"], "") if refused else (200, ["1"], "stop")

    server.answer = answer
    model = server.model()
    assert [said(model, CLAIMS), said(model, CLAIMS)] == [[CLAIMS[0]], [CLAIMS[0]]]
    assert ["structured_outputs" in body for body in server.bodies] == [True, False, False]
    said(server.model(structured=False), CLAIMS)
    assert "structured_outputs" not in server.bodies[-1]


def test_a_prompt_longer_than_the_context_is_one_line_that_says_what_to_do(server: Server) -> None:
    server.answer = lambda _body: (400, ["This model's maximum context length is 1024 tokens"], "")
    with pytest.raises(LLMUnavailableError, match="LINESIDE_LLM_PROMPT_TOKENS"):
        said(server.model(), CLAIMS)
    assert len(server.bodies) == 1


def test_a_draft_that_was_cut_shows_it(server: Server) -> None:
    server.answer = lambda _body: (200, ["Tighten to 4"], "length")
    assert "".join(said(server.model())) == "Tighten to 4 …"
