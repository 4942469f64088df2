"""The door: signing in and out. Plain HTML, so that it works before anything loads."""

from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from assistant.errors import AccessError
from assistant.records.accounts import TooManyAttemptsError
from assistant.schema import Language
from assistant.settings import WebSettings
from assistant.web.access import COOKIE, Access
from assistant.web.conversations import Conversations
from assistant.web.failures import failure_of
from assistant.web.render import render
from assistant.web.texts import texts


class SignIn:
    """Routes /sign-in and /sign-out."""

    def __init__(self, access: Access, conversations: Conversations, settings: WebSettings) -> None:
        """Signs in against the accounts behind `access`; signing out ends the conversation too."""
        self._access = access
        self._conversations = conversations
        self._settings = settings
        self.router = APIRouter(include_in_schema=False)
        self.router.add_api_route("/", self.start, methods=["GET"])
        self.router.add_api_route("/sign-in", self.page, methods=["GET"])
        self.router.add_api_route("/sign-in", self.sign_in, methods=["POST"])
        self.router.add_api_route("/sign-out", self.sign_out, methods=["POST"])

    def start(self, request: Request) -> Response:
        """Leads to the questions, in the browser's language."""
        return RedirectResponse(f"/{preferred_language(request)}/ask", 303)

    def page(self, request: Request) -> Response:
        """The form."""
        return _form(request, _language(request), next_page=request.query_params.get("next", ""))

    def sign_in(
        self,
        request: Request,
        name: Annotated[str, Form()] = "",
        password: Annotated[str, Form()] = "",
        next: Annotated[str, Form()] = "",  # noqa: A002 - the field's name in the form
    ) -> Response:
        """Opens a session and leads on; clients other than browsers get JSON."""
        language = _language(request)
        address = request.client.host if request.client else "unknown"
        try:
            token = self._access.accounts.sign_in(name.strip()[:100], password[:200], address)
        except AccessError as refusal:
            if "text/html" not in request.headers.get("accept", ""):
                return failure_of(refusal)
            return _form(request, language, next_page=next, name=name, refusal=refusal)
        response = RedirectResponse(_inside(next) or f"/{language}/ask", 303)
        response.set_cookie(
            COOKIE,
            token,
            max_age=int(self._settings.session_hours * 3600),
            httponly=True,
            samesite="lax",
            secure=self._settings.secure_cookies,
        )
        return response

    def sign_out(self, request: Request) -> Response:
        """Ends the session."""
        token = request.cookies.get(COOKIE)
        if token:
            self._conversations.forget(request)
            self._access.accounts.sign_out(token)
        response = RedirectResponse("/sign-in", 303)
        response.delete_cookie(COOKIE)
        return response


def preferred_language(request: Request) -> Language:
    """What the browser prefers, of the two."""
    return "zh" if request.headers.get("accept-language", "").lower().startswith("zh") else "en"


def _language(request: Request) -> Language:
    wanted = request.query_params.get("language") or request.query_params.get("next", "")[1:3]
    if wanted == "zh":
        return "zh"
    return "en" if wanted == "en" else preferred_language(request)


def _inside(address: str) -> str:
    """The address when it is a path of this application, else empty: no sign-in leads to another site."""
    plain = address.startswith("/") and not address.startswith(("//", "/\\")) and address.isprintable()
    return address if plain else ""


def _form(
    request: Request,
    language: Language,
    next_page: str = "",
    name: str = "",
    refusal: AccessError | None = None,
) -> Response:
    words, status = texts(language), 200
    line = words["signed_out"] if "ended" in request.query_params else ""
    if isinstance(refusal, TooManyAttemptsError):
        line, status = words["locked_out"].format(minutes=int(refusal.wait_s // 60) + 1), 429
    elif refusal:
        line, status = words["wrong_login"], 401
    page = render(
        "sign_in.html",
        language,
        title=words["sign_in"],
        line=line,
        name=name[:64],
        next=_inside(next_page),
        other="en" if language == "zh" else "zh",
    )
    return HTMLResponse(page, status)
