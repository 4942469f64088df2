"""The supervisor's page: hand in manuals, see how well they were read, publish them, see what is held."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr

from assistant.app import Lineside
from assistant.errors import AccessError, LinesideError
from assistant.records.catalogue import Revision
from assistant.records.quality import Finding, QualityReport
from assistant.schema import Language
from assistant.web import render
from assistant.web.access import Access
from assistant.web.links import has_pictures
from assistant.web.pages.frame import asset_choices, frame, html, listen, refused
from assistant.web.texts import texts
from assistant.web.uploads import SUFFIXES, Uploads

REFRESH_S = 1.5
RECENT = 12
SHOWN_PAGES = 12


@dataclass(frozen=True, slots=True)
class Review:
    """A revision that waits for approval, as the page shows it.

    Attributes:
        pages: suspicious pages with what is wrong, at most SHOWN_PAGES; `more` are not shown.
        drawn: whether its pages can be shown as pictures.
    """

    revision: Revision
    report: QualityReport | None
    pages: tuple[tuple[int, tuple[Finding, ...]], ...]
    more: int
    drawn: bool

    @classmethod
    def of(cls, revision: Revision, report: QualityReport | None) -> "Review":
        """Picks what is shown."""
        pages = tuple(report.suspicious_pages.items()) if report else ()
        more = max(len(pages) - SHOWN_PAGES, 0)
        return cls(revision, report, pages[:SHOWN_PAGES], more, has_pictures(revision.document))


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
                    reviews = html("reviews")
                    jobs = html("jobs")
                    documents = html("documents")
            clock = gr.Timer(REFRESH_S)
            listen([blocks.load], self._assets, [], [asset])
            listen([blocks.load, clock.tick], self._state, [], [reviews, jobs, documents])
            listen([upload.click], self._upload, [files, asset, model, revision], [files, told])
        return blocks

    def _assets(self, request: gr.Request) -> Any:
        self._access.require(request, "supervisor")
        every = (texts(self._language)["whole_plant"], "")
        return gr.Dropdown(choices=[every, *asset_choices(self._lineside.plant)], value="")

    def _state(self, request: gr.Request) -> tuple[str, str, str]:
        try:
            self._access.require(request, "supervisor")
        except AccessError as refusal:
            return refused(refusal, self._language), "", ""
        waiting = self._lineside.catalogue.revisions("ready")
        reviews = [Review.of(revision, self._lineside.reports.get(revision.id)) for revision in waiting]
        return (
            render.render("reviews.html", self._language, waiting=reviews),
            render.render(
                "jobs.html",
                self._language,
                jobs=self._lineside.jobs.recent(RECENT),
                waiting={revision.id for revision in waiting},
            ),
            render.render(
                "documents.html",
                self._language,
                revisions=self._lineside.catalogue.revisions("visible"),
                earlier={revision.family for revision in self._lineside.catalogue.revisions("retired")},
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
                try:
                    with path.open("rb") as content:
                        self._uploads.accept(
                            path.name, content, asset=asset or "", model=model, label=revision, user=user.name
                        )
                finally:
                    # Gradio's copy can be read by every user who knows its address.
                    path.unlink(missing_ok=True)
        except AccessError as refusal:
            return gr.skip(), refused(refusal, self._language)
        except LinesideError as problem:
            return gr.skip(), render.problem(str(problem), self._language)
        done = words["uploaded"].format(count=len(files))
        return None, render.render("told.html", self._language, line=done)
