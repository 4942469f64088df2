"""A plant's own shorthand is learned from its orders, with or without clean texts beside them."""

from pathlib import Path

import pytest

from assistant.shorthand import Shorthand, general_words
from assistant.shorthand_learning import learn_from_pairs, learn_from_texts
from eval.shorthand import read_norm, score_tokens, shares_found, word_tables

MAINTNORM = Path(__file__).parents[2] / "shared" / "data" / "work_orders" / "maintnorm"
VERBS, PLACES = ("swap", "weld", "paint", "grease", "check"), ("on line", "at dock", "near gate", "in bay")


def orders() -> list[str]:
    """300 orders of one plant: grinders are called grndr at times, and one was mistyped."""
    texts = []
    for number in range(300):
        verb, place = VERBS[number % 5], PLACES[number % 4]
        word = ("grinder", "grinder", "grndr", "lamp", "fan")[number // 5 % 5]
        texts.append(f"{verb} {word} {place} {number}")
    return [*texts, "swap grinfer on line 900", "weld grind wheel 901"]


def test_a_short_or_mistyped_word_is_matched_to_what_stands_in_its_place() -> None:
    learned = learn_from_texts(orders(), {}, general_words())
    assert learned == {"grndr": "grinder", "grinfer": "grinder"}


def test_what_the_manuals_write_is_no_shorthand() -> None:
    assert "grndr" not in learn_from_texts(orders(), {"grndr": 5}, general_words())


def test_a_handful_of_orders_teaches_nothing() -> None:
    assert learn_from_texts(orders()[:100], {}, general_words()) == {}


def test_pairs_of_raw_and_clean_texts_are_counted() -> None:
    pairs = [
        ("REPL HYD HOSE", "replace hydraulic hose"),
        ("repl cyl seal", "replace cylinder seal"),
        ("c/o eng", "change out engine"),
        ("cyl 4711 leaks", "cylinder 4711 leaks"),
    ]
    learned = learn_from_pairs(pairs)
    assert learned["repl"] == "replace" and learned["hyd"] == "hydraulic" and learned["c/o"] == "change out"
    assert not {"hose", "seal", "4711", "leaks"} & set(learned)


def test_scores_are_worked_out_by_hand() -> None:
    texts = [(("REPL", "replace"), ("hyd", "hydraulic"), ("hose", "hose"), ("T12", "<id>"), ("fr", "frame"))]
    score = score_tokens(texts, Shorthand({"repl": "replace", "fr": "front", "hose": "hoses"}).plain)
    # Three to change; three changed, of which one rightly.
    assert (score.wanted, round(score.precision, 3), round(score.recall, 3)) == (3, 0.333, 0.333)
    assert shares_found([[1, 2, 3], [9]], [{1, 5}, {4}]) == [0.5, 0.0]


@pytest.mark.skipif(
    not MAINTNORM.is_dir(), reason="the normalised work orders of three companies are not here"
)
@pytest.mark.parametrize("company", ["b", "c"])
def test_learning_pays_on_companies_that_it_was_not_fitted_to(company: str) -> None:
    folder = MAINTNORM / f"company_{company}"
    tables, test = word_tables(read_norm(folder / "train.norm")), read_norm(folder / "test.norm")
    f1 = {name: score_tokens(test, Shorthand(words).plain).f1 for name, words in tables.items()}
    assert f1["list"] > 0.55
    assert f1["list + pairs"] > f1["learned from pairs"] > f1["list"]
    assert f1["list + raw orders"] > f1["list"] - 0.01
