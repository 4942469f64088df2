"""The figures of quotes are the harness's own, and evidence is learned from the places that say the facts."""

from assistant.evidence import Candidate
from assistant.grounding import cite
from assistant.places import places_of
from assistant.quoting import Quoted
from assistant.schema import Chunk, Hit, Question
from assistant.understand import Understander
from eval.cases import Case, Place
from eval.quotes import SIGNS, Sample, figures, learn

ROWS = "Joint: Pump flange | Torque: 310 Nm\nJoint: Cover | Torque: 45 Nm"
HIT = Hit(Chunk("c", "press.pdf", "r", "Press", ("Torques",), 3, 3, "table", ROWS), 1.0)


def a_sample(text: str, page: int = 3) -> Sample:
    question = "torque of the pump flange"
    case = Case(
        id="one",
        question=question,
        lang="en",
        kind="lookup",
        asset=None,
        history=(),
        gold=((Place("press.pdf", page),),),
        must_contain=(("310 Nm",),),
        must_not_contain=("45 Nm",),
        refuse=False,
        safety=(),
    )
    candidates = tuple(
        Candidate(HIT, place, {"bias": 1.0, **dict.fromkeys(SIGNS, 0.0), "covered": 1.0 - number})
        for number, place in enumerate(places_of(HIT.chunk))
    )
    quoted = Quoted(f"“{text}” [1]", (cite(1, HIT),), (HIT,))
    return Sample(
        "suite", "press.pdf", case, Understander().read(Question(question)), candidates, quoted, 20.0
    )


def test_figures_of_a_right_and_a_wrong_quote() -> None:
    right, wrong = a_sample(ROWS.splitlines()[0]), a_sample(ROWS.splitlines()[1], page=4)
    found = figures([(right, right.quoted), (wrong, wrong.quoted)])
    assert (found["exact_page"], found["must_contain"], found["wrong_value"]) == (0.5, 0.5, 0.5)
    assert (found["questions"], found["ms"]) == (2, 20)


def test_what_marks_the_row_with_the_fact_gains_weight() -> None:
    weights = learn([a_sample("")] * 5)
    assert weights["covered"] > 0
    assert set(weights) == {"bias", *SIGNS}
