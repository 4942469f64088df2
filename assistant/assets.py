"""From the asset that a technician names to the manuals that hold for it."""

import re
from dataclasses import dataclass

from assistant.errors import QuestionError
from assistant.identifiers import candidate_identifiers, find_identifiers, fold, normal_form
from assistant.records.catalogue import Catalogue
from assistant.records.plant import Plant
from assistant.schema import Asset
from assistant.store.base import ChunkStore, Scope

_WORD = re.compile(r"[a-z][a-z0-9\-]{2,}|[\u3400-\u9fff]{2,}")


@dataclass(frozen=True, slots=True)
class Selection:
    """The asset as understood here.

    Attributes:
        name: as the technician named it.
        applies_to: casefolded tag and model that passages must hold for; empty when the name is only
            mentioned in documents, which narrows nothing.
        serial: the machine's serial number, empty when the register has none.
    """

    name: str
    applies_to: tuple[str, ...]
    serial: str = ""


class AssetResolver:
    """Resolves tags, names and models against the plant's register and its documents."""

    def __init__(self, plant: Plant, catalogue: Catalogue, store: ChunkStore) -> None:
        """Looks into the register first, then into what documents were ingested for, then into their text."""
        self._plant = plant
        self._catalogue = catalogue
        self._store = store

    def resolve(self, name: str) -> Selection:
        """What an asset's name stands for.

        Raises:
            QuestionError: neither the register nor any visible document knows the name.
        """
        wanted = fold(name).casefold().strip()
        assets = self._plant.assets()
        for asset in assets:
            if wanted in {asset.tag.casefold(), asset.name.casefold()}:
                return Selection(name, _applies_to(asset), asset.serial)
        meant = [asset for asset in assets if _bare(asset.tag) == _bare(wanted)]
        if len(meant) == 1:
            return Selection(name, _applies_to(meant[0]), meant[0].serial)
        models = {asset.model.casefold() for asset in assets if asset.model} | set(self._catalogue.models())
        named = [model for model in models if _stands_in(model, wanted)]
        if named:
            return Selection(name, (max(named, key=len),))
        if self._mentioned(wanted):
            return Selection(name, ())
        known = ", ".join(asset.tag for asset in assets[:8]) or ", ".join(sorted(models)[:8])
        raise QuestionError(
            f"No asset '{name}' is known here",
            f"Choose one of: {known} …" if known else "Ingest its manual with --asset or --model first.",
        )

    def named_in(self, text: str) -> Selection:
        """The one machine that a text names, to narrow a search without a chosen asset; else all machines."""
        wanted = fold(text).casefold()
        typed = {_bare(identifier) for identifier in candidate_identifiers(text)}
        assets = self._plant.assets()
        named = [asset for asset in assets if _names(asset.tag, wanted, typed)]
        named = named or [
            asset for asset in assets if asset.name and _stands_in(asset.name.casefold(), wanted)
        ]
        if len(named) == 1:
            return Selection(named[0].tag, _applies_to(named[0]), named[0].serial)
        models = {asset.model.casefold() for asset in assets if asset.model} | set(self._catalogue.models())
        if named:
            of_one = {asset.model.casefold() for asset in named}
        else:
            of_one = {model for model in models if _names(model, wanted, typed)}
        model = next(iter(of_one)) if len(of_one) == 1 else ""
        return Selection(model, (model,)) if model else Selection("", ())

    def _mentioned(self, wanted: str) -> bool:
        words = _WORD.findall(wanted)
        for revision in self._catalogue.revisions("visible"):
            held = f"{revision.document} {revision.title}".casefold()
            if any(word in held for word in words):
                return True
        scope = Scope(hidden=self._catalogue.hidden())
        return bool(self._store.lookup(find_identifiers(wanted), scope, limit=1))


def _applies_to(asset: Asset) -> tuple[str, ...]:
    return tuple(name.casefold() for name in (asset.tag, asset.model) if name)


def _names(name: str, text: str, typed: set[str]) -> bool:
    """Whether a casefolded text names a tag or model, as it is written or as it is typed in haste."""
    return _stands_in(name.casefold(), text) or (any(map(str.isdigit, name)) and _bare(name) in typed)


def _is_name(name: str) -> bool:
    """Whether a name tells one machine from others: 'Press 3', 'Tryout press', and not 'Press'."""
    return " " in name.strip() or any(map(str.isdigit, name))


def _bare(name: str) -> str:
    """A tag without what hands leave out: 'PR-03' and 'pr 3' are 'pr3'."""
    return re.sub(r"(?<=[a-z])0+(?=\d)", "", normal_form(name))


def _stands_in(model: str, name: str) -> bool:
    return bool(re.search(rf"(?<![a-z0-9]){re.escape(model)}(?![a-z0-9])", name))
