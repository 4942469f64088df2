"""Which documents the plant holds, in which revisions, and which of them users may see.

Visibility is decided here and nowhere else: a search sees the revisions that are visible, so one transaction
publishes a revision and retires the one before it. Every change of state names the states it may start from,
so that of two processes at one revision only one goes on.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Engine, delete, select, update
from sqlalchemy.orm import Session

from assistant.errors import StorageError
from assistant.records.database import scrub, transaction, utc_now
from assistant.records.revision import Revision, RevisionRow, RevisionState, family_of
from assistant.schema import Chunk
from assistant.serials import read_range

__all__ = ["Catalogue", "Revision", "RevisionState", "View", "family_of"]


@dataclass(frozen=True, slots=True)
class View:
    """What one question may see, taken once: a revision that is published meanwhile changes nothing in it.

    Attributes:
        visible: ids of the revisions in force, for the machine's serial number where that is known.
        others: ids of all others on record.
    """

    visible: frozenset[str]
    others: tuple[str, ...]

    def hidden(self) -> tuple[str, ...]:
        """Ids of all revisions on record that the question must not see."""
        return self.others

    def view(self, _serial: str = "") -> "View":
        """This very view: it stays as it was taken."""
        return self

    def shows(self, chunk: Chunk) -> bool:
        """Whether a chunk may be quoted: one of a revision begun after the view was taken may not."""
        return chunk.source != "manual" or chunk.revision in self.visible


class Catalogue:
    """Reads and changes the revisions on record."""

    def __init__(self, engine: Engine) -> None:
        """Works on an open database."""
        self._engine = engine

    def begin(self, revision: Revision) -> None:
        """Records a revision that is about to be built; it stays hidden until published."""
        values = {name: getattr(revision, name) for name in Revision.__slots__}
        with transaction(self._engine) as session:
            session.execute(delete(RevisionRow).where(RevisionRow.id == revision.id))
            session.add(
                RevisionRow(**values | {"applies_to": list(revision.applies_to), "state": "building"})
            )

    def ready(self, revision_id: str, chunks: int) -> None:
        """Marks a revision as complete, checked and waiting for approval; it stays hidden.

        Args:
            revision_id: one that is being built, or was in force before.
            chunks: how many it has.

        Raises:
            StorageError: it is in another state by now.
        """
        if not self._change(revision_id, ("building", "retired"), state="ready", chunks=chunks):
            raise _changed(revision_id)

    def publish(self, revision_id: str, chunks: int | None = None) -> list[str]:
        """Makes a complete revision visible and retires those it replaces, in one transaction.

        Args:
            revision_id: the revision.
            chunks: how many it has, told by whoever has just built and checked it.

        Returns:
            Ids of the revisions that were retired by this.

        Raises:
            StorageError: it is not complete, or is being deleted.
        """
        return self._show(revision_id, "retired", chunks)

    def roll_back(self, revision_id: str) -> list[str]:
        """As `publish`, but what was visible is withdrawn: reading its file again does not bring it back."""
        return self._show(revision_id, "withdrawn")

    def move(self, revision_id: str, states: Sequence[RevisionState], state: RevisionState) -> bool:
        """Moves a revision from one of some states to another; False when it is in none of them."""
        return self._change(revision_id, states, state=state)

    def condemn(self, revision_ids: Sequence[str]) -> None:
        """Hides revisions for good, all in one transaction; what they left is to be removed."""
        query = update(RevisionRow).where(RevisionRow.id.in_(revision_ids))
        with transaction(self._engine) as session:
            session.execute(query.values(state="deleting"))

    def forget(self, revision_ids: Sequence[str]) -> None:
        """Removes revisions from the records."""
        with transaction(self._engine) as session:
            session.execute(delete(RevisionRow).where(RevisionRow.id.in_(revision_ids)))

    def scrub(self) -> None:
        """Leaves nothing of forgotten records readable on the disk."""
        scrub(self._engine)

    def revision(self, revision_id: str) -> Revision | None:
        """One revision by id."""
        with transaction(self._engine) as session:
            row = session.get(RevisionRow, revision_id)
            return row.record() if row else None

    def revisions(self, state: RevisionState | None = None) -> list[Revision]:
        """All revisions, or those in one state, by document name and age."""
        query = select(RevisionRow).order_by(RevisionRow.document, RevisionRow.created_at, RevisionRow.id)
        if state:
            query = query.where(RevisionRow.state == state)
        with transaction(self._engine) as session:
            return [row.record() for row in session.scalars(query)]

    def family(self, name: str) -> list[Revision]:
        """Every revision of a family, oldest first."""
        with transaction(self._engine) as session:
            return _family(session, name)

    def view(self, serial: str = "") -> View:
        """What a question about a machine may see; without a serial number, every visible revision."""
        query = select(RevisionRow.id, RevisionRow.state, RevisionRow.serials)
        with transaction(self._engine) as session:
            rows = session.execute(query).all()
        visible = {row.id for row in rows if row.state == "visible" and _holds(row.serials, serial)}
        return View(frozenset(visible), tuple(row.id for row in rows if row.id not in visible))

    def hidden(self) -> tuple[str, ...]:
        """Ids of all revisions that a search must not see."""
        return self.view().hidden()

    def models(self) -> Sequence[str]:
        """Every casefolded tag or model that a visible revision applies to."""
        query = select(RevisionRow.applies_to).where(RevisionRow.state == "visible")
        with transaction(self._engine) as session:
            return sorted({name for names in session.scalars(query) for name in names})

    def _show(self, revision_id: str, instead: RevisionState, chunks: int | None = None) -> list[str]:
        with transaction(self._engine) as session:
            family = select(RevisionRow.family).where(RevisionRow.id == revision_id).scalar_subquery()
            # Changes nothing, but keeps a rival out of this family until the end of the transaction.
            session.execute(
                update(RevisionRow).where(RevisionRow.family == family).values(family=RevisionRow.family)
            )
            row = session.get(RevisionRow, revision_id)
            incomplete = row is not None and row.state == "building" and chunks is None
            if row is None or incomplete or row.state == "deleting":
                raise _changed(revision_id)
            row.chunks = row.chunks if chunks is None else chunks
            shown = row.record()
            others = [other for other in _family(session, row.family) if other.state == "visible"]
            retired = [other.id for other in others if shown.replaces(other)]
            session.execute(update(RevisionRow).where(RevisionRow.id.in_(retired)).values(state=instead))
            if row.state != "visible":
                row.state, row.published_at = "visible", utc_now()
            return retired

    def _change(self, revision_id: str, states: Sequence[RevisionState], **values: str | int) -> bool:
        query = update(RevisionRow).where(RevisionRow.id == revision_id, RevisionRow.state.in_(states))
        with transaction(self._engine) as session:
            return bool(session.execute(query.values(**values)).rowcount)  # type: ignore[attr-defined]


def _family(session: Session, name: str) -> list[Revision]:
    query = select(RevisionRow).where(RevisionRow.family == name)
    rows = session.scalars(query.order_by(RevisionRow.created_at, RevisionRow.id))
    return [row.record() for row in rows]


def _holds(serials: str, serial: str) -> bool:
    return not serials or not serial or read_range(serials).holds(serial)


def _changed(revision_id: str) -> StorageError:
    return StorageError(f"Revision {revision_id} was changed by another run meanwhile", "Try again.")
