"""From a question to the passages that may answer it, best first."""

import re
from collections.abc import Sequence

from assistant.embedding import Embedder
from assistant.identifiers import candidate_identifiers, named_codes, neighbours, normal_form
from assistant.records.catalogue import Catalogue, View
from assistant.schema import Chunk, Hit, Question, Source
from assistant.settings import RetrievalSettings
from assistant.shorthand import PlantShorthand
from assistant.sparse import SparseEncoder
from assistant.store.base import ChunkSearch, Scope
from assistant.store.pinned import PinnedStore
from assistant.subjects import OWN, distance

# An identifier that stands in more passages than this (a model name, say) does not point at any of them.
COMMON = 40
# An entry and the stories below it have no more passages than this; a model's manual has.
ENTRY = 60
# How close a passage is to an identifier: 0 and up are headings between it and its entry.
ABOUT, MENTIONED = 10, 11
# How far into a passage its subject stands: the code column of a table row, the first words of an entry.
OPENING = 48
# A mention of an identifier is borne out when it stands so far up in the fused ranking.
SUPPORTED = 10
# A question of fewer words than this, or one that points back, follows up what was asked before it.
FEW_WORDS = 4
_POINTS_BACK = re.compile(
    r"\b(?:it|its|that|this|these|those|them|they|there|one|same|again|also|instead)\b|^\s*(?:and|or|but|yes|no|then)\b"
    r"|[它这那其该此]|呢|也|同样|还有|刚才|上面",
    re.IGNORECASE,
)


class Retriever:
    """Searches by identifier, by words and by meaning at once."""

    def __init__(
        self,
        store: ChunkSearch,
        embedder: Embedder,
        sparse: SparseEncoder,
        catalogue: Catalogue | View,
        settings: RetrievalSettings,
        shorthand: PlantShorthand | None = None,
    ) -> None:
        """Searches what the catalogue calls visible; questions are written out with the shorthand given."""
        self._store = store
        self._embedder = embedder
        self._sparse = sparse
        self._catalogue = catalogue
        self._settings = settings
        self._shorthand = shorthand

    def pinned(self, serial: str = "") -> "Retriever":
        """This retriever with its view of the catalogue taken now, for all the searches of one question.

        Args:
            serial: serial number of the machine asked about; manuals for other serials are left out.
        """
        view = self._catalogue.view(serial)
        store = PinnedStore(self._store, view)
        return Retriever(store, self._embedder, self._sparse, view, self._settings, self._shorthand)

    @property
    def left_out(self) -> tuple[Chunk, ...]:
        """Passages met since this retriever was pinned that speak to the assistant; no hit is one of them."""
        return self._store.left_out if isinstance(self._store, PinnedStore) else ()

    def retrieve(
        self,
        question: Question,
        applies_to: tuple[str, ...] = (),
        source: Source = "manual",
        limit: int | None = None,
    ) -> tuple[Hit, ...]:
        """Finds passages.

        Args:
            question: its text is searched for, joined by what was asked before it.
            applies_to: casefolded tag and model that passages must hold for; empty for all.
            source: manuals or work orders.
            limit: number of hits, by default as in the settings.

        Returns:
            Hits, best first: passages that hold the question's identifiers, then the fused ranking.
        """
        text = self._search_text(question)
        limit = limit or self._settings.hits
        scope = Scope(applies_to, source, self._catalogue.hidden())
        if self._shorthand is not None:
            text = self._shorthand.current().searched(text)
        dense = self._embedder.queries([text])[0]
        depth = max(self._settings.candidates, limit)
        fused = self._store.search(dense, self._sparse.query(text), scope, depth, depth)
        exact = self._exact(question.text, scope, fused)
        return tuple(_unique([*exact, *fused]))[:limit]

    def _search_text(self, question: Question) -> str:
        """What to search for: a question that leans on the one before it is searched together with it."""
        earlier = [turn.content for turn in question.history if turn.role == "user"]
        words = len(self._sparse.query(question.text).indices)
        leans = words < FEW_WORDS or _POINTS_BACK.search(question.text)
        return f"{earlier[-1]}\n{question.text}" if earlier and leans else question.text

    def holds(self, code: str, applies_to: tuple[str, ...] = ()) -> bool:
        """Whether the manuals in scope tell of a code: in an entry of its own, or wherever it is named.

        A bare number that merely stands somewhere may be anything; it counts where the text calls it a code.
        """
        scope = self._scope(applies_to)
        if self._store.lookup([OWN + code], scope, limit=1):
            return True
        mentions = self._store.lookup([code], scope, COMMON if code.isdecimal() else 1)
        return any(not code.isdecimal() or code in named_codes(hit.chunk.text) for hit in mentions)

    def leads(self, identifier: str, applies_to: tuple[str, ...] = ()) -> bool:
        """Whether an identifier points at passages: some hold it, but not so many as hold a model's name."""
        if normal_form(identifier) in {normal_form(name) for name in applies_to}:
            return False
        return 0 < len(self._store.lookup([identifier], self._scope(applies_to), COMMON + 1)) <= COMMON

    def entries_near(self, code: str, applies_to: tuple[str, ...] = ()) -> tuple[Hit, ...]:
        """Entries of the codes that a list would have next to this one."""
        near = [OWN + other for other in neighbours(code)]
        return tuple(self._store.lookup(near, self._scope(applies_to), COMMON)) if near else ()

    def _scope(self, applies_to: tuple[str, ...]) -> Scope:
        return Scope(applies_to, "manual", self._catalogue.hidden())

    def _exact(self, text: str, scope: Scope, fused: Sequence[Hit]) -> list[Hit]:
        """Passages that must come first for an identifier of the question.

        First the identifier's own entry, then what stands deeper in its section, then passages that are
        about it otherwise, then those that mention it. Where some are about it, a mention counts only when
        the other ways of searching found it too.
        """
        named = {normal_form(name) for name in scope.applies_to}
        ranks: dict[str, int] = {}
        found: dict[str, Hit] = {}
        wanted = [name for name in candidate_identifiers(text) if name not in named]
        for identifier in wanted:
            own = self._store.lookup([OWN + identifier], scope, ENTRY + 1)
            mentions = self._store.lookup([identifier], scope, COMMON + 1)
            for hit in own if len(own) <= ENTRY else []:
                away = distance(identifier, hit.chunk.title, hit.chunk.section, hit.chunk.text)
                ranks[hit.chunk.id] = min(ranks.get(hit.chunk.id, ABOUT), away, ABOUT)
                found[hit.chunk.id] = hit
            for hit in mentions if len(mentions) <= COMMON else []:
                rank = ABOUT if _is_about(hit, identifier) else MENTIONED
                ranks[hit.chunk.id] = min(ranks.get(hit.chunk.id, MENTIONED), rank)
                found[hit.chunk.id] = hit
        place = {hit.chunk.id: rank for rank, hit in enumerate(fused)}
        if any(rank < MENTIONED for rank in ranks.values()):
            found = {
                name: hit
                for name, hit in found.items()
                if ranks[name] < MENTIONED or place.get(name, COMMON) < SUPPORTED
            }

        def order(hit: Hit) -> tuple[int, int, int]:
            held = sum(name in hit.chunk.identifiers for name in wanted)
            return (ranks[hit.chunk.id], -held, place.get(hit.chunk.id, len(place)))

        return sorted(found.values(), key=order)


def _is_about(hit: Hit, identifier: str) -> bool:
    heading = hit.chunk.section[-1] if hit.chunk.section else ""
    return identifier in candidate_identifiers(f"{heading}\n{hit.chunk.text[:OPENING]}")


def _unique(hits: Sequence[Hit]) -> list[Hit]:
    """Keeps the first of hits with one id, or with the same words on another page."""
    kept: dict[str, Hit] = {}
    seen: set[str] = set()
    for hit in hits:
        words = "".join(hit.chunk.text.split())
        if hit.chunk.id not in kept and words not in seen:
            kept[hit.chunk.id] = hit
            seen.add(words)
    return list(kept.values())
