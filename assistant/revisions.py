"""What is decided about manuals that are held: publish, reject, go back, delete.

Each decision is one transaction of the catalogue, so that it also works beside a running application. What is
to go is hidden by it at once, and removed by assistant/clearing.py.
"""

import logging
from collections.abc import Callable

from assistant.errors import InputError
from assistant.records.catalogue import Catalogue, Revision, RevisionState

# Told of every step that is done; a test ends the process at each.
Journal = Callable[[str], None]

_log = logging.getLogger(__name__)


class Revisions:
    """Supervisors' decisions, for the command line and the web application alike."""

    def __init__(self, catalogue: Catalogue, journal: Journal = _log.debug) -> None:
        """Changes the catalogue, and nothing else."""
        self._catalogue = catalogue
        self._journal = journal

    def find(self, name: str) -> list[Revision]:
        """The revisions that a name stands for: an id, else a document, else a family; oldest first.

        Raises:
            InputError: nothing of that name is held.
        """
        held = sorted(self._catalogue.revisions(), key=lambda revision: revision.created_at)
        for kind in ("id", "document", "family"):
            found = [revision for revision in held if getattr(revision, kind).casefold() == name.casefold()]
            if found:
                return found
        raise InputError(f"No document '{name[:80]}' is held", "See `lineside documents list --all`.")

    def publish(self, name: str) -> Revision:
        """Makes the revision that waits for approval visible, in one step; an id may name an earlier one.

        Raises:
            InputError: nothing of that name waits.
        """
        earlier: tuple[RevisionState, ...] = ("retired", "withdrawn")
        named = self._catalogue.revision(name)
        chosen = named if named and named.state in earlier else self._waiting(name)
        self._catalogue.publish(chosen.id)
        self._journal("published")
        return self._held(chosen)

    def reject(self, name: str) -> Revision:
        """Hides a revision that waits for approval for good; one that was in force before goes back to rest.

        Raises:
            InputError: nothing of that name waits.
        """
        chosen = self._waiting(name)
        if chosen.published_at is not None:
            self._catalogue.move(chosen.id, ("ready",), "retired")
        else:
            self._catalogue.move(chosen.id, ("ready",), "deleting")
        self._journal("hidden")
        return chosen

    def roll_back(self, name: str, to: str = "") -> tuple[Revision, Revision]:
        """Puts an earlier revision back in force, in one step.

        Args:
            name: document, family or id of what is in force.
            to: label or id of the revision to return to; by default the one before.

        Returns:
            The revision that was withdrawn, and the one in force now.

        Raises:
            InputError: nothing is in force, or there is no such earlier revision.
        """
        families = {revision.family for revision in self.find(name)}
        held = [revision for family in sorted(families) for revision in self._catalogue.family(family)]
        current = next((r for r in held if r.state == "visible" and name in (r.id, r.document)), None)
        current = current or next((revision for revision in held if revision.state == "visible"), None)
        if current is None:
            raise InputError(f"No revision of {name} is in force", "Publish one first.")
        kept = [r for r in held if r.state in {"retired", "withdrawn"} and current.replaces(r)]
        if to:
            fitting = [revision for revision in kept if to in (revision.label, revision.id)]
        else:
            fitting = [revision for revision in kept if revision.state == "retired"]
        if not fitting:
            labels = ", ".join(sorted({revision.label for revision in kept}))
            todo = f"Choose with --to: {labels}." if labels else "No other one was ever published."
            raise InputError(
                f"{current.document} has no {f'revision {to}' if to else 'earlier revision'}", todo
            )
        chosen = max(fitting, key=lambda revision: revision.published_at or revision.created_at)
        self._catalogue.roll_back(chosen.id)
        self._journal("rolled back")
        return self._held(current), self._held(chosen)

    def delete(self, name: str) -> list[Revision]:
        """Hides a document, or every revision of a family, for good and in one step.

        Returns:
            The revisions that are to be cleared away.

        Raises:
            InputError: nothing of that name is held.
        """
        found = self.find(name)
        self._catalogue.condemn([revision.id for revision in found])
        self._journal("hidden")
        return found

    def _waiting(self, name: str) -> Revision:
        waiting = [revision for revision in self.find(name) if revision.state == "ready"]
        if not waiting:
            raise InputError(
                f"No revision of {name} waits for approval", "See `lineside documents list --all`."
            )
        if len(waiting) > 1:
            named = ", ".join(f"{revision.id} ({revision.label})" for revision in waiting)
            raise InputError(
                f"{name} has {len(waiting)} revisions that wait", f"Name one by its id: {named}."
            )
        return waiting[0]

    def _held(self, revision: Revision) -> Revision:
        return self._catalogue.revision(revision.id) or revision
