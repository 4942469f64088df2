"""Every failure leaves the application as one JSON line: {"error": "..."}."""

import json
import logging
import secrets

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from assistant.errors import AccessError, InputError, LinesideError, LLMUnavailableError, StorageError
from assistant.records.accounts import TooManyAttemptsError

log = logging.getLogger(__name__)


class NotSignedInError(AccessError):
    """There is no valid session."""

    def __init__(self) -> None:
        """The line is always the same."""
        super().__init__("You are not signed in", "Sign in first.")


class NotAllowedError(AccessError):
    """The user's role does not include this."""


class NotFoundError(LinesideError):
    """What the address names does not exist, or is not to be seen by this user."""


class TooLargeError(InputError):
    """The request's body is larger than accepted."""


class BusyError(LinesideError):
    """Too many questions are being answered already."""

    retry = True


_STATUS: tuple[tuple[type[LinesideError], int], ...] = (
    (TooManyAttemptsError, 429),
    (NotSignedInError, 401),
    (NotAllowedError, 403),
    (NotFoundError, 404),
    (TooLargeError, 413),
    (AccessError, 401),
    (InputError, 400),
    (BusyError, 503),
    (StorageError, 503),
    (LLMUnavailableError, 503),
)


def status_of(error: LinesideError) -> int:
    """The HTTP status that tells a client what kind of failure it was."""
    return next((status for kind, status in _STATUS if isinstance(error, kind)), 500)


def failure(status: int, line: str, retry_after_s: int | None = None) -> Response:
    """The one-line JSON body with its status."""
    headers = {"Retry-After": str(retry_after_s)} if retry_after_s else {}
    body = json.dumps({"error": line}, ensure_ascii=False) + "\n"
    return Response(body, status, headers, media_type="application/json")


def failure_of(error: LinesideError) -> Response:
    """The response for an error of ours."""
    status = status_of(error)
    wait_s = int(getattr(error, "wait_s", 2)) if status in {429, 503} else None
    return failure(status, str(error), wait_s)


def install_failures(app: FastAPI) -> None:
    """Makes the application answer failures of every kind in this form."""

    def ours(_request: Request, error: Exception) -> Response:
        return failure_of(error) if isinstance(error, LinesideError) else failure(500, str(error))

    def invalid(_request: Request, error: Exception) -> Response:
        first = error.errors()[0] if isinstance(error, RequestValidationError) else {}
        place = ".".join(str(part) for part in first.get("loc", ())[1:])
        return failure(400, f"{place or 'The request'}: {first.get('msg', 'cannot be read')}")

    def http(_request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        return failure(error.status_code, str(error.detail))

    def unexpected(request: Request, error: Exception) -> Response:
        # The log holds the trace; the client gets only what helps to find it there.
        mark = secrets.token_hex(4)
        log.error("failure %s at %s %s", mark, request.method, request.url.path, exc_info=error)
        return failure(500, f"Something went wrong inside Lineside. The log has it as failure {mark}.")

    app.add_exception_handler(LinesideError, ours)
    app.add_exception_handler(RequestValidationError, invalid)
    app.add_exception_handler(HTTPException, http)
    app.add_exception_handler(Exception, unexpected)
