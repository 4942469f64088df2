"""Slows down whoever guesses passwords: failed sign-ins are counted per user and per address.

The counts live in the database, so that neither a restart nor a second process forgets them.
"""

import time
from collections.abc import Callable

from sqlalchemy import Engine, Float, String, delete, func, select
from sqlalchemy.orm import Mapped, mapped_column

from assistant.records.database import Base, transaction

WINDOW_S = 15 * 60.0
USER_LIMIT = 5
# One shared tablet stands for a whole shift, so an address may fail more often than one user.
ADDRESS_LIMIT = 30


class AttemptRow(Base):
    """Table of failed (or not yet finished) sign-ins; `at` is seconds since 1970."""

    __tablename__ = "sign_in_attempts"
    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[float] = mapped_column(Float(53), index=True)
    user: Mapped[str] = mapped_column(String(100), index=True)
    address: Mapped[str] = mapped_column(String(100), index=True)


class Lockout:
    """Counts attempts within a sliding window."""

    def __init__(self, engine: Engine, clock: Callable[[], float] = time.time) -> None:
        """Works on an open database; `clock` gives seconds since 1970."""
        self._engine = engine
        self._clock = clock

    def attempt(self, user: str, address: str) -> float:
        """Registers an attempt before the password is looked at, so that parallel guesses count too.

        Args:
            user: the casefolded name that was typed, known or not.
            address: where the request came from.

        Returns:
            Seconds to wait when there were too many attempts already (this one is not counted), else 0.
        """
        now = self._clock()
        with transaction(self._engine) as session:
            session.execute(delete(AttemptRow).where(AttemptRow.at <= now - WINDOW_S))
            for column, value, limit in (
                (AttemptRow.user, user[:100], USER_LIMIT),
                (AttemptRow.address, address[:100], ADDRESS_LIMIT),
            ):
                count, oldest = session.execute(
                    select(func.count(AttemptRow.id), func.min(AttemptRow.at)).where(column == value)
                ).one()
                if count >= limit:
                    return max(1.0, float(oldest) + WINDOW_S - now)
            session.add(AttemptRow(at=now, user=user[:100], address=address[:100]))
        return 0.0

    def clear(self, user: str) -> None:
        """Forgets a user's attempts, after a success or a reset."""
        with transaction(self._engine) as session:
            session.execute(delete(AttemptRow).where(AttemptRow.user == user[:100]))
