"""Which machines a manual holds for, when nobody says: those that its file name or title names."""

import re
from collections.abc import Sequence

from assistant.identifiers import fold
from assistant.schema import Asset


def given(asset: str | None, model: str | None) -> tuple[str, ...]:
    """Casefolded tag and model as the caller gave them."""
    return tuple(fold(name).casefold().strip() for name in (asset, model) if name)


def named_machine(name: str, assets: Sequence[Asset]) -> tuple[str, ...]:
    """A registered tag, else a registered model, that stands in a name as a whole token."""
    text = fold(name).casefold()
    for names in ({a.tag for a in assets}, {a.model for a in assets if a.model}):
        found = [n.casefold() for n in names if _is_token(n.casefold(), text)]
        if found:
            return (max(found, key=len),)
    return ()


def _is_token(name: str, text: str) -> bool:
    return bool(re.search(rf"(?<![a-z0-9]){re.escape(name)}(?![a-z0-9])", text))
