"""POST /api/v1/ask, /api/v1/ask/stream and /api/v1/triage."""

import json
from collections.abc import Iterator
from dataclasses import asdict
from itertools import chain
from typing import Literal

from fastapi import APIRouter, Request
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict

from assistant.answer import Event, Final, Found, Token
from assistant.app import Lineside
from assistant.contract import answer_document
from assistant.errors import LinesideError
from assistant.schema import Answer, Json, Question, TriageForm, Turn
from assistant.web.access import Access
from assistant.web.links import PageLinks
from assistant.web.load import Load


class TurnBody(BaseModel):
    """One earlier message."""

    model_config = ConfigDict(extra="forbid")
    role: Literal["user", "assistant"]
    content: str


class AskBody(BaseModel):
    """What POST /ask takes."""

    model_config = ConfigDict(extra="forbid")
    question: str
    asset: str | None = None
    history: list[TurnBody] = []
    explain: bool = False

    def record(self) -> Question:
        """The body as the pipeline's record."""
        turns = tuple(Turn(turn.role, turn.content) for turn in self.history)
        return Question(self.question, self.asset or None, turns)


class TriageBody(BaseModel):
    """What POST /triage takes."""

    model_config = ConfigDict(extra="forbid")
    asset: str
    happened: str
    code: str = ""
    tried: str = ""


class QuestionsApi:
    """The same pipeline as the pages, for programs."""

    def __init__(self, lineside: Lineside, access: Access, load: Load) -> None:
        """Answers for signed-in users, as long as the load allows."""
        self._lineside = lineside
        self._access = access
        self._load = load
        self._links = PageLinks(lineside.catalogue, lineside.store)
        self.router = APIRouter()
        self.router.add_api_route("/ask", self.ask, methods=["POST"])
        self.router.add_api_route("/ask/stream", self.stream, methods=["POST"])
        self.router.add_api_route("/triage", self.triage, methods=["POST"])

    def ask(self, request: Request, body: AskBody) -> Json:
        """The finished answer; every place it names also tells its picture's address.

        With `explain`, which is for supervisors, the document holds "trace" as well.
        """
        self._access.require(request, "supervisor" if body.explain else "technician")
        with self._load.one_more():
            return self._document(self._lineside.answerer.ask(body.record()), body.explain)

    def stream(self, request: Request, body: AskBody) -> StreamingResponse:
        """Server-sent events: `found`, any number of `token`, then `answer` or `error`; see ask."""
        self._access.require(request, "supervisor" if body.explain else "technician")
        events = self._load.while_it_lasts(lambda: self._lineside.answerer.stream(body.record()))
        first = next(events)  # a question that cannot be asked fails here, with its status
        written = self._written(chain([first], events), body.explain)
        return StreamingResponse(written, media_type="text/event-stream")

    def triage(self, request: Request, body: TriageBody) -> Json:
        """The ranked case."""
        self._access.require(request)
        form = TriageForm(body.asset, body.happened, body.code, body.tried)
        with self._load.one_more():
            return asdict(self._lineside.triage.rank(form))

    def _document(self, answer: Answer, explained: bool) -> Json:
        document = answer_document(answer, explained=explained)
        links = self._links.of_citations(answer.citations)
        for citation in document["citations"]:
            citation["picture"] = links[citation["n"]].url if citation["n"] in links else None
        places = self._links.in_force(answer.closest)
        for citation, written in zip(answer.closest, document["closest"], strict=True):
            written["picture"] = places[citation].url if citation in places else None
        notices = self._links.of_notices(answer.safety)
        for notice, written in zip(answer.safety, document["safety"], strict=True):
            written["picture"] = notices[notice].url if notice in notices else None
        return document

    def _written(self, events: Iterator[Event], explained: bool) -> Iterator[str]:
        try:
            for event in events:
                match event:
                    case Found(hits):
                        places = [{"document": hit.chunk.document, "page": hit.chunk.page} for hit in hits]
                        yield _event("found", {"passages": places})
                    case Token(text):
                        yield _event("token", {"text": text})
                    case Final(answer):
                        yield _event("answer", self._document(answer, explained))
        except LinesideError as problem:
            # The status is out already; the line must still reach the reader.
            yield _event("error", {"error": str(problem)})


def _event(name: str, data: Json) -> str:
    return f"event: {name}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n"
