"""Who is asking, and what they may do."""

from typing import Protocol

from assistant.records.accounts import Accounts, User
from assistant.schema import Role
from assistant.web.failures import NotAllowedError, NotSignedInError

COOKIE = "lineside_session"


class HasCookies(Protocol):
    """A request of Starlette or of Gradio."""

    @property
    def cookies(self) -> dict[str, str]:
        """Cookie name -> value."""


class Access:
    """Turns a request into a user, or refuses.

    Every handler calls `require` first, also the handlers of Gradio events: hiding a page or a button keeps
    nobody from calling what stands behind it.
    """

    def __init__(self, accounts: Accounts) -> None:
        """Looks sessions up in the given accounts, each time, so that a removed user is out at once."""
        self.accounts = accounts

    def user(self, request: HasCookies | None) -> User | None:
        """Who is signed in, if anyone."""
        return self.accounts.session_user(request.cookies.get(COOKIE)) if request else None

    def require(self, request: HasCookies | None, role: Role = "technician") -> User:
        """Who is signed in, when their role includes the given one.

        Raises:
            NotSignedInError: nobody is signed in.
            NotAllowedError: the role does not suffice.
        """
        user = self.user(request)
        if user is None:
            raise NotSignedInError()
        if not user.may(role):
            raise NotAllowedError(f"This needs the role {role}", f"You are signed in as {user.role}.")
        return user
