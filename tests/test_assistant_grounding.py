"""A sentence stands on a passage with all its figures, or it is not said."""

import pytest

from assistant.grounding import Grounder
from assistant.schema import BlockKind, Chunk, Hit
from assistant.sparse import SparseEncoder

PASSAGES = [
    "Tighten the cover bolts of the hydraulic pump to 45 Nm in two passes.",
    "Fault E-07: main pressure low. Check the suction filter, part 44-1180.",
    "更换液压泵的吸油滤芯，拧紧力矩为 12.5 N·m。",
    "The oil tank holds 2,500 l. Valve gap 0. 50-0. 75 mm.",
]


def hit(number: int, text: str, kind: BlockKind = "text") -> Hit:
    chunk = Chunk(
        id=f"c{number}",
        document="press.pdf",
        revision="r",
        title="Press",
        section=(),
        page=number,
        page_last=number,
        kind=kind,
        text=text,
    )
    return Hit(chunk, 1.0)


@pytest.fixture
def hits() -> list[Hit]:
    return [hit(number, text) for number, text in enumerate(PASSAGES, start=1)]


@pytest.fixture
def grounder() -> Grounder:
    return Grounder(SparseEncoder())


def test_a_cited_sentence_that_its_passage_holds_stands(grounder: Grounder, hits: list[Hit]) -> None:
    grounded = grounder.check("Tighten the cover bolts to 45 Nm [1].", hits)
    assert grounded.text == "Tighten the cover bolts to 45 Nm [1]."
    assert [(citation.n, citation.page) for citation in grounded.citations] == [(1, 1)]


def test_a_wrong_figure_gives_way_to_the_manuals_own_words(grounder: Grounder, hits: list[Hit]) -> None:
    grounded = grounder.check("Tighten the cover bolts of the hydraulic pump to 54 Nm [2].", hits)
    assert grounded.text == "Tighten the cover bolts of the hydraulic pump to 45 Nm in two passes [1]."
    assert grounded.repaired == ("Tighten the cover bolts of the hydraulic pump to 54 Nm.",)
    assert [check.name for check in grounded.checks if not check.passed] == ["literals"]


def test_a_wrong_figure_that_no_place_corrects_is_withheld(grounder: Grounder, hits: list[Hit]) -> None:
    grounded = grounder.check("The oil tank is drained after 2,500 l of throughput [4].", hits)
    assert (grounded.text, grounded.citations) == ("", ())
    assert grounded.withheld == ("The oil tank is drained after 2,500 l of throughput.",)


def test_a_neighbouring_code_is_withheld(grounder: Grounder, hits: list[Hit]) -> None:
    assert grounder.check("E-107 means main pressure low [2].", hits).text == ""
    assert grounder.check("E07 means main pressure low [2].", hits).text == "E07 means main pressure low [1]."


def test_a_wrong_or_missing_marker_is_mended_from_the_passages(grounder: Grounder, hits: list[Hit]) -> None:
    for draft in (
        "Check the suction filter 44-1180 [1].",
        "Check the suction filter 44-1180.",
        "Check the suction filter 44-1180 [9].",
    ):
        grounded = grounder.check(draft, hits)
        assert [citation.page for citation in grounded.citations] == [2], draft
        assert "[9]" not in grounded.text


def test_chinese_sentences_are_held_to_the_same(grounder: Grounder, hits: list[Hit]) -> None:
    assert grounder.check("吸油滤芯的拧紧力矩为12.5 N·m [3]。", hits).citations[0].page == 3
    assert "125" not in grounder.check("吸油滤芯的拧紧力矩为 125 N·m [3]。", hits).text


def test_markers_alone_and_words_of_no_passage_are_no_answer(grounder: Grounder, hits: list[Hit]) -> None:
    assert grounder.check("[1] [2] [3]", hits).text == ""
    assert grounder.check("The spindle bearings need grease every week [1].", hits).text == ""


def test_a_figure_of_the_neighbouring_row_is_withheld(grounder: Grounder) -> None:
    rows = "Joint: Cylinder flange | Torque: 1850 Nm\nJoint: Pump flange screws | Torque: 125 Nm"
    table = [hit(1, rows, kind="table")]
    assert "1850" not in grounder.check("The torque of the pump flange screws is 1850 Nm [1].", table).text
    assert "125 Nm [1]" in grounder.check("The torque of the pump flange screws is 125 Nm [1].", table).text


def test_a_sentence_that_only_repeats_the_question_is_no_answer(grounder: Grounder, hits: list[Hit]) -> None:
    assert grounder.check("E-07 [2].", hits, "what does E-07 mean").text == ""
    assert grounder.check("Press shows E-07 [2].", hits, "press shows e 07").text == ""
    assert grounder.check("Do as follows:", hits, "what now").text == ""
    assert grounder.check("E-07: main pressure low [2].", hits, "what does E-07 mean").text != ""


def test_a_figure_of_another_part_is_withheld_when_the_question_names_the_part(grounder: Grounder) -> None:
    rows = [hit(1, "Item: Torque main cylinder flange screws | Value: 1850 Nm", kind="table")]
    draft = "The flange screws of the main pump are 1850 Nm [1]."
    assert grounder.check(draft, rows, "torque of the main pump flange screws").text == ""


def test_a_code_pins_the_subject_whatever_else_the_question_says(grounder: Grounder) -> None:
    row = [hit(1, "Code: E-105 | Message: Pressure transducer B41 signal lost", kind="table")]
    draft = "Alarm E-105 means Pressure transducer B41 signal lost [1]."
    assert grounder.check(draft, row, "What does alarm E-105 mean?").text == draft


def test_citations_are_numbered_as_they_appear(grounder: Grounder, hits: list[Hit]) -> None:
    grounded = grounder.check("The oil tank holds 2500 l [4]. Tighten the cover bolts to 45 Nm [1].", hits)
    assert [(citation.n, citation.page) for citation in grounded.citations] == [(1, 4), (2, 1)]
    assert grounded.text.splitlines()[1].endswith("45 Nm [2].")


@pytest.mark.parametrize(
    ("passage", "draft"),
    [
        ("Never search for leaks with the hand.", "Search for leaks with the hand."),
        ("Open the drain valve every day.", "Do not open the drain valve every day."),
        (
            "Insert the locking bolt before the motor is loosened.",
            "Insert the locking bolt after the motor is loosened.",
        ),
        ("若无纸片也报警，不得直接提高压力。", "若无纸片也报警，直接提高压力。"),
        ("断电前打开卸荷阀。", "断电后打开卸荷阀。"),
    ],
)
def test_the_opposite_of_what_a_passage_says_is_withheld(
    grounder: Grounder, passage: str, draft: str
) -> None:
    grounded = grounder.check(f"{draft} [1]", [hit(1, passage)])
    assert grounded.text == ""
    assert [check.name for check in grounded.checks if not check.passed] == ["negation"]
    assert grounder.check(f"{passage} [1]", [hit(1, passage)]).text


@pytest.mark.parametrize(
    "draft",
    [
        "The relief valve opens at 18 psi.",
        "The relief valve opens at 18 MPa.",
        "The relief valve opens at 40 bar.",
    ],
)
def test_a_figure_with_another_unit_or_of_another_part_is_never_kept(grounder: Grounder, draft: str) -> None:
    passage = [hit(1, "The relief valve opens at 18 bar, the safety valve at 40 bar.")]
    assert draft not in grounder.check(draft, passage).text
    assert grounder.check("The relief valve opens at 18 bar [1].", passage).text


def test_a_draft_in_the_wrong_language_is_withheld(grounder: Grounder, hits: list[Hit]) -> None:
    grounded = grounder.check(
        "Tighten the cover bolts of the pump to 45 Nm [1].", hits, "泵盖螺栓的拧紧力矩是多少？"
    )
    assert grounded.text == ""
    assert [check.name for check in grounded.checks if not check.passed] == ["language"]
    across = grounder.check("液压泵盖螺栓拧紧至 45 Nm [1]。", hits, "液压泵盖螺栓的拧紧力矩是多少？")
    assert [citation.page for citation in across.citations] == [1]


def test_a_bare_figure_stands_for_what_was_asked_and_nothing_else(
    grounder: Grounder, hits: list[Hit]
) -> None:
    assert (
        grounder.check("45 Nm [1].", hits, "tighten the hydraulic pump cover bolts to what").text
        == "45 Nm [1]."
    )
    assert grounder.check("45 Nm [1].", hits, "how long is the warranty of the press").text == ""


def test_a_citation_points_to_the_row_that_counts(grounder: Grounder) -> None:
    rows = "Joint: Cylinder flange | Torque: 1850 Nm\nJoint: Pump flange screws | Torque: 125 Nm"
    citation = grounder.check(
        "The torque of the pump flange screws is 125 Nm.", [hit(1, rows, "table")]
    ).citations[0]
    assert [rows[start:end] for start, end in citation.spans] == [
        "Joint: Pump flange screws | Torque: 125 Nm"
    ]
