"""Which notices belong to which passage, told by where both stand in the document.

ANSI Z535.6 knows three places of a notice that governs a task: embedded among its steps, at the head of a
section for all of it, and grouped in a section of their own. So a passage takes, closest first,

1. the notices of its own section before it;
2. those further down its section: the task goes on there;
3. those at the head of the sections around it, before anything is done or looked up in them;
4. those of an opening section that only explains ('General', 'How to read a message'), for its sisters.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from assistant.schema import BlockKind

# What is done or looked up; text, pictures and notices only introduce it.
_WORK: frozenset[BlockKind] = frozenset({"list", "table"})


@dataclass(frozen=True, slots=True)
class Place:
    """Where a passage stands.

    Attributes:
        sections: running numbers of the headings above it, outermost first, without titles of tables.
    """

    kind: BlockKind
    sections: tuple[int, ...]


def tie(places: Sequence[Place]) -> list[tuple[int, ...]]:
    """For each passage in reading order the indices of its notices, closest first.

    A notice takes those beside it that govern the same passage.
    """
    around = _Surroundings(places)
    found: list[tuple[int, ...]] = [()] * len(places)
    for members in around.members.values():
        for index, own in _own(places, members):
            outer = around.outer(places[index].sections)
            found[index] = tuple(dict.fromkeys([*own, *outer]))
        for notice in (index for index in members if places[index].kind == "notice"):
            governed = next((index for index in members if index > notice and notice in found[index]), None)
            if governed is not None:
                found[notice] = tuple(other for other in found[governed] if other != notice)
    return found


def _own(places: Sequence[Place], members: Sequence[int]) -> Iterator[tuple[int, list[int]]]:
    """Each passage of a section with the section's notices that govern it, the last one before it first."""
    notices = [index for index in members if places[index].kind == "notice"]
    passages = [index for index in members if places[index].kind != "notice"]
    rows = [index for index in passages if places[index].kind == "table"]
    for index in passages:
        before = [notice for notice in reversed(notices) if notice < index]
        after = [notice for notice in notices if notice > index]
        if index in rows and before:
            # Between the rows of a table a notice holds for the rows up to the next one.
            last_row = max((row for row in rows if row < before[0]), default=-1)
            before = [notice for notice in before if notice > last_row]
        if index in rows or places[index].kind == "figure":
            # Where nothing comes after it in its section, a notice can only mean what stands before it.
            after = [notice for notice in after if notice > passages[-1]]
        yield index, [*before, *after]


class _Surroundings:
    """The notices that a section takes from the sections around it."""

    def __init__(self, places: Sequence[Place]) -> None:
        self._places = places
        self.members: dict[tuple[int, ...], list[int]] = defaultdict(list)
        self._first: dict[tuple[int, ...], int] = {}
        self._worked: set[tuple[int, ...]] = set()
        for index, place in enumerate(places):
            self.members[place.sections].append(index)
            for depth in range(len(place.sections)):
                above, section = place.sections[:depth], place.sections[depth]
                self._first.setdefault(above, section)
                if place.kind in _WORK:
                    self._worked.add((*above, section))

    def outer(self, sections: tuple[int, ...]) -> list[int]:
        """From the innermost section outwards."""
        found: list[int] = []
        for depth in range(len(sections) - 1, -1, -1):
            above = sections[:depth]
            found += self._head(above)
            opening = (*above, self._first[above])
            if above and opening != sections[: depth + 1] and opening not in self._worked:
                found += [
                    index for index in self.members.get(opening, ()) if self._places[index].kind == "notice"
                ]
        return found

    def _head(self, section: tuple[int, ...]) -> list[int]:
        head: list[int] = []
        for index in self.members.get(section, []):
            kind = self._places[index].kind
            if kind in _WORK:
                break
            if kind == "notice":
                head.append(index)
        return head
