"""How records become HTML: escaping, resolved markers, lines, signal words, and words in both languages."""

import pytest

from assistant.schema import Answer, SafetyNotice
from assistant.web.links import PageLink
from assistant.web.pages.ask import turns
from assistant.web.render import Exchange, lines, paragraphs, progress, signal_word, unbroken
from assistant.web.texts import texts

LINK = PageLink("r1", "Press", "C", 3, 9, "c1", 0.2, "png")


def test_only_markers_that_resolve_become_buttons():
    assert paragraphs("Set 265 bar [1]. See [7].\n\nThen lock. [1]", {1: LINK}) == [
        [["Set 265 bar ", 1, ". See ", "[7]", "."]],
        [["Then lock. ", 1]],
    ]


def test_whatever_the_model_writes_stays_text():
    drawn = progress("q", "", "en", (), draft="<script>alert(1)</script> [link](http://x) <b onclick=y>")
    assert "<script" not in drawn and "<b onclick" not in drawn and "&lt;script&gt;" in drawn
    assert "[link](http://x)" in drawn and "href" not in drawn


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Code: E-1 | Remedy: 1. Check 2. Replace", ["Code: E-1", "Remedy:", "1. Check", "2. Replace"]),
        ("See section 2. Then go on.", ["See section 2. Then go on."]),
        ("1. Set 5. 2 bar more", ["1. Set 5. 2 bar more"]),
        ("Torque 45 Nm", ["Torque 45 Nm"]),
    ],
)
def test_cells_and_steps_get_lines_of_their_own(text, expected):
    assert lines(text) == expected


def test_part_numbers_are_not_broken_and_still_escaped():
    assert str(unbroken("Use 44-2320 <now>")) == 'Use <span class="whole">44-2320</span> &lt;now&gt;'
    assert "whole" not in unbroken("a well-known two-hand control")


@pytest.mark.parametrize(
    ("text", "level", "word", "words"),
    [
        ("DANGER Crushing. Stay out.", "DANGER", "DANGER", "Crushing. Stay out."),
        ("危险触电。断开总断路器。", "DANGER", "危险", "触电。断开总断路器。"),
        ("小心：烫伤", "CAUTION", "小心", "烫伤"),
        ("Hot oil.", "CAUTION", "CAUTION", "Hot oil."),
        ("注意事项见第 3 章", "NOTICE", "NOTICE", "注意事项见第 3 章"),
        ("WARNING", "WARNING", "WARNING", "WARNING"),
    ],
)
def test_a_signal_word_moves_to_the_head_and_is_never_lost(text, level, word, words):
    assert signal_word(SafetyNotice(level, text, "m.pdf", 1)) == (word, words)


def test_a_follow_up_carries_only_turns_about_the_same_machine():
    past = [
        Exchange("and how often?", "PR-01", Answer("Every 500 h.", False, "llm", "en")),
        Exchange("grease?", "PR-01", Answer("NLGI 2.", False, "llm", "en")),
        Exchange("belt?", "CV-01", Answer("800 mm.", False, "llm", "en")),
    ]
    assert [turn.content for turn in turns(past, "PR-01")] == [
        "grease?",
        "NLGI 2.",
        "and how often?",
        "Every 500 h.",
    ]
    assert turns(past, "CV-01") == ()


def test_both_languages_have_the_same_words_and_places():
    english, chinese = texts("en"), texts("zh")
    assert list(english) == list(chinese)
    for key in english:
        assert english[key].count("{") == chinese[key].count("{"), key
