"""The Ask page: choose the machine, ask, read the answer, look at the page."""

import time
from collections.abc import Iterator
from typing import Any

import gradio as gr

from assistant.admission import MAX_QUESTION
from assistant.answer import Final, Found
from assistant.app import Lineside
from assistant.errors import AccessError, LinesideError
from assistant.language import language_of
from assistant.schema import Language, Question, Turn
from assistant.web import render
from assistant.web.access import Access
from assistant.web.links import PageLinks
from assistant.web.load import Load
from assistant.web.pages.frame import (
    asset_choices,
    frame,
    html,
    listen,
    problem_line,
    refused,
    viewer,
)
from assistant.web.render import Exchange
from assistant.web.texts import texts

# Drafts are sent at most this often: a slow tablet must not spend its time on redrawing.
REDRAW_S = 0.1
KEPT = 20


class AskPage:
    """One page in one language; a conversation lives as long as the page is open."""

    def __init__(self, lineside: Lineside, access: Access, load: Load, language: Language) -> None:
        """Shows what the application's answerer says."""
        self._lineside = lineside
        self._access = access
        self._load = load
        self._language = language
        self._links = PageLinks(lineside.catalogue, lineside.store)

    def build(self) -> gr.Blocks:
        """The page's components and what happens on them."""
        words = texts(self._language)
        with frame("ask", self._language, self._access) as blocks:
            past = gr.State([])
            with gr.Row(elem_id="desk"):
                with gr.Column(elem_id="talk"):
                    asset = gr.Dropdown([], label=words["asset"], elem_id="asset")
                    with gr.Row(elem_id="asking"):
                        question = gr.Textbox(
                            label=words["question"],
                            placeholder=words["question_hint"],
                            lines=2,
                            max_lines=6,
                            elem_id="question",
                        )
                        ask = gr.Button(words["ask_button"], variant="primary", elem_id="ask")
                    live = html("live")
                    shown = html("past", self._empty())
                    new = gr.Button(words["new_button"], elem_id="new")
                with gr.Column(elem_id="page-column"):
                    viewer(self._language)
            listen([blocks.load], self._assets, [], [asset])
            listen(
                [ask.click, question.submit],
                self._ask,
                [question, asset, past],
                [question, live, shown, past],
            )
            listen([new.click], self._new, [], [live, shown, past])
        return blocks

    def _assets(self, request: gr.Request) -> Any:
        self._access.require(request)
        every = (texts(self._language)["asset_any"], "")
        return gr.Dropdown(choices=[every, *asset_choices(self._lineside.plant)], value="")

    def _new(self, request: gr.Request) -> tuple[str, str, list[Exchange]]:
        self._access.require(request)
        return "", self._empty(), []

    def _ask(
        self, text: str, asset: str | None, past: list[Exchange], request: gr.Request
    ) -> Iterator[tuple[Any, Any, Any, Any]]:
        """Yields the question box, the exchange under way, the finished ones, and the state."""
        text, asset = text or "", asset or ""
        keep = gr.skip()
        try:
            explained = self._access.require(request).may("supervisor")
            refusal = self._cannot_be_asked(text)
            if refusal:
                yield keep, render.problem(refusal, self._language, text, asset), keep, keep
                return
            question = Question(text, asset or None, turns(past, asset))
            yield "", render.progress(text[:300], asset, self._language), keep, keep
            for drawing, answer in self._answered(question):
                if answer:
                    past = [Exchange(text, asset, answer), *past][:KEPT]
                    yield "", "", self._shown(past, explained), past
                else:
                    yield "", drawing, keep, keep
        except AccessError as refusal:
            yield text, refused(refusal, self._language), keep, keep
        except LinesideError as problem:
            line = problem_line(problem, self._language)
            yield text[:MAX_QUESTION], render.problem(line, self._language, text, asset), keep, keep

    def _cannot_be_asked(self, text: str) -> str:
        """Why, in the page's language; empty for what can."""
        words = texts(self._language)
        if not any(sign.isalnum() for sign in text):
            return words["question_empty"]
        if len(text) > MAX_QUESTION:
            return words["question_too_long"].format(count=f"{len(text):,}", most=f"{MAX_QUESTION:,}")
        return ""

    def _answered(self, question: Question) -> Iterator[tuple[str, Any]]:
        """Drawings of the exchange as it grows, at last the answer."""
        asset, language = question.asset or "", language_of(question.text)
        hits, draft, drawn_at = None, "", 0.0
        for event in self._load.while_it_lasts(lambda: self._lineside.answerer.stream(question)):
            if isinstance(event, Final):
                yield "", event.answer
                return
            if isinstance(event, Found):
                hits = event.hits
            else:
                draft += event.text
            if not draft or time.monotonic() - drawn_at > REDRAW_S:
                drawn_at = time.monotonic()
                yield render.progress(question.text, asset, language, hits, draft), None

    def _shown(self, past: list[Exchange], explained: bool) -> str:
        return "".join(render.exchange(done, self._links, explained=explained) for done in past)

    def _empty(self) -> str:
        return render.render("empty.html", self._language)


def turns(past: list[Exchange], asset: str) -> tuple[Turn, ...]:
    """Earlier turns, oldest first, as far back as they were about the same machine."""
    same: list[Turn] = []
    for done in past:
        if done.asset != asset:
            break
        same = [Turn("user", done.question), Turn("assistant", done.answer.text), *same]
    return tuple(same)
