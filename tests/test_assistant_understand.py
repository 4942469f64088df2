"""Questions are read: language, what they lean on, their parts and identifiers."""

import pytest

from assistant.followups import leans, written_out
from assistant.identifiers import candidate_identifiers, look_alikes, without_identifiers
from assistant.parts import parts_of
from assistant.schema import Question, Turn
from assistant.understand import Understander, Understood


def read(text: str, *said: str) -> Understood:
    """A question after turns of the user and the assistant, by turns."""
    roles = ("user", "assistant")
    history = tuple(Turn(roles[n % 2], content) for n, content in enumerate(said))  # type: ignore[arg-type]
    return Understander().read(Question(text, None, history))


def test_what_cannot_be_seen_parts_no_code() -> None:
    understood = read("What does E\u200b-\u00ad07 mean?\u202e")
    assert understood.text == understood.standalone == "What does E-07 mean?"
    assert "e07" in understood.identifiers


def test_a_code_alone_is_in_the_language_of_the_conversation() -> None:
    assert read("E-07").language == "en"
    assert read("E-07", "液压泵噪音大", "请检查吸油滤网。").language == "zh"
    assert read("what about E-07", "液压泵噪音大", "请检查吸油滤网。").language == "en"


@pytest.mark.parametrize(
    ("said", "reply", "taken", "left"),
    [
        (
            ("E-107, cleaned it, what now", "Replace the valve Y1, part 44-1410 [1]."),
            "and the torque for it?",
            "44-1410",
            "[1]",
        ),
        (
            ("sensor torque?", "Do you mean the temperature sensor B2 or a pressure sensor, such as B1?"),
            "yes, the B1",
            "pressure sensor",
            "B2",
        ),
        (
            ("order no for the valve", "Which: 1. the relief valve Y1, or 2. the safety valve Y10?"),
            "the second one",
            "safety valve Y10",
            "Y1,",
        ),
        (("轴承锁母打多少", "请问是 X 轴还是 Z 轴的锁母？"), "Z 轴的", "Z 轴的锁母", "X"),
        (("螺杆头怎么拧不下来", "螺杆头是左旋螺纹。"), "那扭矩呢？", "螺杆头", "没有"),
        (("precharge?", "45 bar at 20 °C [1]."), "and at 40 degrees?", "precharge?", "45 bar"),
        (
            ("what does E-09 mean", "E-09 is not in the manuals held for PR-01. Nearest: E-08."),
            "and what part fixes it?",
            "E-09",
            "E-08",
        ),
    ],
)
def test_a_follow_up_takes_its_subject_and_the_choice_that_was_offered(
    said: tuple[str, ...], reply: str, taken: str, left: str
) -> None:
    understood = read(reply, *said)
    assert said[0] in understood.standalone and taken in understood.standalone
    assert left not in understood.standalone
    assert understood.standalone.endswith(reply) and understood.parts == (understood.standalone,)


def test_a_chain_of_follow_ups_is_walked_back_to_its_subject() -> None:
    standalone = read(
        "and the other one?", "oil for the X gearbox?", "CLP 220.", "and the Z?", "CLP 100."
    ).standalone
    assert standalone.startswith("oil for the X gearbox?\nand the Z?\n")


@pytest.mark.parametrize(
    "question",
    [
        "What is the torque of the drain plug?",
        "bladder on press 3, need to see if theres still gas in it. how",
        "F-211 yellow lamp",
        "no N2 left, shop air into the accu ok just for tonight?",
        "nozzle body torque",
        "泵嗡嗡叫得厉害",
        "空压机加多少升油",
    ],
)
def test_a_new_question_in_an_old_conversation_takes_nothing(question: str) -> None:
    assert read(question, "how often do we grease the chain", "Every week [1].").standalone == question


@pytest.mark.parametrize("question", ["part number?", "thanks. torque?", "pressure?", "多久一次", "压力多少"])
def test_a_value_without_a_subject_is_asked_of_what_was_spoken_of(question: str) -> None:
    assert read(question, "the relief valve of press 2 leaks", "Replace it [1].").standalone != question
    assert read(question).standalone == question


def test_the_kind_of_value_is_taken_over_where_the_follow_up_names_none() -> None:
    assert read("and on the cooler?", "torque drain plug vessel", "90 N·m [1].").attributes == ("torque",)
    assert read("how often?", "torque drain plug vessel", "90 N·m [1].").attributes == ("interval",)


@pytest.mark.parametrize(
    ("question", "parts"),
    [
        (
            "What is the torque of the head bolts and how often must the oil be changed?",
            ("What is the torque of the head bolts", "how often must the oil be changed?"),
        ),
        (
            "1. How do I reset E-07? 2. What oil goes in the gearbox?",
            ("How do I reset E-07?", "What oil goes in the gearbox?"),
        ),
        ("AL-015 泵不行了，件号和法兰螺栓多大力矩", ("AL-015 泵不行了: 件号", "泵不行了: 法兰螺栓多大力矩")),
        ("液压油用什么牌号，多久换一次？", ("液压油用什么牌号", "液压油用什么牌号: 多久换一次？")),
        (
            "F-301 kit no for the inlet valve and torque of its bolts",
            ("F-301 kit no for the inlet valve", "kit no for the inlet valve: torque of its bolts"),
        ),
    ],
)
def test_several_questions_are_cut_apart_and_keep_their_subject(
    question: str, parts: tuple[str, ...]
) -> None:
    assert parts_of(question) == parts


@pytest.mark.parametrize(
    "question",
    [
        "torque of the head and base bolts",
        "How do I remove and install the pump?",
        "Can I use grease and oil together?",
        "what is the max pressure and temperature of the oil",
        "压力和温度正常范围是多少",
        "E-07 and E-08 after the reset",
    ],
)
def test_what_two_things_share_is_one_question(question: str) -> None:
    assert parts_of(question) == (question,)


def test_letters_read_for_digits_are_understood_and_digits_stay() -> None:
    assert {"e07"} <= set(candidate_identifiers("press shows EO7"))
    assert look_alikes("7o32") == ("7032",) and look_alikes("zs16512o") == ("zs165120",)
    assert look_alikes("e07") == look_alikes("b1") == look_alikes("co2") == look_alikes("hlp46") == ()


def test_codes_are_taken_out_and_quantities_stay() -> None:
    assert without_identifiers("E-21 at 2500 h, part 44-1410") == "at 2500 h, part"


def test_long_pasted_text_stands_by_itself() -> None:
    log = "12:00:01 pump 1 start and stop, what\n" * 100
    assert not leans(log) and parts_of(log) == (log,) and written_out(log, (Turn("user", "hi"),)) == log


def test_a_code_of_an_earlier_question_counts_only_where_the_follow_up_points_at_it() -> None:
    said = ("what does E-09 mean", "E-09 is not in the manuals held for PR-01. Nearest: E-08.")
    assert "E-09" in read("and what part fixes it?", *said).naming
    assert "E-09" not in read("ok, and E-08?", *said).naming
    assert "E-09" not in read("and the oil grade of the tank?", *said).naming
