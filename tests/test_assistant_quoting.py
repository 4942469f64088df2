"""Without a model the manual answers in its own words: the places that count, each under its number."""

from collections.abc import Callable

import pytest

from assistant.embedding import Embedder, build_embedder
from assistant.evidence import EvidenceFinder
from assistant.places import places_of
from assistant.quoting import Quoted, quote
from assistant.schema import BlockKind, Chunk, Hit, Question
from assistant.sparse import SparseEncoder
from assistant.understand import Understander
from assistant.wording import Wording

TORQUES = (
    "Point: T-09 | Joint: Main pump to bell housing | Thread: M20 | Torque: 310 Nm | Note: Dry threads\n"
    "Point: T-10 | Joint: Pump suction flange | Thread: M16 | Torque: 160 Nm | Note: Cross-wise\n"
    "Point: T-12 | Joint: Coupling hub clamp screw | Thread: M10 | Torque: 49 Nm | Note: –"
)
STEPS = (
    "1. Lock out the press and discharge the accumulator.\n"
    "2. Close suction valve V1.\n"
    "3. Pull the main pump straight back with the lifting bracket.\n"
    "4. Lift the new pump in and tighten it to the bell housing with 310 Nm."
)
OIL = (
    "The tank holds 2,500 L of oil. Change the oil every 5000 h, and sooner when it smells\nburnt. "
    "换油周期为 5000 h。"
)


def hit(number: int, text: str, kind: BlockKind, heading: str) -> Hit:
    chunk = Chunk(
        f"c{number}", "press.pdf", "r", "Press", (heading,), number, number, kind, text, ordinal=number
    )
    return Hit(chunk, 1.0 / number)


HITS = [
    hit(1, TORQUES, "table", "Torque table"),
    hit(2, STEPS, "list", "Replacing the main pump"),
    hit(3, OIL, "text", "Hydraulic oil"),
]


@pytest.fixture(scope="module")
def answered(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Quoted]:
    embedder: Embedder = build_embedder("e5-small", tmp_path_factory.mktemp("models"))
    finder = EvidenceFinder(Wording(SparseEncoder()), embedder)

    def answer(question: str) -> Quoted:
        understood = Understander().read(Question(question))
        return quote(understood, finder.find(understood, HITS))

    return answer


def test_a_value_is_answered_by_its_row_first(answered: Callable[[str], Quoted]) -> None:
    quoted = answered("What torque for the main pump to the bell housing?")
    first = quoted.text.splitlines()[0]
    assert first.startswith("“Point: T-09 | Joint: Main pump") and "310 Nm" in first
    start, end = quoted.citations[0].spans[0]
    assert (quoted.citations[0].page, TORQUES[start:end]) == (1, TORQUES.splitlines()[0])


def test_a_procedure_is_quoted_whole_and_in_its_order(answered: Callable[[str], Quoted]) -> None:
    quoted = answered("How do I replace the main pump?")
    assert STEPS in quoted.text
    assert quoted.citations[0].page == 2


def test_chinese_finds_the_sentence(answered: Callable[[str], Quoted]) -> None:
    assert "换油周期为 5000 h" in answered("换油周期是多少？").text.split("\n\n")[0]


def test_every_quote_is_verbatim_and_carries_its_number(answered: Callable[[str], Quoted]) -> None:
    quoted = answered("how much oil does the tank hold and how often is it changed")
    whole = {"".join(one.chunk.text.split()) for one in HITS}
    for n, paragraph in enumerate(quoted.text.split("\n\n"), start=1):
        body, mark = paragraph.rsplit(" ", 1)
        assert mark == f"[{n}]"
        for line in body.strip("“”").split("\n"):
            assert any("".join(line.removeprefix("… ").split()) in text for text in whole)
    assert "2,500 L" in quoted.text


def test_places_are_rows_steps_and_sentences_across_broken_lines() -> None:
    texts = [[one.chunk.text[p.start : p.end] for p in places_of(one.chunk)] for one in HITS]
    assert texts[0] == TORQUES.splitlines()
    assert texts[1] == STEPS.splitlines()
    assert texts[2][1] == "Change the oil every 5000 h, and sooner when it smells\nburnt."
    notice = hit(4, "WARNING\nOil jet. Never search for leaks with the hand.", "notice", "Safety").chunk
    assert [(p.start, p.end) for p in places_of(notice)] == [(0, len(notice.text))]


def test_nothing_found_is_nothing_quoted(answered: Callable[[str], Quoted]) -> None:
    understood = Understander().read(Question("anything"))
    assert quote(understood, ()) == Quoted("", (), ())
