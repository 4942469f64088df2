"""The Ask page: choose the machine, ask, read the answer, look at the page."""

from collections.abc import Iterator, Sequence
from typing import Any

import gradio as gr

from assistant.admission import MAX_QUESTION
from assistant.app import Lineside
from assistant.errors import AccessError
from assistant.language import language_of
from assistant.schema import Language, Question, Turn
from assistant.web import render
from assistant.web.access import Access
from assistant.web.conversations import Conversation, Conversations
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


class AskPage:
    """One page in one language; a conversation lives as long as its session."""

    def __init__(
        self,
        lineside: Lineside,
        access: Access,
        load: Load,
        conversations: Conversations,
        language: Language,
    ) -> None:
        """Shows what the application's answerer says."""
        self._lineside = lineside
        self._access = access
        self._load = load
        self._conversations = conversations
        self._language = language
        self._links = PageLinks(lineside.catalogue, lineside.store)

    def build(self) -> gr.Blocks:
        """The page's components and what happens on them."""
        words = texts(self._language)
        with frame("ask", self._language, self._access) as blocks:
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
            listen([blocks.load], self._restored, [], [question, live, shown])
            listen([ask.click, question.submit], self._ask, [question, asset], [question, live, shown])
            listen([new.click], self._new, [], [live, shown])
        return blocks

    def _assets(self, request: gr.Request) -> Any:
        self._access.require(request)
        every = (texts(self._language)["asset_any"], "")
        return gr.Dropdown(choices=[every, *asset_choices(self._lineside.plant)], value="")

    def _new(self, request: gr.Request) -> tuple[str, str]:
        self._access.require(request)
        self._conversations.of(request).clear()
        return "", self._empty()

    def _restored(self, request: gr.Request) -> Iterator[tuple[Any, Any, Any]]:
        """What was said in this session before the page was opened anew, and what is still being answered."""
        explained = self._access.require(request).may("supervisor")
        conversation = self._conversations.of(request)
        yield gr.skip(), "", self._shown(conversation, explained)
        if conversation.working:
            yield from self._watched(conversation, explained)

    def _ask(self, text: str, asset: str | None, request: gr.Request) -> Iterator[tuple[Any, Any, Any]]:
        """Yields the question box, the exchange under way, and the finished ones."""
        text, asset = text or "", asset or ""
        keep = gr.skip()
        try:
            explained = self._access.require(request).may("supervisor")
        except AccessError as refusal:
            yield text, refused(refusal, self._language), keep
            return
        conversation = self._conversations.of(request)
        question = Question(text, asset or None, turns(conversation.past, asset))
        refusal_line = self._cannot_be_asked(text)
        if not refusal_line and not conversation.begin(
            text, asset, lambda: self._load.while_it_lasts(lambda: self._lineside.answerer.stream(question))
        ):
            refusal_line = texts(self._language)["still_answering"]
        if refusal_line:
            yield keep, render.problem(refusal_line, self._language, text, asset), keep
            return
        yield from self._watched(conversation, explained)

    def _watched(self, conversation: Conversation, explained: bool) -> Iterator[tuple[Any, Any, Any]]:
        """Draws the exchange as it grows, at last the finished one; a question that failed is given back."""
        keep = gr.skip()
        for progress in conversation.watch(REDRAW_S):
            asked, asset = progress.question, progress.asset
            if progress.problem:
                line = problem_line(progress.problem, self._language)
                yield asked, render.problem(line, self._language, asked, asset), keep
                return
            language = self._language if progress.hits is None else language_of(asked)
            yield "", render.progress(asked, asset, language, progress.hits, progress.draft), keep
        yield "", "", self._shown(conversation, explained)

    def _cannot_be_asked(self, text: str) -> str:
        """Why, in the page's language; empty for what can."""
        words = texts(self._language)
        if not any(sign.isalnum() for sign in text):
            return words["question_empty"]
        if len(text) > MAX_QUESTION:
            return words["question_too_long"].format(count=f"{len(text):,}", most=f"{MAX_QUESTION:,}")
        return ""

    def _shown(self, conversation: Conversation, explained: bool) -> str:
        drawn = (render.exchange(done, self._links, explained=explained) for done in conversation.past)
        return "".join(drawn) or self._empty()

    def _empty(self) -> str:
        return render.render("empty.html", self._language)


def turns(past: Sequence[Exchange], asset: str) -> tuple[Turn, ...]:
    """Earlier turns, oldest first, as far back as they were about the same machine."""
    same: list[Turn] = []
    for done in past:
        if done.asset != asset:
            break
        same = [Turn("user", done.question), Turn("assistant", done.answer.text), *same]
    return tuple(same)
