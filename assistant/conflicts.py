"""Where a plant's papers disagree about what was asked: the side that applies leads.

Three kinds: the revision in force against the one it replaced, two manuals in force for the same machine, and
a manual against this fleet's work orders. Nothing is said to disagree unless both sides say the same thing
with another figure: an alarm that is wrong is worse than none.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from assistant.earlier import EarlierRevisions
from assistant.evidence import Evidence
from assistant.grounding import cite
from assistant.sayings import Saying, done_otherwise, said_otherwise, saying
from assistant.schema import Chunk, Conflict, Hit, Statement

# Places of the cited passages that may be what was asked, and how much less likely than the best they may be.
PLACES, NEARLY = 3, 0.6
# More than this many disagreements on one answer are not read.
MOST = 3


class Conflicts:
    """Finds what disagrees with an answer; safe to share between threads."""

    def __init__(self, earlier: EarlierRevisions) -> None:
        """Compares the places that answer a question with earlier revisions and with what else was found."""
        self._earlier = earlier

    def find(
        self,
        evidence: Sequence[Evidence],
        cited: Sequence[Hit],
        applies_to: Sequence[str] = (),
        *,
        stated: str = "",
        found: Sequence[Hit] = (),
        orders: Sequence[Hit] = (),
    ) -> tuple[Conflict, ...]:
        """What disagrees with the cited passages about the question.

        Args:
            evidence: places that answer the question, best first; those of passages not cited are left out.
            cited: passages that the answer stands on; the manual's lead.
            applies_to: casefolded tag and model of the machine; work orders that name it come first.
            stated: the answer; only its figures are compared. Empty: those of the places that answer best.
            found: other passages of manuals in force that were found for the question.
            orders: work orders that were found for it.

        Returns:
            At most MOST, earlier revisions first; each pair once.

        Raises:
            StorageError: the store or the records cannot be read.
        """
        figures = saying(stated).figures if stated else None
        conflicts: list[Conflict] = []
        for place, n in _asked(evidence, cited):
            said = saying(place.text)
            at_stake = said.figures if figures is None else said.figures & figures
            if at_stake:
                conflicts += self._against(place, n, said, at_stake, found, _nearest(orders, applies_to))
        unique = {(c.kind, c.leading.text, c.other.text): c for c in conflicts}
        order = ("revisions", "documents", "work_order")
        return tuple(sorted(unique.values(), key=lambda conflict: order.index(conflict.kind))[:MOST])

    def _against(
        self,
        place: Evidence,
        n: int,
        said: Saying,
        at_stake: frozenset[str],
        found: Sequence[Hit],
        orders: Sequence[Hit],
    ) -> Iterator[Conflict]:
        chunk = place.hit.chunk
        leading = self._statement(place.hit, place.text, n)
        replaced = self._earlier.said_before(chunk, said, at_stake)
        if replaced is not None:
            before, text = replaced
            yield Conflict("revisions", leading, self._statement(Hit(before, 0.0), text))
        for other in found:
            if _both_hold(chunk, other.chunk) and (text := said_otherwise(said, other.chunk, at_stake)):
                yield Conflict("documents", leading, self._statement(other, text))
                break
        old = saying(replaced[1]).figures - said.figures if replaced else frozenset()
        # A section on oil need not say the word again in each of its sentences.
        headed = replace(said, words=said.words | saying(" ".join(chunk.section[-1:])).words)
        for order in orders:
            if text := done_otherwise(headed, order.chunk, at_stake, old):
                yield Conflict("work_order", leading, self._statement(order, text))
                break

    def _statement(self, hit: Hit, text: str, n: int = 0) -> Statement:
        """One side; `n` is its number in the answer, 0 for what the answer does not cite."""
        chunk = hit.chunk
        date = chunk.extra.get("date", "") if chunk.source == "work_order" else self._earlier.date(chunk)
        return Statement(" ".join(text.split()), date, replace(cite(n or 1, hit), n=n))


def _asked(evidence: Sequence[Evidence], cited: Sequence[Hit]) -> Iterator[tuple[Evidence, int]]:
    """The places of cited manuals that answer the question, best first, with the number of their citation."""
    numbers = {hit.chunk.id: n for n, hit in enumerate(cited, 1) if hit.chunk.source == "manual"}
    places = [place for place in evidence if place.hit.chunk.id in numbers][:PLACES]
    for place in places:
        if place.score >= NEARLY * places[0].score:
            yield place, numbers[place.hit.chunk.id]


def _nearest(orders: Sequence[Hit], applies_to: Sequence[str]) -> list[Hit]:
    """Orders of the machine itself before those of its sisters, each as found."""
    return sorted(orders, key=lambda order: order.chunk.extra.get("asset", "").casefold() not in applies_to)


def _both_hold(chunk: Chunk, other: Chunk) -> bool:
    """Whether two passages of different documents in force hold for the same machine."""
    if other.source != "manual" or other.document == chunk.document:
        return False
    return not chunk.applies_to or not other.applies_to or set(chunk.applies_to) == set(other.applies_to)
