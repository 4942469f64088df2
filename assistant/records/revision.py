"""A revision as it is recorded: one content of one document."""

import re
from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePosixPath
from typing import Literal

from sqlalchemy import JSON, String
from sqlalchemy.orm import Mapped, mapped_column

from assistant.records.database import Base
from assistant.serials import read_range

# building -> ready -> visible -> retired; 'withdrawn' was rolled back by hand, 'deleting' is on its way out.
RevisionState = Literal["building", "ready", "visible", "retired", "withdrawn", "deleting"]

_REVISION_SUFFIX = re.compile(
    r"[ _.-]+(?:rev(?:ision)?|issue|版本|修订)[ _.-]*([0-9A-Z][\w.]*)$", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Revision:
    """One content of one document.

    Attributes:
        id: first 16 hex digits of a hash over document name, file bytes and what it applies to.
        family: the document's name without folder-independent revision suffix and file type; revisions of
            one family replace each other where their serial numbers overlap.
        label: what the revision is called on paper.
        applies_to: casefolded asset tags and models, empty for the whole plant.
        state: 'building' is incomplete, 'ready' is complete and checked and waits for approval, 'visible' can
            be asked, 'retired' was replaced and is kept for going back, 'withdrawn' was rolled back and does
            not return by itself, 'deleting' is being removed.
        serials: range of serial numbers that it holds for ('1000-1999'), empty for all.
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
    serials: str = ""

    def replaces(self, other: "Revision") -> bool:
        """Whether the other may not stay visible beside this one."""
        related = other.family == self.family and other.id != self.id
        return related and read_range(self.serials).overlaps(read_range(other.serials))


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
    serials: Mapped[str] = mapped_column(String(100), server_default="", default="")

    def record(self) -> Revision:
        """The row as a frozen record."""
        values = {name: getattr(self, name) for name in Revision.__slots__ if name != "applies_to"}
        return Revision(applies_to=tuple(self.applies_to), **values)


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
