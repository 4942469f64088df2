"""What a search finds first: entries of codes, each question of several, the machine asked about."""

from pathlib import Path

import pytest

from assistant.ranking import Ranker
from assistant.retrieve import MENTIONED, Retriever
from assistant.schema import Hit, Question
from assistant.settings import RetrievalSettings
from assistant.understand import Understander
from assistant.wording import Wording
from tests.conftest import Workshop

PRESS = """# Press

## 1 Oil

Use HLP 46 oil. Change the oil every 1500 hours.

## 2 Filter

The filter element is 44-1510. Change the filter every 500 hours.

## 3 Faults

### E-07 Oil level low

Fill up oil. If E-09 follows, call the fitter.

### E-09 Oil too hot

Clean the cooler. See also E-07.

## 4 Valves

Tighten the screws of the relief valve to 64 Nm.
"""
LATHE = """# Lathe

## 1 Oil

Use CGLP 68 oil for the guideways of the lathe. Change the oil of the lathe every 2000 hours.
"""


@pytest.fixture
def retriever(tmp_path: Path) -> Retriever:
    """Over two manuals that hold for the whole plant."""
    workshop = Workshop(tmp_path / "home")
    for name, text in (("press.md", PRESS), ("lathe.md", LATHE)):
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        workshop.ingestor.ingest(path, name)
    parts = (workshop.store, workshop.embedder, workshop.sparse, workshop.catalogue, RetrievalSettings())
    return Retriever(*parts, reranker=Ranker(Wording(workshop.sparse))).pinned()


def sections(hits: tuple[Hit, ...]) -> list[str]:
    return [hit.chunk.section[-1] for hit in hits]


def test_an_entry_of_a_code_comes_before_all_that_is_ranked(retriever: Retriever) -> None:
    hits = retriever.retrieve(Question("e 09 oil level low fill up oil"))
    assert sections(hits)[0] == "E-09 Oil too hot" and hits[0].exact


def test_what_mentions_an_identifier_is_never_far_down(retriever: Retriever) -> None:
    hits = retriever.retrieve(Question("44-1510 oil lathe guideways every hours oil"))
    place = sections(hits).index("2 Filter")
    assert place < MENTIONED and hits[place].exact


def test_each_question_of_several_is_answered_in_turn(retriever: Retriever) -> None:
    hits = retriever.retrieve(Question("What is the torque of the relief valve? Which filter element?"))
    assert set(sections(hits)[:2]) == {"4 Valves", "2 Filter"}


def test_a_question_understood_finds_what_its_text_finds(retriever: Retriever) -> None:
    question = Question("filter change interval")
    understood = Understander().read(question)
    assert retriever.retrieve(understood) == retriever.retrieve(question)


def test_a_manual_that_speaks_of_the_machine_is_preferred(retriever: Retriever) -> None:
    understood = Understander().read(Question("oil change interval"))
    scope = retriever.scope()
    _, hits = retriever.candidates(understood, scope, asset="lathe")
    share = {hit.chunk.document: hit.signals["machine"] for hit in hits}
    assert share["lathe.md"] == 1 > share["press.md"]
    assert "machine" not in retriever.candidates(understood, scope)[1][0].signals
