"""The fault triage page: a short form, then causes, checks, parts, and past work orders apart."""

from collections.abc import Iterator
from typing import Any

import gradio as gr

from assistant.app import Lineside
from assistant.errors import AccessError, LinesideError
from assistant.schema import Language, TriageForm
from assistant.web import render
from assistant.web.access import Access
from assistant.web.links import PageLinks
from assistant.web.load import Load
from assistant.web.pages.frame import asset_choices, frame, html, listen, problem_line, refused, viewer
from assistant.web.texts import texts


class TriagePage:
    """One page in one language."""

    def __init__(self, lineside: Lineside, access: Access, load: Load, language: Language) -> None:
        """Shows what the application's triage ranks."""
        self._lineside = lineside
        self._access = access
        self._load = load
        self._language = language
        self._links = PageLinks(lineside.catalogue, lineside.store)

    def build(self) -> gr.Blocks:
        """The page's components and what happens on them."""
        words = texts(self._language)
        with frame("triage", self._language, self._access) as blocks:
            with gr.Row(elem_id="desk"):
                with gr.Column(elem_id="talk"):
                    with gr.Row():
                        asset = gr.Dropdown([], label=words["asset"], elem_id="asset", scale=2)
                        code = gr.Textbox(
                            label=words["code"], placeholder=words["code_hint"], elem_id="code", scale=1
                        )
                    happened = gr.Textbox(
                        label=words["happened"],
                        placeholder=words["happened_hint"],
                        lines=2,
                        elem_id="happened",
                    )
                    tried = gr.Textbox(label=words["tried"], placeholder=words["tried_hint"], elem_id="tried")
                    find = gr.Button(words["triage_button"], variant="primary", elem_id="find")
                    case = html("case", render.render("triage_empty.html", self._language))
                with gr.Column(elem_id="page-column"):
                    viewer(self._language)
            listen([blocks.load], self._assets, [], [asset])
            listen([find.click], self._rank, [asset, happened, code, tried], [case])
        return blocks

    def _assets(self, request: gr.Request) -> Any:
        self._access.require(request)
        return gr.Dropdown(choices=asset_choices(self._lineside.plant), value=None)

    def _rank(
        self, asset: str | None, happened: str, code: str, tried: str, request: gr.Request
    ) -> Iterator[str]:
        try:
            self._access.require(request)
            if not asset:
                yield render.problem(texts(self._language)["choose_machine"], self._language)
                return
            yield render.render("triage_searching.html", self._language)
            with self._load.one_more():
                result = self._lineside.triage.rank(
                    TriageForm(asset, happened or "", code or "", tried or "")
                )
            yield render.triage(result, self._links)
        except AccessError as refusal:
            yield refused(refusal, self._language)
        except LinesideError as problem:
            yield render.problem(problem_line(problem, self._language), self._language)
