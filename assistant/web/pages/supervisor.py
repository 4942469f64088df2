"""The supervisor's page: hand in manuals, watch them become answerable, see what is held."""

from pathlib import Path
from typing import Any

import gradio as gr

from assistant.app import Lineside
from assistant.errors import AccessError, LinesideError
from assistant.schema import Language
from assistant.web import render
from assistant.web.access import Access
from assistant.web.pages.frame import asset_choices, frame, html, listen, refused
from assistant.web.texts import texts
from assistant.web.uploads import SUFFIXES, Uploads

REFRESH_S = 1.5
RECENT = 12


class SupervisorPage:
    """One page in one language; every handler asks for the supervisor's role."""

    def __init__(self, lineside: Lineside, access: Access, uploads: Uploads, language: Language) -> None:
        """Shows the queue and the catalogue of one application."""
        self._lineside = lineside
        self._access = access
        self._uploads = uploads
        self._language = language

    def build(self) -> gr.Blocks:
        """The page's components and what happens on them."""
        words = texts(self._language)
        with frame("supervisor", self._language, self._access) as blocks:
            with gr.Row(elem_id="desk"):
                with gr.Column(elem_id="talk"):
                    html("title", f"<h2>{words['upload_title']}</h2>")
                    files = gr.File(
                        label=words["upload_files"],
                        file_count="multiple",
                        file_types=list(SUFFIXES),
                        elem_id="files",
                    )
                    asset = gr.Dropdown([], label=words["upload_asset"], elem_id="asset")
                    with gr.Row():
                        model = gr.Textbox(
                            label=words["upload_model"],
                            placeholder=words["upload_model_hint"],
                            elem_id="model",
                        )
                        revision = gr.Textbox(
                            label=words["upload_revision"],
                            placeholder=words["upload_revision_hint"],
                            elem_id="revision",
                        )
                    upload = gr.Button(words["upload_button"], variant="primary", elem_id="upload")
                    told = html("told")
                with gr.Column(elem_id="page-column"):
                    jobs = html("jobs")
                    documents = html("documents")
            clock = gr.Timer(REFRESH_S)
            listen([blocks.load], self._assets, [], [asset])
            listen([blocks.load, clock.tick], self._state, [], [jobs, documents])
            listen([upload.click], self._upload, [files, asset, model, revision], [files, told])
        return blocks

    def _assets(self, request: gr.Request) -> Any:
        self._access.require(request, "supervisor")
        every = (texts(self._language)["whole_plant"], "")
        return gr.Dropdown(choices=[every, *asset_choices(self._lineside.plant)], value="")

    def _state(self, request: gr.Request) -> tuple[str, str]:
        try:
            self._access.require(request, "supervisor")
        except AccessError as refusal:
            return refused(refusal, self._language), ""
        return (
            render.render("jobs.html", self._language, jobs=self._lineside.jobs.recent(RECENT)),
            render.render(
                "documents.html", self._language, revisions=self._lineside.catalogue.revisions("visible")
            ),
        )

    def _upload(
        self, files: list[str] | None, asset: str | None, model: str, revision: str, request: gr.Request
    ) -> tuple[Any, str]:
        words = texts(self._language)
        try:
            user = self._access.require(request, "supervisor")
            if not files:
                return gr.skip(), render.problem(words["upload_choose"], self._language)
            for path in map(Path, files):
                with path.open("rb") as content:
                    self._uploads.accept(
                        path.name, content, asset=asset or "", model=model, label=revision, user=user.name
                    )
                # Gradio's copy can be read by every user who knows its address.
                path.unlink(missing_ok=True)
        except AccessError as refusal:
            return gr.skip(), refused(refusal, self._language)
        except LinesideError as problem:
            return gr.skip(), render.problem(str(problem), self._language)
        done = words["uploaded"].format(count=len(files))
        return None, render.render("told.html", self._language, line=done)
