"""Who did what and when: one row for each sign-in, refusal, upload and change of users."""

from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Engine, Float, String, select
from sqlalchemy.orm import Mapped, mapped_column

from assistant.records.database import Base, transaction, utc_now


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One event: the user's name (or the one tried), the action, what it was done to, and when (UTC)."""

    who: str
    what: str
    detail: str
    at: datetime


class AuditRow(Base):
    """Table of events; `at` is seconds since 1970 (UTC), so that every database keeps it alike."""

    __tablename__ = "audit"
    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[float] = mapped_column(Float(53), index=True)
    who: Mapped[str] = mapped_column(String(100), index=True)
    what: Mapped[str] = mapped_column(String(50))
    detail: Mapped[str] = mapped_column(String(500))


class Audit:
    """Appends events and reads the latest; nothing here changes or removes one."""

    def __init__(self, engine: Engine) -> None:
        """Works on an open database."""
        self._engine = engine

    def note(self, who: str, what: str, detail: str = "") -> None:
        """Records an event; overlong fields are cut to what the table holds."""
        with transaction(self._engine) as session:
            session.add(
                AuditRow(at=utc_now().timestamp(), who=who[:100], what=what[:50], detail=detail[:500])
            )

    def latest(self, limit: int = 100) -> list[AuditEntry]:
        """The newest events, newest first."""
        query = select(AuditRow).order_by(AuditRow.id.desc()).limit(limit)
        with transaction(self._engine) as session:
            return [
                AuditEntry(row.who, row.what, row.detail, datetime.fromtimestamp(row.at, UTC))
                for row in session.scalars(query)
            ]
