"""The web application: pages and API around one composed Lineside."""

from collections.abc import Callable
from importlib.resources import files
from pathlib import Path

from fastapi import APIRouter, FastAPI
from fastapi.responses import FileResponse
from fastapi.staticfiles import StaticFiles

from assistant.app import Lineside
from assistant.records.accounts import Accounts
from assistant.schema import Role
from assistant.web.access import Access
from assistant.web.api.pages import PagesApi
from assistant.web.api.plant import PlantApi
from assistant.web.api.questions import QuestionsApi
from assistant.web.api.revisions import RevisionsApi
from assistant.web.api.uploads import UploadsApi
from assistant.web.conversations import Conversations
from assistant.web.failures import install_failures
from assistant.web.gate import Gate
from assistant.web.health import Health
from assistant.web.load import Load
from assistant.web.signin import SignIn
from assistant.web.texts import LANGUAGES
from assistant.web.uploads import Uploads

API = "/api/v1"
ROLES: dict[str, Role] = {
    f"{API}/uploads": "supervisor",
    f"{API}/jobs": "supervisor",
    f"{API}/revisions": "supervisor",
    **{f"/{language}/supervisor": "supervisor" for language in LANGUAGES},
}


def create_app(lineside: Lineside) -> FastAPI:
    """Builds the application.

    Args:
        lineside: the composed parts; they outlive the application.
    """
    web = lineside.settings.web
    access = Access(Accounts(lineside.engine, web.session_hours))
    load, conversations = Load(), Conversations()
    uploads = Uploads(lineside, access.accounts.audit)
    # The interactive API documentation loads its scripts from another host, so there is none.
    app = FastAPI(title="Lineside", docs_url=None, redoc_url=None, openapi_url=f"{API}/openapi.json")
    install_failures(app)
    app.include_router(SignIn(access, conversations, web).router)
    app.include_router(Health(lineside).router)
    api = APIRouter(prefix=API)
    api.include_router(QuestionsApi(lineside, access, load).router)
    api.include_router(PlantApi(lineside, access).router)
    api.include_router(PagesApi(lineside, access).router)
    api.include_router(UploadsApi(lineside, access, uploads).router)
    api.include_router(RevisionsApi(lineside, access).router)
    app.include_router(api)
    _serve_static(app)
    _mount_pages(app, lineside, access, load, conversations, uploads)
    app.add_middleware(Gate, access=access, roles=ROLES, upload_bytes=(web.upload_mb + 1) * 1_000_000)
    return app


def _serve_static(app: FastAPI) -> None:
    folder = Path(str(files("assistant.web"))) / "static"
    app.mount("/static", StaticFiles(directory=folder))
    # Browsers and Gradio's pages ask for these two at the root.
    for path, name in (("/favicon.ico", "icon.svg"), ("/manifest.json", "manifest.json")):
        app.add_api_route(path, _file(folder / name), include_in_schema=False)


def _file(path: Path) -> Callable[[], FileResponse]:
    return lambda: FileResponse(path)


def _mount_pages(
    app: FastAPI,
    lineside: Lineside,
    access: Access,
    load: Load,
    conversations: Conversations,
    uploads: Uploads,
) -> None:
    from assistant.web.pages.ask import AskPage
    from assistant.web.pages.frame import mount
    from assistant.web.pages.supervisor import SupervisorPage
    from assistant.web.pages.triage import TriagePage

    for language in LANGUAGES:
        pages = {
            "ask": AskPage(lineside, access, load, conversations, language).build(),
            "triage": TriagePage(lineside, access, load, language).build(),
            "supervisor": SupervisorPage(lineside, access, uploads, language).build(),
        }
        for name, blocks in pages.items():
            mount(app, blocks, f"/{language}/{name}", lineside.settings.web.upload_mb)
