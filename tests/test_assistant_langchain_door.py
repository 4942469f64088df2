"""Lineside in somebody else's chain: the passages that users get, with their place and their notices."""

import asyncio
import importlib.util
import json
from pathlib import Path

import pytest
from langchain_core.language_models.fake_chat_models import ParrotFakeChatModel

from assistant.app import open_lineside
from assistant.errors import QuestionError
from assistant.langchain_door import LinesideRetriever
from assistant.schema import Asset, Question
from assistant.settings import load_settings
from ingest.commands import build_ingestor

EXAMPLE = Path(__file__).parents[1] / "examples" / "langchain_chain.py"
PRESS = """# Hydraulic press HP-250

## Pump

WARNING: Stored pressure. Discharge the accumulator before you open the circuit.

1. Close the cock.
2. Tighten the cover bolts of the hydraulic pump to 45 Nm.

## Oil

Use HLP 46 hydraulic oil, 120 l.
"""
LATHE = "# Lathe TL-42\n\n## Turret\n\nTighten the disc screws of the pump to 70 Nm.\n"


@pytest.fixture(scope="module")
def lineside(tmp_path_factory):
    """A small plant; the model server is absent, and is not missed."""
    folder = tmp_path_factory.mktemp("door")
    variables = {"LINESIDE_HOME": str(folder / "home"), "LINESIDE_LLM_URL": "http://127.0.0.1:9/v1"}
    with open_lineside(load_settings(variables, folder)) as opened:
        opened.plant.add_assets([Asset("PR-01", "Press 1", "HP-250"), Asset("LA-01", "Lathe 1", "TL-42")])
        ingestor = build_ingestor(opened)
        for name, text, model in (("press.md", PRESS, "HP-250"), ("lathe.md", LATHE, "TL-42")):
            (folder / name).write_text(text, encoding="utf-8")
            assert ingestor.ingest(folder / name, name, model=model).status == "ingested"
        yield opened


def test_a_document_tells_where_it_stands_and_what_to_beware_of(lineside):
    documents = LinesideRetriever.of(lineside, "PR-01").invoke("How tight are the pump cover bolts?")
    first = documents[0]
    assert "45 Nm" in first.page_content and first.id
    assert (first.metadata["document"], first.metadata["page"]) == ("press.md", 1)
    assert first.metadata["section"].endswith("Pump") and first.metadata["source"] == "manual"
    assert [notice["level"] for notice in first.metadata["notices"]] == ["WARNING"]
    assert "Stored pressure" in first.metadata["notices"][0]["text"]
    assert json.loads(json.dumps(first.metadata)) == first.metadata


def test_it_finds_what_the_pipeline_finds_for_the_machine_and_no_more(lineside):
    question = "How tight are the screws of the pump?"
    expected = [hit.chunk.id for hit in lineside.answerer.ask(Question(question, "PR-01")).hits]
    found = LinesideRetriever.of(lineside, "PR-01", limit=2).invoke(question)
    assert [document.id for document in found] == expected[:2]
    assert not any("70 Nm" in document.page_content for document in found)
    assert any(
        "70 Nm" in document.page_content for document in LinesideRetriever.of(lineside).invoke(question)
    )


def test_what_cannot_be_asked_is_refused_in_one_line(lineside):
    with pytest.raises(QuestionError, match="empty"):
        LinesideRetriever.of(lineside).invoke("  ")
    with pytest.raises(QuestionError, match="ROCKET-9"):
        LinesideRetriever.of(lineside, "ROCKET-9").invoke("Which oil?")


def test_it_answers_asynchronous_chains_too(lineside):
    documents = asyncio.run(LinesideRetriever.of(lineside, "PR-01").ainvoke("Which oil?"))
    assert any("HLP 46" in document.page_content for document in documents)


def test_the_example_gives_a_model_the_numbered_passages(lineside):
    found = importlib.util.spec_from_file_location("langchain_chain", EXAMPLE)
    example = importlib.util.module_from_spec(found)
    found.loader.exec_module(example)
    chain = example.build_chain(LinesideRetriever.of(lineside, "PR-01"), ParrotFakeChatModel())
    result = chain.invoke("Which oil?")
    assert result["answer"].startswith("[1] ") and "HLP 46" in result["answer"]
    assert result["answer"].endswith("Question: Which oil?")
    assert [document.metadata["page"] for document in result["documents"]] == [1] * len(result["documents"])
