"""What every request passes before it reaches a page or an API: headers, origin, size, session, role."""

from collections.abc import Mapping
from urllib.parse import quote, urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from assistant.errors import LinesideError
from assistant.schema import Role
from assistant.web.access import Access
from assistant.web.failures import NotAllowedError, NotSignedInError, TooLargeError, failure_of
from assistant.web.render import refused_page

OPEN_PATHS = ("/sign-in", "/sign-out", "/healthz", "/readyz", "/static/", "/favicon.ico", "/manifest.json")
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
# A question of the longest accepted kind is far below this; uploads have their own limit.
BODY_BYTES = 1_000_000

# Gradio builds its components with inline scripts and `Function`, hence the two 'unsafe' words; what this
# policy secures is that nothing is ever loaded from, sent to, or framed by another host.
HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": (
        "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; "
        "style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self' data:; "
        "connect-src 'self'; worker-src 'self' blob:; object-src 'none'; base-uri 'self'; "
        "form-action 'self'; frame-ancestors 'self'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "SAMEORIGIN",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}


class Gate:
    """ASGI middleware around the whole application."""

    def __init__(self, app: ASGIApp, access: Access, roles: Mapping[str, Role], upload_bytes: int) -> None:
        """Guards an application.

        Args:
            app: what is guarded.
            access: knows the sessions.
            roles: path prefix -> role that everything below it needs.
            upload_bytes: largest body below a prefix of `roles` or of the upload API.
        """
        self._app = app
        self._access = access
        self._roles = roles
        self._upload_bytes = upload_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes a request on, or answers it with a refusal."""
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self._app(scope, receive, send)
            return  # Nothing here speaks over web sockets.
        request = Request(scope)
        send = _with_headers(send)
        try:
            _check_origin(request)
            await self._check_session(request)
            receive = _limited(request, receive, self._limit(request.url.path))
        except LinesideError as refusal:
            await _refusal(request, refusal)(scope, receive, send)
            return
        await self._app(scope, receive, send)

    async def _check_session(self, request: Request) -> None:
        path = request.url.path
        if any(path == open_path or path.startswith(_below(open_path)) for open_path in OPEN_PATHS):
            return
        roles: list[Role] = [role for prefix, role in self._roles.items() if _is_below(path, prefix)]
        role: Role = roles[0] if roles else "technician"
        await run_in_threadpool(self._access.require, request, role)

    def _limit(self, path: str) -> int:
        uploads = any(_is_below(path, prefix) for prefix in self._roles)
        return self._upload_bytes if uploads else BODY_BYTES


def _below(prefix: str) -> str:
    return prefix if prefix.endswith("/") else f"{prefix}/"


def _is_below(path: str, prefix: str) -> bool:
    return path == prefix or path.startswith(_below(prefix))


def _check_origin(request: Request) -> None:
    """Refuses changes that another site makes a browser send.

    Browsers of today send Sec-Fetch-Site, all send Origin; a client with neither is no browser, and so has
    no cookie that someone else could ride on.
    """
    if request.method in SAFE_METHODS:
        return
    site = request.headers.get("sec-fetch-site")
    origin = request.headers.get("origin")
    foreign = site not in {"same-origin", "none"} if site else False
    if origin is not None:
        foreign = foreign or urlsplit(origin).netloc != request.headers.get("host", "")
    if foreign:
        raise NotAllowedError("The request comes from another site", "Use Lineside's own pages.")


def _limited(request: Request, receive: Receive, limit: int) -> Receive:
    """Counts the body as it comes, because a length may be missing or wrong.

    Raises:
        TooLargeError: at once when the announced length is over the limit.
    """
    refusal = TooLargeError(f"The request is larger than {max(limit // 1_000_000, 1)} MB", "Send less.")
    announced = request.headers.get("content-length", "0")
    if not announced.isdigit() or int(announced) > limit:
        raise refusal
    seen = 0

    async def counted() -> Message:
        nonlocal seen
        message = await receive()
        seen += len(message.get("body", b""))
        if seen > limit:
            # Not our own error: FastAPI turns anything but this into a 400 while it reads a body.
            raise HTTPException(413, str(refusal))
        return message

    return counted


def _refusal(request: Request, refusal: LinesideError) -> Response:
    path = request.url.path
    navigates = request.method == "GET" and "text/html" in request.headers.get("accept", "")
    if navigates and not path.startswith("/api/"):
        if isinstance(refusal, NotSignedInError):
            return RedirectResponse(f"/sign-in?next={quote(path)}", 303)
        if isinstance(refusal, NotAllowedError):
            return HTMLResponse(refused_page("zh" if path.startswith("/zh/") else "en"), 403)
    return failure_of(refusal)


def _with_headers(send: Send) -> Send:
    async def send_with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in HEADERS.items():
                headers[name] = value
            if headers.get("content-type", "").startswith(("text/html", "application/json")):
                headers["Cache-Control"] = "no-store"  # a shared tablet keeps no answers
        await send(message)

    return send_with_headers
