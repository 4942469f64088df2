"""What nobody can see does not get past visible(); what people read stays to the letter."""

import unicodedata

import pytest

from assistant.clean import hides_words, visible


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("F\u200b-\u200b2\u200b1\u200b1", "F-211"),
        ("cover \U000e0073\U000e0061\U000e0079screws", "cover screws"),
        ("\u202e83-TERGE\u202c ok", "83-TERGE ok"),
        ("hy\u00adphen\ufeff\u2060", "hyphen"),
        ("a\x00b\x1b[2J\x07", "ab[2J"),
        ("one\r\ntwo\rthree\u2028four\x0cfive", "one\ntwo\nthree\nfour\nfive"),
        ("x\u3164\u2800y\ufe0f", "xy"),
        ("half \udc73 pair", "half  pair"),
    ],
)
def test_what_cannot_be_seen_is_gone(written: str, read: str) -> None:
    assert visible(written) == read


@pytest.mark.parametrize(
    "text",
    [
        "Torque\t2,500 N·m ± 5 % – see Table 3-2\nμ = 0,12 °C ≤ 75 Ω",
        "扭矩：２５０ N·m（M20×4）\n　第一步",
        "Größe, pièce détachée, шестерня",
    ],
)
def test_what_is_read_stays_to_the_letter(text: str) -> None:
    assert visible(text) == text


def test_no_control_or_format_character_is_left() -> None:
    # Signs of Arabic, Syriac, Kaithi and Egyptian that are of category Cf and have a shape.
    shaped = {
        *range(0x600, 0x606),
        0x6DD,
        0x70F,
        0x890,
        0x891,
        0x8E2,
        0x110BD,
        0x110CD,
        *range(0x13430, 0x13440),
    }
    unseen = [
        chr(code)
        for code in range(0x110000)
        if unicodedata.category(chr(code)) in {"Cc", "Cf", "Cs"} and code not in shaped
    ]
    assert set(visible("".join(unseen))) <= {"\t", "\n"}


def test_hidden_words_are_told_from_what_word_processors_leave_behind() -> None:
    assert hides_words("see \U000e0073\U000e0061 table") and hides_words("\u202e83-TERGE")
    assert not hides_words("soft\u00adhyphen, zero\u200bwidth, \u200emark, \ufeffstart")
