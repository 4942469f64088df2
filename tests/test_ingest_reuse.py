"""A new revision embeds only what changed, and is found as if it had been embedded whole."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from assistant.store.base import Vectors


@pytest.fixture
def embedded(workshop: Any, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every passage that reached the embedder."""
    seen: list[str] = []
    embed = workshop.embedder.passages

    def recording(texts: Sequence[str], progress: Any = None) -> Vectors:
        seen.extend(texts)
        return embed(texts, progress)  # type: ignore[no-any-return]

    monkeypatch.setattr(workshop.embedder, "passages", recording)
    return seen


def test_only_what_changed_is_embedded(workshop: Any, embedded: list[str]) -> None:
    workshop.ingestor.ingest(workshop.write("pump_rev-B.md"), "pump_rev-B.md")
    before = len(embedded)
    new = workshop.ingestor.ingest(workshop.write("pump_rev-C.md", "HLP 68"), "pump_rev-C.md")
    assert new.status == "superseded"
    assert [text for text in embedded[before:] if "HLP 68" not in text] == []
    assert len(embedded) == before + 1


def test_taken_over_vectors_are_those_that_embedding_gives(workshop: Any, embedded: list[str]) -> None:
    workshop.ingestor.ingest(workshop.write("pump_rev-B.md"), "pump_rev-B.md")
    new = workshop.ingestor.ingest(workshop.write("pump_rev-C.md", "HLP 68"), "pump_rev-C.md")
    chunks = workshop.store.section(new.revision, 0, new.chunks)
    held = workshop.store.vectors([chunk.id for chunk in chunks])
    again = workshop.embedder.passages([f"{chunk.heading}\n{chunk.text}" for chunk in chunks])
    np.testing.assert_allclose([held[chunk.id] for chunk in chunks], again, atol=1e-6)


def test_another_manual_with_the_same_words_is_embedded_anew(workshop: Any, embedded: list[str]) -> None:
    """A deleted manual must leave nothing behind, so none lends its vectors to another."""
    workshop.ingestor.ingest(workshop.write("pump.md"), "pump.md")
    before = len(embedded)
    workshop.ingestor.ingest(workshop.write("fan.md"), "fan.md")
    assert len(embedded) == 2 * before
