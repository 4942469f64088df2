"""From a question to the passages that may answer it, best first."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import zip_longest

from assistant.attributes import asked
from assistant.embedding import Embedder
from assistant.identifiers import candidate_identifiers, named_codes, neighbours, normal_form
from assistant.ranking import Reranker
from assistant.records.catalogue import Catalogue, View
from assistant.schema import Chunk, Hit, Question, Source
from assistant.settings import RetrievalSettings
from assistant.shorthand import PlantShorthand
from assistant.sparse import SparseEncoder
from assistant.store.base import ChunkSearch, Scope
from assistant.store.pinned import PinnedStore
from assistant.subjects import OWN, distance
from assistant.understand import Understander, Understood
from assistant.wording import Wording

# An identifier that stands in more passages than this (a model name, say) does not point at any of them.
COMMON = 40
# An entry and the stories below it have no more passages than this; a model's manual has.
ENTRY = 60
# Of passages that only mention an identifier of the question, one stands at least so far up.
MENTIONED = 3
# As many passages tell whether a document speaks of a machine; more would favour long documents.
BEST = 5


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
        reranker: Reranker | None = None,
    ) -> None:
        """Searches what the catalogue calls visible.

        Args:
            store: where the passages are.
            embedder: whose vectors it holds.
            sparse: for the search by words.
            catalogue: tells what must not be seen.
            settings: how deep to search, how much to return.
            shorthand: questions are written out with it.
            reranker: orders what is found in manuals; without it, the fused ranking stands as it is.
        """
        self._store = store
        self._embedder = embedder
        self._sparse = sparse
        self._catalogue = catalogue
        self._settings = settings
        self._shorthand = shorthand
        self._reranker = reranker
        self._wording = Wording(sparse)

    def pinned(self, serial: str = "") -> "Retriever":
        """This retriever with its view of the catalogue taken now, for all the searches of one question.

        Args:
            serial: serial number of the machine asked about; manuals for other serials are left out.
        """
        view = self._catalogue.view(serial)
        store = PinnedStore(self._store, view)
        return Retriever(
            store, self._embedder, self._sparse, view, self._settings, self._shorthand, self._reranker
        )

    @property
    def left_out(self) -> tuple[Chunk, ...]:
        """Passages met since this retriever was pinned that speak to the assistant; no hit is one of them."""
        return self._store.left_out if isinstance(self._store, PinnedStore) else ()

    def retrieve(
        self,
        question: Question | Understood,
        applies_to: tuple[str, ...] = (),
        source: Source = "manual",
        limit: int | None = None,
        asset: str = "",
    ) -> tuple[Hit, ...]:
        """Finds passages.

        Args:
            question: as typed, or as understood; each question in it is searched for by itself.
            applies_to: casefolded tag and model that passages must hold for; empty for all.
            source: manuals or work orders.
            limit: number of hits, by default as in the settings.
            asset: the machine as its user calls it, by default as in the question; where it narrows nothing,
                manuals that speak of it are preferred.

        Returns:
            Hits, best first: entries of the question's codes and part numbers, then the ranking.
        """
        understood = question if isinstance(question, Understood) else Understander().read(question)
        if isinstance(question, Question):
            asset = asset or question.asset or ""
        limit = limit or self._settings.hits
        scope = self.scope(applies_to, source)
        found = [self._found(part, scope, limit, asset) for part in _parts(understood)]
        in_turn = (hit for row in zip_longest(*found) for hit in row if hit is not None)
        return tuple(_unique(in_turn))[:limit]

    def candidates(
        self, understood: Understood, scope: Scope, pool: int | None = None, asset: str = ""
    ) -> tuple[Understood, list[Hit]]:
        """What is to be ranked for a single question.

        Args:
            understood: the question.
            scope: where to search.
            pool: passages that fusion finds, by default as in the settings.
            asset: the machine as its user calls it.

        Returns:
            The question as it was searched for, and the fused ranking; behind it, with score 0, what else
            mentions an identifier of the question. The signal 'machine' tells how much a passage's document
            speaks of the asset, 0 to 1, where nothing else narrows the search to it.
        """
        text = understood.standalone
        if self._shorthand is not None:
            text = self._shorthand.current().searched(text)
        mentioned = asset if asset and not scope.applies_to else ""
        dense = self._embedder.queries([text, mentioned] if mentioned else [text])
        words = self._sparse.query(text, self._wording.instead(text))
        depth = self._settings.candidates
        fused = self._store.search(dense[0], words, scope, pool or depth, depth)
        if mentioned:
            named = self._store.search(dense[1], self._sparse.query(mentioned), scope, depth, depth)
            fused = _of_machine(fused, named)
        mentions = {hit.chunk.id: hit for hit in self._mentions(understood.text, scope)}
        marked = [replace(hit, exact=hit.chunk.id in mentions) for hit in fused]
        held = {hit.chunk.id for hit in fused}
        others = [replace(hit, score=0.0) for hit in mentions.values() if hit.chunk.id not in held]
        return replace(understood, standalone=text), [*marked, *others]

    def _found(self, understood: Understood, scope: Scope, limit: int, asset: str) -> list[Hit]:
        """Everything found for a single question, best first."""
        pool = max(self._settings.candidates, limit)
        searched, hits = self.candidates(understood, scope, pool, asset)
        if self._reranker is not None and scope.source == "manual":
            hits = _raised(self._reranker.rank(searched, hits))
        else:
            hits.sort(key=lambda hit: not hit.exact)
        place = {hit.chunk.id: rank for rank, hit in enumerate(hits)}
        entries = self._entries(understood.text, scope)
        entries.sort(key=lambda entry: (entry[0], place.get(entry[1].chunk.id, len(place))))
        ranked = {hit.chunk.id: hit for hit in hits}
        return [*(ranked.get(hit.chunk.id, hit) for _, hit in entries), *hits]

    def holds(self, code: str, applies_to: tuple[str, ...] = ()) -> bool:
        """Whether the manuals in scope tell of a code: in an entry of its own, or wherever it is named.

        A bare number that merely stands somewhere may be anything; it counts where the text calls it a code.
        """
        scope = self.scope(applies_to)
        if self._store.lookup([OWN + code], scope, limit=1):
            return True
        mentions = self._store.lookup([code], scope, COMMON if code.isdecimal() else 1)
        return any(not code.isdecimal() or code in named_codes(hit.chunk.text) for hit in mentions)

    def leads(self, identifier: str, applies_to: tuple[str, ...] = ()) -> bool:
        """Whether an identifier points at passages: some hold it, but not so many as hold a model's name."""
        if normal_form(identifier) in {normal_form(name) for name in applies_to}:
            return False
        return 0 < len(self._store.lookup([identifier], self.scope(applies_to), COMMON + 1)) <= COMMON

    def entries_near(self, code: str, applies_to: tuple[str, ...] = ()) -> tuple[Hit, ...]:
        """Entries of the codes that a list would have next to this one."""
        near = [OWN + other for other in neighbours(code)]
        return tuple(self._store.lookup(near, self.scope(applies_to), COMMON)) if near else ()

    def scope(self, applies_to: tuple[str, ...] = (), source: Source = "manual") -> Scope:
        """What may be seen now: what holds for a machine, of one source, and is not hidden."""
        return Scope(applies_to, source, self._catalogue.hidden())

    def _entries(self, text: str, scope: Scope) -> list[tuple[int, Hit]]:
        """Passages of the entries of a text's identifiers, each with a rank: 0 for those to come first.

        The entry itself comes before what stands deeper in its section, and of equals the one that holds more
        of the identifiers.
        """
        wanted = _identifiers(text, scope)
        away: dict[str, int] = {}
        found: dict[str, Hit] = {}
        for identifier in wanted:
            own = self._store.lookup([OWN + identifier], scope, ENTRY + 1)
            for hit in own if len(own) <= ENTRY else []:
                steps = distance(identifier, hit.chunk.title, hit.chunk.section, hit.chunk.text)
                away[hit.chunk.id] = min(away.get(hit.chunk.id, steps), steps)
                found[hit.chunk.id] = hit

        def order(hit: Hit) -> tuple[int, int]:
            return (away[hit.chunk.id], -sum(name in hit.chunk.identifiers for name in wanted))

        ranks = {key: rank for rank, key in enumerate(sorted({order(hit) for hit in found.values()}))}
        return [(ranks[order(hit)], hit) for hit in found.values()]

    def _mentions(self, text: str, scope: Scope) -> Iterator[Hit]:
        """Passages that hold an identifier of a text, where it is not one that stands everywhere."""
        for identifier in _identifiers(text, scope):
            mentions = self._store.lookup([identifier], scope, COMMON + 1)
            yield from mentions if len(mentions) <= COMMON else ()


def _identifiers(text: str, scope: Scope) -> list[str]:
    """What a text may mean as an identifier, without the machine's own names."""
    named = {normal_form(name) for name in scope.applies_to}
    return [name for name in candidate_identifiers(text) if name not in named]


def _parts(understood: Understood) -> list[Understood]:
    """The questions in a question, each by itself."""
    if len(understood.parts) < 2:
        return [understood]
    return [
        replace(
            understood,
            text=part,
            standalone=part,
            parts=(part,),
            identifiers=candidate_identifiers(part),
            attributes=asked(part),
        )
        for part in understood.parts
    ]


def _of_machine(hits: Sequence[Hit], named: Sequence[Hit]) -> list[Hit]:
    """Hits with the signal 'machine': how well their document's best passages hold the machine's name."""
    held: defaultdict[str, list[float]] = defaultdict(list)
    for hit in named:
        held[hit.chunk.revision].append(hit.signals.get("bm25", 0.0))
    spoken = {revision: sum(sorted(found)[-BEST:]) for revision, found in held.items()}
    most = max(spoken.values(), default=0.0) or 1.0
    return [
        replace(hit, signals={**hit.signals, "machine": round(spoken.get(hit.chunk.revision, 0.0) / most, 4)})
        for hit in hits
    ]


def _raised(hits: Sequence[Hit]) -> list[Hit]:
    """The first passage that mentions an identifier of the question is never far down."""
    place = next((rank for rank, hit in enumerate(hits) if hit.exact), 0)
    if place < MENTIONED:
        return list(hits)
    return [*hits[: MENTIONED - 1], hits[place], *hits[MENTIONED - 1 : place], *hits[place + 1 :]]


def _unique(hits: Iterable[Hit]) -> list[Hit]:
    """Keeps the first of hits with one id, or with the same words on another page."""
    kept: dict[str, Hit] = {}
    seen: set[str] = set()
    for hit in hits:
        words = "".join(hit.chunk.text.split())
        if hit.chunk.id not in kept and words not in seen:
            kept[hit.chunk.id] = hit
            seen.add(words)
    return list(kept.values())
