"""Users and their sessions.

Passwords are generated here, shown once and kept only as Argon2 hashes (pwdlib's recommended parameters);
session tokens are kept only as SHA-256 hashes. There is no default user and no default password.
"""

import hashlib
import re
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import get_args

from pwdlib import PasswordHash
from sqlalchemy import Engine, Float, ForeignKey, String, delete, select
from sqlalchemy.orm import Mapped, mapped_column

from assistant.errors import AccessError, InputError
from assistant.records.audit import Audit
from assistant.records.database import Base, transaction
from assistant.records.lockout import Lockout
from assistant.schema import Role

ROLES: tuple[Role, ...] = get_args(Role)
_NAME = re.compile(r"[\w.@-]{1,64}", re.ASCII)
# No 0/O, 1/l/I: someone reads it from a screen and types it with gloves on.
_PASSWORD_LETTERS = "abcdefghijkmnpqrstuvwxyz23456789"
_PASSWORD_GROUPS, _PASSWORD_GROUP = 4, 4


class TooManyAttemptsError(AccessError):
    """Sign-in is paused for this user or address; `wait_s` tells for how long."""

    retry = True

    def __init__(self, wait_s: float) -> None:
        """Names the waiting time in whole minutes."""
        self.wait_s = wait_s
        super().__init__("Too many failed sign-ins", f"Try again in {int(wait_s // 60) + 1} minutes.")


@dataclass(frozen=True, slots=True)
class User:
    """Who is signed in."""

    name: str
    role: Role

    def may(self, role: Role) -> bool:
        """Whether the user's role includes the given one (administrator > supervisor > technician)."""
        return ROLES.index(self.role) >= ROLES.index(role)


class UserRow(Base):
    """Table of users; `key` is the casefolded name."""

    __tablename__ = "users"
    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    name: Mapped[str] = mapped_column(String(64))
    role: Mapped[str] = mapped_column(String(20))
    password_hash: Mapped[str] = mapped_column(String(200))

    def record(self) -> User:
        """The row as a frozen record."""
        return User(self.name, self.role)  # type: ignore[arg-type]


class SessionRow(Base):
    """Table of sessions; `expires_at` is seconds since 1970."""

    __tablename__ = "sessions"
    token_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    user_key: Mapped[str] = mapped_column(ForeignKey("users.key", ondelete="CASCADE"), index=True)
    expires_at: Mapped[float] = mapped_column(Float(53), index=True)


class Accounts:
    """Adds and removes users, signs them in and out."""

    def __init__(
        self, engine: Engine, session_hours: float = 12.0, clock: Callable[[], float] = time.time
    ) -> None:
        """Works on an open database.

        Args:
            engine: where users, sessions, attempts and the audit are kept.
            session_hours: how long a sign-in lasts.
            clock: seconds since 1970.
        """
        self._engine = engine
        self._session_s = session_hours * 3600
        self._clock = clock
        self._lockout = Lockout(engine, clock)
        self.audit = Audit(engine)

    def add(self, name: str, role: str, by: str = "command line") -> str:
        """Creates a user.

        Returns:
            The generated password, which cannot be read again later.

        Raises:
            InputError: the name or role cannot be used, or the name is taken.
        """
        if not _NAME.fullmatch(name):
            raise InputError(f"The name {name!r} cannot be used", "Use 1 to 64 of A-Z a-z 0-9 _ . @ -")
        if role not in ROLES:
            raise InputError(f"The role {role!r} is not known", f"Known: {', '.join(ROLES)}.")
        password = _new_password()
        hashed = _hasher().hash(password)
        with transaction(self._engine) as session:
            if session.get(UserRow, name.casefold()):
                raise InputError(f"The user {name} exists", "Use `lineside users reset` for a new password.")
            session.add(UserRow(key=name.casefold(), name=name, role=role, password_hash=hashed))
        self.audit.note(by, "user added", f"{name} ({role})")
        return password

    def reset(self, name: str, by: str = "command line") -> str:
        """Gives a user a new password and ends every session and lockout of theirs; returns the password.

        Raises:
            InputError: there is no such user.
        """
        password = _new_password()
        hashed = _hasher().hash(password)
        key = name.casefold()
        with transaction(self._engine) as session:
            _existing(session.get(UserRow, key), name).password_hash = hashed
            session.execute(delete(SessionRow).where(SessionRow.user_key == key))
        self._lockout.clear(key)
        self.audit.note(by, "password reset", name)
        return password

    def remove(self, name: str, by: str = "command line") -> None:
        """Removes a user and ends their sessions.

        Raises:
            InputError: there is no such user.
        """
        with transaction(self._engine) as session:
            row = _existing(session.get(UserRow, name.casefold()), name)
            session.execute(delete(SessionRow).where(SessionRow.user_key == row.key))
            session.delete(row)
        self.audit.note(by, "user removed", name)

    def users(self) -> list[User]:
        """All users by name."""
        with transaction(self._engine) as session:
            return [row.record() for row in session.scalars(select(UserRow).order_by(UserRow.key))]

    def sign_in(self, name: str, password: str, address: str) -> str:
        """Checks a password and opens a session.

        Args:
            name: as typed.
            password: as typed.
            address: where the request came from, for the lockout.

        Returns:
            The session token for the cookie (256 random bits, URL-safe).

        Raises:
            TooManyAttemptsError: sign-in is paused, whether or not the password is right.
            AccessError: the name or the password is wrong; which of them is not told.
        """
        key = name.casefold()
        wait_s = self._lockout.attempt(key, address)
        if wait_s:
            self.audit.note(name, "sign-in paused", address)
            raise TooManyAttemptsError(wait_s)
        with transaction(self._engine) as session:
            row = session.get(UserRow, key)
        # An unknown name costs the same time as a wrong password, so that names cannot be probed.
        right = _hasher().verify(password, row.password_hash if row else _nobodys_hash())
        if row is None or not right:
            self.audit.note(name, "sign-in refused", address)
            raise AccessError("The name or the password is wrong", "Try again.")
        self._lockout.clear(key)
        token = secrets.token_urlsafe(32)
        now = self._clock()
        with transaction(self._engine) as session:
            session.execute(delete(SessionRow).where(SessionRow.expires_at <= now))
            session.add(SessionRow(token_hash=_digest(token), user_key=key, expires_at=now + self._session_s))
        self.audit.note(row.name, "signed in", address)
        return token

    def session_user(self, token: str | None) -> User | None:
        """Whose session a token belongs to, or None when it is unknown or has expired."""
        if not token:
            return None
        query = (
            select(UserRow)
            .join(SessionRow, SessionRow.user_key == UserRow.key)
            .where(SessionRow.token_hash == _digest(token), SessionRow.expires_at > self._clock())
        )
        with transaction(self._engine) as session:
            row = session.scalars(query).first()
            return row.record() if row else None

    def sign_out(self, token: str) -> None:
        """Ends a session; an unknown token is ignored."""
        user = self.session_user(token)
        with transaction(self._engine) as session:
            session.execute(delete(SessionRow).where(SessionRow.token_hash == _digest(token)))
        if user:
            self.audit.note(user.name, "signed out")


def _existing(row: UserRow | None, name: str) -> UserRow:
    if row is None:
        raise InputError(f"There is no user {name}", "`lineside users list` shows them.")
    return row


def _new_password() -> str:
    groups = (
        "".join(secrets.choice(_PASSWORD_LETTERS) for _ in range(_PASSWORD_GROUP))
        for _ in range(_PASSWORD_GROUPS)
    )
    return "-".join(groups)


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


@lru_cache(maxsize=1)
def _hasher() -> PasswordHash:
    return PasswordHash.recommended()


@lru_cache(maxsize=1)
def _nobodys_hash() -> str:
    return _hasher().hash(secrets.token_urlsafe(16))
