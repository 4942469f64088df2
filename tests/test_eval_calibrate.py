"""What refusals are learned from, and that their figures are of manuals that were not learned from."""

import json
from dataclasses import replace

import pytest

from assistant.answerable import SignalReader
from assistant.refusal import read_learned
from assistant.schema import Chunk, Hit, Question
from assistant.sparse import SparseEncoder
from assistant.understand import Understander
from assistant.wording import Wording
from eval.answerability import Sample
from eval.calibrate import (
    SIGNS,
    STORED,
    Judged,
    figures,
    held_out,
    learn,
    writer_weight,
)
from eval.logistic import fit


def sample(number: int, manual: str, refuse: bool, *, hidden: bool = False, **signals: float) -> Sample:
    values = dict.fromkeys(SIGNS, 0.0) | signals
    return Sample(f"{manual}-{number}", "suite", manual, refuse, hidden, values)


def three_manuals() -> list[Sample]:
    return [
        sample(n, manual, n % 2 == 0, value_gap=0.9 - 0.01 * n if n % 2 == 0 else 0.01 * n)
        for manual in ("a", "b", "c")
        for n in range(20)
    ]


def test_a_signal_that_tells_is_learned() -> None:
    learned = learn(three_manuals())
    assert learned.probability(sample(0, "d", True, value_gap=0.8).signals) > 0.8
    assert learned.probability(sample(0, "d", False).signals) < 0.2


def test_no_weight_goes_against_its_meaning() -> None:
    turned = [replace(one, refuse=not one.refuse) for one in three_manuals()]
    assert learn(turned).weights["value_gap"] == 0.0


def test_a_fit_does_not_depend_on_scale_or_order() -> None:
    samples = [{"x": float(n), "y": 1.0} for n in range(10)]
    outcomes = [n > 4 for n in range(10)]
    near = fit(samples, outcomes, [1.0] * 10, {"x": 1, "y": 1})
    far = fit(
        [{"x": 100 * s["x"], "y": 1.0} for s in samples][::-1], outcomes[::-1], [1.0] * 10, {"x": 1, "y": 1}
    )
    assert near.weights["y"] == 0.0
    assert near.probability({"x": 7.0, "y": 1.0}) == pytest.approx(
        far.probability({"x": 700.0, "y": 1.0}), abs=0.05
    )


def test_a_manual_is_judged_by_weights_that_never_saw_it() -> None:
    samples = three_manuals()
    turned = [replace(one, refuse=not one.refuse) if one.manual == "a" else one for one in samples]
    before = {one.sample.case: one.probability for one in held_out(samples)}
    after = {one.sample.case: one.probability for one in held_out(turned)}
    assert {case for case in before if before[case] == after[case]} >= {c for c in before if c[0] == "a"}
    assert any(before[case] != after[case] for case in before if case[0] == "b")


def test_figures_by_hand() -> None:
    judged = [
        Judged(sample(1, "a", True), 0.9),
        Judged(sample(2, "a", True), 0.2),
        Judged(sample(3, "b", False), 0.6),
        Judged(sample(4, "b", False), 0.1),
    ]
    found = figures(judged)
    assert (found.precision, found.recall, found.f1, found.false_refusal) == (0.5, 0.5, 0.5, 0.5)
    # Surest first: 0.1 right, 0.2 wrong, 0.6 right, 0.9 wrong.
    assert found.aurc == pytest.approx((0 + 1 / 2 + 1 / 3 + 2 / 4) / 4, abs=1e-4)
    assert found.brier == pytest.approx((0.01 + 0.64 + 0.36 + 0.01) / 4)


def test_a_writer_counts_for_as_much_as_its_refusals_were_right() -> None:
    never_right = [(True, False)] * 20 + [(False, False)] * 200 + [(False, True)] * 45
    mostly_right = [(True, True)] * 40 + [(False, True)] * 10 + [(True, False)] * 5 + [(False, False)] * 195
    assert writer_weight(never_right) == 0.0
    assert 3.0 < writer_weight(mostly_right) < 3.6


def test_what_is_stored_is_what_is_measured() -> None:
    stored = json.loads(STORED.read_text(encoding="utf-8"))
    learned = read_learned(STORED.read_text(encoding="utf-8"))
    assert learned.threshold == 0.5 and set(learned.weights) <= set(SIGNS)
    assert all(weight * SIGNS[name] > 0 for name, weight in learned.weights.items())
    assert stored["held_out"]["all"]["unanswerable"] >= 73
    chunk = Chunk("c", "d.md", "r", "Pump", ("Pump",), 1, 1, "text", "Torque of the bolts: 45 Nm.")
    understood = Understander().read(Question("pump bolt torque"))
    signals = SignalReader(Wording(SparseEncoder())).read(understood, [Hit(chunk, 1.0)], ())
    assert set(signals.values) == set(SIGNS)
    assert all(0 <= value <= 1 for value in signals.values.values())
