"""How a chunk lies in the vector engine: a few fields to filter by, and the whole record as JSON."""

import json
from dataclasses import asdict
from typing import Any

from assistant.schema import Box, Chunk
from assistant.store.base import Scope
from assistant.subjects import OWN, own_codes

WHOLE_PLANT = "*"
DENSE = "dense"
SPARSE = "bm25"
# Fields that are filtered by, and the engine's type for each.
KEYWORD_FIELDS = ("revision", "source", "applies_to", "identifiers")
INTEGER_FIELDS = ("ordinal",)


def to_payload(chunk: Chunk) -> dict[str, Any]:
    """The payload that a chunk is stored with."""
    return {
        "revision": chunk.revision,
        "source": chunk.source,
        "applies_to": list(chunk.applies_to) or [WHOLE_PLANT],
        "identifiers": [*chunk.identifiers, *(OWN + code for code in _own(chunk))],
        "ordinal": chunk.ordinal,
        "chunk": json.dumps(asdict(chunk), ensure_ascii=False, separators=(",", ":")),
    }


def _own(chunk: Chunk) -> tuple[str, ...]:
    return own_codes(chunk.title, chunk.section, chunk.text) if chunk.source == "manual" else ()


def from_payload(payload: dict[str, Any]) -> Chunk:
    """The chunk that was stored."""
    fields = json.loads(payload["chunk"])
    for name in ("section", "identifiers", "applies_to", "notices"):
        fields[name] = tuple(fields[name])
    fields["boxes"] = tuple(Box(**box) for box in fields["boxes"])
    return Chunk(**fields)


def allowed_applications(scope: Scope) -> list[str] | None:
    """Values of `applies_to` that a search may see, or None for all."""
    return [*scope.applies_to, WHOLE_PLANT] if scope.applies_to else None
