"""What the Gradio pages share: look, header, page viewer, and how they are mounted."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

import gradio as gr
from fastapi import FastAPI

from assistant.errors import AccessError, LinesideError, StorageError
from assistant.records.plant import Plant
from assistant.schema import Language
from assistant.web import render
from assistant.web.access import Access
from assistant.web.failures import BusyError, NotAllowedError
from assistant.web.texts import texts

AT_ONCE = 8
WAITING = 32
HEAD = '<link rel="icon" href="/static/icon.svg"><link rel="stylesheet" href="/static/lineside.css">' + (
    '<script src="/static/lineside.js" defer></script>'
)
FONTS = ("Noto Sans", "Roboto", "Liberation Sans", "Noto Sans CJK SC", "Microsoft YaHei", "sans-serif")

T = TypeVar("T")


@contextmanager
def frame(page: str, language: Language, access: Access) -> Iterator[gr.Blocks]:
    """An empty page with its header; the block adds the rest."""

    def on_load(request: gr.Request) -> str:
        return render.header(access.require(request), page, language)

    with gr.Blocks(
        title=f"{texts(language)[page]} · Lineside", fill_width=True, analytics_enabled=False
    ) as blocks:
        bar = html("bar", render.header(None, page, language))
        blocks.load(on_load, None, bar, api_visibility="private", show_progress="hidden")
        yield blocks


def html(elem_id: str, value: str = "") -> gr.HTML:
    """A place for our own HTML, without the styles that Gradio gives to prose."""
    return gr.HTML(value, elem_id=elem_id, apply_default_css=False, padding=False)


def viewer(language: Language) -> gr.HTML:
    """The place where cited pages open; static/lineside.js fills it."""
    return html("viewer", render.render("viewer.html", language))


def asset_choices(plant: Plant) -> list[tuple[str, str]]:
    """Dropdown choices: what is read, and the tag."""
    return [
        (" · ".join(part for part in (asset.tag, asset.name, asset.model) if part), asset.tag)
        for asset in plant.assets()
    ]


def refused(error: AccessError, language: Language) -> str:
    """What a handler shows when the session has ended or the role does not suffice."""
    words = texts(language)
    line = words["not_allowed"] if isinstance(error, NotAllowedError) else words["signed_out"]
    return render.problem(line, language)


def problem_line(error: LinesideError, language: Language) -> str:
    """What went wrong, in the page's language as far as it is something that users meet."""
    words = texts(language)
    if isinstance(error, BusyError):
        return words["busy"]
    if isinstance(error, StorageError):
        return words["failing"]
    return str(error)


def listen(
    events: Sequence[Callable[..., Any]],
    handler: Callable[..., Any],
    inputs: Sequence[Any],
    outputs: Sequence[Any],
) -> None:
    """Binds a handler to events; it is no public API endpoint, and checks the role itself all the same."""
    for event in events:
        event(
            handler,
            list(inputs),
            list(outputs),
            show_progress="hidden",
            api_visibility="private",
            concurrency_limit=AT_ONCE,
        )


def mount(app: FastAPI, blocks: gr.Blocks, path: str, upload_mb: int) -> None:
    """Puts a page under a path, with every limit set that Gradio leaves open."""
    blocks.queue(max_size=WAITING, default_concurrency_limit=AT_ONCE, api_open=False)
    gr.mount_gradio_app(
        app,
        blocks,
        path=path,
        footer_links=[],
        run_history=False,
        max_file_size=f"{upload_mb}mb",
        enable_monitoring=False,
        ssr_mode=False,
        show_error=False,
        mcp_server=False,
        theme=_theme(),
        head=HEAD,
    )


def _theme() -> gr.themes.Base:
    theme = gr.themes.Base(
        primary_hue="slate",
        neutral_hue="slate",
        text_size="lg",
        radius_size="sm",
        font=FONTS,
        font_mono=FONTS,
    ).set(
        body_background_fill="#eef0ed",
        body_text_color="#14191c",
        block_background_fill="#eef0ed",
        block_border_width="0px",
        block_padding="0px",
        block_label_text_color="#14191c",
        input_background_fill="#ffffff",
        input_background_fill_focus="#ffffff",
        input_border_width="2px",
        input_border_color="#48545b",
        input_border_color_focus="#1d3f52",
        input_padding="12px 14px",
        layout_gap="14px",
        button_primary_background_fill="#1d3f52",
        button_primary_background_fill_hover="#1d3f52",
        button_secondary_background_fill="#ffffff",
        button_secondary_background_fill_hover="#ffffff",
    )
    # A shop floor is bright: the tablet's dark mode changes nothing here.
    for name in [name for name in vars(theme) if name.endswith("_dark")]:
        setattr(theme, name, getattr(theme, name.removesuffix("_dark")))
    return theme
