"""Kinds of value: what is asked for is held where the answer stands, and hardly anywhere else."""

from functools import cache
from pathlib import Path

import pypdfium2
import pytest

from assistant.attributes import asked, held
from assistant.schema import Question
from assistant.understand import Understander
from eval.cases import Case, read_suite

ROOT = Path(__file__).parents[1]
MANUALS = ROOT / "demo" / "built" / "manuals"
SUITES = [ROOT / "eval" / "suites" / f"plant-{name}.jsonl" for name in ("en", "zh", "cross")]
# A page with fewer characters is a picture, which only OCR reads.
READABLE = 200


@pytest.mark.parametrize(
    ("question", "kinds"),
    [
        ("How tight are the head bolts?", {"torque"}),
        ("nm for the pump bolts", {"torque"}),
        ("主泵螺栓拧紧力矩是多少", {"torque"}),
        ("what psi does the relief valve open at", {"pressure"}),
        ("多久加一次脂", {"interval"}),
        ("How often must the filter be changed?", {"interval"}),
        ("how much oil goes in the gearbox", {"volume"}),
        ("空压机加多少升油", {"volume"}),
        ("which grease for the guide rails", {"fluid"}),
        ("几号液压油", {"fluid"}),
        ("part no. of the seal kit and torque of its screws", {"part_number", "torque"}),
        ("件号多少", {"part_number"}),
        ("电机额定电流多少", {"current"}),
        ("how long to wait before opening the cabinet", {"duration"}),
        ("max bearing temperature?", {"temperature"}),
        ("noise level in dB(A)", {"noise"}),
    ],
)
def test_what_a_question_asks_for(question: str, kinds: set[str]) -> None:
    assert kinds == set(asked(question))


@pytest.mark.parametrize(
    "question",
    [
        "pressure switch B3 trips",
        "油压太低，怎么办",
        "temperature sensor dead, what now",
        "AL-031 老报，压力加大点行不行",
        "E-07 again after 24 h at 45 bar",
        "bar feeder wont push",
    ],
)
def test_a_symptom_or_a_part_called_after_a_quantity_asks_for_no_figure(question: str) -> None:
    assert asked(question) == ()


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("Tighten to 42-50 lb-ft (57–68 N·m).", "torque"),
        ("Bolt: M8 | Torque (Nm): 24", "torque"),
        ("扭矩 195 N·m", "torque"),
        ("Opens at ２６５ bar", "pressure"),
        ("Pressure (psig) | 3000", "pressure"),
        ("drive it eight feet into the ground", "length"),
        ("间隙 0.15 毫米", "length"),
        ("每 3000 小时加脂 20 克", "interval"),
        ("每 3000 小时加脂 20 克", "mass"),
        ("Change the oil annually.", "interval"),
        ("HVLP 46, 260 L", "fluid"),
        ("Part No.: 44-1410", "part_number"),
        ("20.6 Ω at 20 ℃", "resistance"),
    ],
)
def test_what_a_passage_gives(text: str, kind: str) -> None:
    assert kind in held(text)
    assert held(text, ["angle", kind]) == {kind}


def test_a_passage_without_figures_gives_none() -> None:
    units = {
        "torque",
        "pressure",
        "temperature",
        "voltage",
        "length",
        "mass",
        "volume",
        "flow",
        "speed",
        "part_number",
    }
    assert not units & held("Lift the cover, clean the seat and fit a new gasket. Never reuse the old one.")
    assert not units & held("掀开盖板，清洁座面，换上新的垫片。")


@cache
def _page(document: str, page: int) -> str:
    with pypdfium2.PdfDocument(MANUALS / document) as pdf:
        return str(pdf[page - 1].get_textpage().get_text_range())


def _held_on_gold_pages(case: Case) -> frozenset[str] | None:
    """None where a page is a picture."""
    texts = [_page(place.document, place.page) for group in case.gold for place in group]
    return held("\n".join(texts)) if all(len(text) > READABLE for text in texts) else None


def test_the_page_with_the_answer_holds_the_kind_of_value_asked_for() -> None:
    right, misses = 0, []
    for case in (case for suite in SUITES for case in read_suite(suite).cases if case.gold):
        kinds = Understander().read(Question(case.question, case.asset, case.history)).attributes
        found = _held_on_gold_pages(case) if kinds else None
        for kind in kinds if found is not None else ():
            right += kind in found
            misses += [] if kind in found else [f"{case.id} {kind}: {case.question}"]
    assert right >= 80
    assert len(misses) <= 0.05 * right, misses
