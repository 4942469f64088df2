"""Which documents the plant holds, in which revisions, and which of them users may see.

Visibility is decided here and nowhere else: a search hides every revision that is not visible, so one
transaction publishes a revision and retires the one before it.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePosixPath
from typing import Literal

from sqlalchemy import JSON, Engine, String, delete, select, update
from sqlalchemy.orm import Mapped, mapped_column

from assistant.records.database import Base, transaction, utc_now

RevisionState = Literal["building", "visible", "retired"]

_REVISION_SUFFIX = re.compile(
    r"[ _.-]+(?:rev(?:ision)?|issue|版本|修订)[ _.-]*([0-9A-Z][\w.]*)$", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Revision:
    """One content of one document.

    Attributes:
        id: first 16 hex digits of a hash over document name, file bytes and what it applies to.
        family: the document's name without folder-independent revision suffix and file type; revisions of
            one family replace each other.
        label: what the revision is called on paper.
        applies_to: casefolded asset tags and models, empty for the whole plant.
    """

    id: str
    document: str
    family: str
    label: str
    title: str
    file_hash: str
    applies_to: tuple[str, ...]
    state: RevisionState
    pages: int
    chunks: int
    ocr_pages: int
    created_at: datetime
    published_at: datetime | None


class RevisionRow(Base):
    """Table of revisions."""

    __tablename__ = "revisions"
    id: Mapped[str] = mapped_column(String(16), primary_key=True)
    document: Mapped[str] = mapped_column(String(500), index=True)
    family: Mapped[str] = mapped_column(String(500), index=True)
    label: Mapped[str] = mapped_column(String(100))
    title: Mapped[str] = mapped_column(String(500))
    file_hash: Mapped[str] = mapped_column(String(64))
    applies_to: Mapped[list[str]] = mapped_column(JSON)
    state: Mapped[str] = mapped_column(String(10), index=True)
    pages: Mapped[int] = mapped_column(default=0)
    chunks: Mapped[int] = mapped_column(default=0)
    ocr_pages: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime]
    published_at: Mapped[datetime | None]

    def record(self) -> Revision:
        """The row as a frozen record."""
        return Revision(
            id=self.id,
            document=self.document,
            family=self.family,
            label=self.label,
            title=self.title,
            file_hash=self.file_hash,
            applies_to=tuple(self.applies_to),
            state=self.state,  # type: ignore[arg-type]
            pages=self.pages,
            chunks=self.chunks,
            ocr_pages=self.ocr_pages,
            created_at=self.created_at,
            published_at=self.published_at,
        )


def family_of(document: str) -> tuple[str, str]:
    """Splits a file name into the family that its revisions share and the revision label it carries.

    'press/HP-250_manual_rev-C.pdf' -> ('press/HP-250_manual', 'C'); without a suffix the label is empty.
    """
    path = PurePosixPath(document)
    match = _REVISION_SUFFIX.search(path.stem)
    stem = path.stem[: match.start()] if match else path.stem
    # Without a revision suffix two types of one name (guide.md, guide.pdf) are two documents.
    name = stem if match else path.name
    return str(path.parent / name), match.group(1) if match else ""


class Catalogue:
    """Reads and changes the revisions on record."""

    def __init__(self, engine: Engine) -> None:
        """Works on an open database."""
        self._engine = engine

    def begin(self, revision: Revision) -> None:
        """Records a revision that is about to be built; it stays hidden until published."""
        with transaction(self._engine) as session:
            session.execute(delete(RevisionRow).where(RevisionRow.id == revision.id))
            session.add(
                RevisionRow(
                    id=revision.id,
                    document=revision.document,
                    family=revision.family,
                    label=revision.label,
                    title=revision.title,
                    file_hash=revision.file_hash,
                    applies_to=list(revision.applies_to),
                    state="building",
                    created_at=revision.created_at,
                )
            )

    def publish(self, revision_id: str, *, title: str, pages: int, chunks: int, ocr_pages: int) -> list[str]:
        """Makes a built revision visible and retires the family's earlier ones, in one transaction.

        Returns:
            Ids of the revisions that were retired by this.
        """
        with transaction(self._engine) as session:
            row = session.get_one(RevisionRow, revision_id)
            older = select(RevisionRow.id).where(
                RevisionRow.family == row.family, RevisionRow.id != row.id, RevisionRow.state == "visible"
            )
            retired = list(session.scalars(older))
            session.execute(update(RevisionRow).where(RevisionRow.id.in_(retired)).values(state="retired"))
            row.title, row.pages, row.chunks, row.ocr_pages = title, pages, chunks, ocr_pages
            row.state, row.published_at = "visible", utc_now()
            return retired

    def forget(self, revision_id: str) -> None:
        """Removes a revision from the records."""
        with transaction(self._engine) as session:
            session.execute(delete(RevisionRow).where(RevisionRow.id == revision_id))

    def revision(self, revision_id: str) -> Revision | None:
        """One revision by id."""
        with transaction(self._engine) as session:
            row = session.get(RevisionRow, revision_id)
            return row.record() if row else None

    def revisions(self, state: RevisionState | None = None) -> list[Revision]:
        """All revisions, or those in one state, by document name and age."""
        query = select(RevisionRow).order_by(RevisionRow.document, RevisionRow.created_at)
        if state:
            query = query.where(RevisionRow.state == state)
        with transaction(self._engine) as session:
            return [row.record() for row in session.scalars(query)]

    def visible_in(self, family: str) -> Revision | None:
        """The visible revision of a family."""
        query = select(RevisionRow).where(RevisionRow.family == family, RevisionRow.state == "visible")
        with transaction(self._engine) as session:
            row = session.scalars(query).first()
            return row.record() if row else None

    def hidden(self) -> tuple[str, ...]:
        """Ids of all revisions that a search must not see."""
        query = select(RevisionRow.id).where(RevisionRow.state != "visible")
        with transaction(self._engine) as session:
            return tuple(session.scalars(query))

    def models(self) -> Sequence[str]:
        """Every casefolded tag or model that a visible revision applies to."""
        query = select(RevisionRow.applies_to).where(RevisionRow.state == "visible")
        with transaction(self._engine) as session:
            return sorted({name for names in session.scalars(query) for name in names})
