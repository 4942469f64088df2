"""Languages and sentence ends."""

import pytest

from assistant.language import language_of, sentences


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("How tight are the bolts?", "en"),
        ("螺栓的拧紧力矩是多少？", "zh"),
        ("报警 AL-031 怎么处理", "zh"),
        ("ACOPOS 7032 signal level", "en"),
        ("What does 危险 mean on the label of the press?", "en"),
        ("油圧プレスの油は何ですか？", "en"),
        ("", "en"),
    ],
)
def test_language(text: str, language: str) -> None:
    assert language_of(text) == language


def test_sentences_end_in_both_languages_and_keep_their_markers() -> None:
    text = "Torque is 0.5 Nm. [1] Use oil No. 46 [2]. 更换滤芯。[3]然后复位！\n1. Stop it.\n- Lock it out."
    assert sentences(text) == [
        "Torque is 0.5 Nm. [1]",
        "Use oil No. 46 [2].",
        "更换滤芯。[3]",
        "然后复位！",
        "1. Stop it.",
        "- Lock it out.",
    ]
