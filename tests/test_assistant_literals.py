"""Figures, units and codes are compared as values, whatever the typesetting."""

import pytest

from assistant.literals import held_by, literals, said


def test_numbers_are_compared_as_values() -> None:
    assert literals("2,500 l at 12.0 bar, 0.50 mm")[0] == {"2500", "12", "0.5"}
    assert {"0.5", "0.75"} <= literals("0. 50-0. 75 mm")[0]
    assert {"15"} <= literals("Cause: 1. 15 bar not reached")[0]
    assert literals("2. Turn the valve")[0] == frozenset()


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("2,500 Nm", "2 500 N·m"),
        ("45 N.m", "45牛米"),
        ("0.50 mm", "0. 50 mm"),
        ("５０ ℃", "50 °C"),
        ("10 minutes", "10 分钟"),
        ("18.5 MPa", "18.5兆帕"),
        ("two bolts", "2 bolts"),
        ("两个螺栓", "2 个螺栓"),
        ("E-07", "Ｅ０７"),
    ],
)
def test_one_value_in_two_spellings(one: str, other: str) -> None:
    assert said(one).stand_in(held_by(other)) and said(other).stand_in(held_by(one))


@pytest.mark.parametrize(
    ("claimed", "printed"),
    [
        ("50 °F", "50 °C"),
        ("5 psi", "5 bar"),
        ("5 bar", "5.5 bar"),
        ("25 °F", "-25 °F"),
        ("60 min", "within 60 s, after 5 min"),
        ("E-17", "E-07"),
        ("44-1181", "44-1180"),
    ],
)
def test_two_values_stay_two(claimed: str, printed: str) -> None:
    assert not said(claimed).stand_in(held_by(printed))


def test_a_range_and_a_header_lend_their_unit() -> None:
    assert said("5 bar").stand_in(held_by("5-7 bar"))
    assert said("45 Nm").stand_in(held_by("Torque (Nm): 45"))
