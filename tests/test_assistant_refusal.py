"""What the passages do not hold is refused, with what is missing; what they hold is not."""

import re
from pathlib import Path

import pytest

from assistant.attributes import attributes
from assistant.errors import SettingsError
from assistant.refusal import Decision, RefusalModel, refusal_text
from assistant.schema import Chunk, Citation, Hit, Question
from assistant.subjects import passage_identifiers
from assistant.understand import Understander

FLYWHEEL = "Slide the flywheel onto its key and secure the flywheel with its nut."
PUMP = "Bolt the pump to its bracket. Torque of the pump bolts: 45 Nm."
ALARMS = ("E-07 | Main pressure low | Clean the suction filter", "E-08 | Oil too hot | Clean the cooler")


def hits(*texts: str, section: str = "Engine") -> list[Hit]:
    return [
        Hit(
            Chunk(
                id=f"c{number}",
                document="engine.pdf",
                revision="r",
                title="Engine manual",
                section=(section,),
                page=number,
                page_last=number,
                kind="text",
                text=text,
                identifiers=passage_identifiers("Engine manual", (section,), text),
            ),
            1 / number,
        )
        for number, text in enumerate(texts, start=1)
    ]


def decide(question: str, found: list[Hit], model: RefusalModel | None = None, **more: bool) -> Decision:
    understood = Understander().read(Question(question))
    return (model or RefusalModel.default()).decide(understood, found, (), machine=("en-1",), **more)


def test_a_value_that_stands_nowhere_is_refused_and_named() -> None:
    decision = decide("flywheel nut torque", hits(FLYWHEEL, PUMP))
    assert decision.refuse and decision.kinds == ("torque",)
    assert "a torque" in refusal_text(decision, "EN-1", "en")


def test_the_same_question_is_answered_once_the_value_is_there() -> None:
    absent = decide("flywheel nut torque", hits(FLYWHEEL, PUMP))
    there = decide("flywheel nut torque", hits(FLYWHEEL + " Torque of the flywheel nut: 90 Nm.", PUMP))
    assert not there.refuse and there.answerable > absent.answerable


def test_chinese_is_judged_alike() -> None:
    step = "将飞轮装到键上，用螺母固定飞轮。"
    absent = decide("飞轮螺母的拧紧力矩是多少", hits(step, "油泵螺栓拧紧力矩为 45 N·m。", section="发动机"))
    there = decide("飞轮螺母的拧紧力矩是多少", hits(step + "飞轮螺母的拧紧力矩为 90 N·m。", section="发动机"))
    assert absent.answerable < there.answerable and not there.refuse
    assert "扭矩" in refusal_text(absent, "EN-1", "zh")


def test_a_manual_in_the_other_language_is_no_reason_to_refuse() -> None:
    assert not decide("油泵螺栓的拧紧力矩是多少", hits(PUMP, FLYWHEEL)).refuse
    assert decide("飞轮螺母多重", hits(FLYWHEEL)).missing == ()


def test_a_code_that_the_list_does_not_have_is_refused_as_typed() -> None:
    decision = decide("E-09 on the panel", hits(*ALARMS))
    assert decision.refuse and decision.missing[0] == "E-09"
    assert not decide("E-08 on the panel", hits(*ALARMS)).refuse


def test_the_machines_own_name_is_no_missing_code() -> None:
    assert decide("EN-1 torque of the pump bolts", hits(PUMP)).missing == ()


@pytest.mark.parametrize("typed", ["flywheeel nut torque", "flywhel nut torque", "flywehel nut torque"])
def test_a_slip_of_the_pen_is_not_missing(typed: str) -> None:
    decision = decide(typed, hits(FLYWHEEL + " Torque of the flywheel nut: 90 Nm."))
    assert decision.missing == ()


@pytest.mark.parametrize("typed", ["How tall is the CEO?", "{{7*7}} ${7*7}", "谁是总经理？"])
def test_a_question_of_which_no_passage_has_a_word_is_refused(typed: str) -> None:
    found = hits("将飞轮装到键上，用螺母固定飞轮。") if "谁" in typed else hits(FLYWHEEL, PUMP)
    decision = decide(typed, found)
    assert decision.refuse and decision.answerable == 0.0


def test_without_passages_there_is_no_answer() -> None:
    assert decide("flywheel nut torque", []) == Decision(True, 0.0, ())


def test_a_writer_that_refuses_is_believed_unless_it_was_measured_to_be_wrong() -> None:
    question, found = "torque of the pump bolts", hits(PUMP)
    plain = decide(question, found)
    unknown = decide(question, found, RefusalModel.default("some other model"), draft_refused=True)
    packaged = decide(
        question, found, RefusalModel.default("qwen2.5-coder-0.5b-instruct"), draft_refused=True
    )
    assert unknown.answerable < plain.answerable == packaged.answerable


def test_a_refusal_offers_pages_and_no_figure_of_a_passage() -> None:
    found = hits("Torque of the pump bolts: 4711 Nm.", "Pump 4712")
    decision = decide("E-09 flywheel nut torque", found)
    closest = [Citation(n, "engine.pdf", "r", n, (), hit.chunk.text) for n, hit in enumerate(found, start=1)]
    text = refusal_text(decision, None, "en", [*closest, closest[0]])
    assert "this plant" in text and text.count("engine.pdf, page 1") == 1 and "engine.pdf, page 2" in text
    assert "4711" not in text and "4712" not in text
    assert refusal_text(Decision(True, 0.1, ()), "EN-1", "zh") == "EN-1的现有手册没有回答这个问题。"


def test_every_kind_of_value_has_a_name_in_both_languages() -> None:
    for kind in attributes():
        decision = Decision(True, 0.1, (), (kind,))
        assert refusal_text(decision, "EN-1", "en").endswith("."), kind
        assert re.search(r"给出[\u3400-\u9fff]+。", refusal_text(decision, "EN-1", "zh")), kind


@pytest.mark.parametrize("text", ["", "{}", "[1, 2]"])
def test_a_file_without_weights_is_refused_in_one_line(tmp_path: Path, text: str) -> None:
    path = tmp_path / "refusal.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(SettingsError, match="holds no learned refusal"):
        RefusalModel.load(path)
