"""Fault codes, part numbers and model numbers, however they are typed."""

import pytest

from assistant.identifiers import candidate_identifiers, find_identifiers, normal_form


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("E-07 shows after reset", {"e07"}),
        ("故障 Ｅ－０７ 再次出现", {"e07"}),
        ("E-07/E-08", {"e07", "e08"}),
        ("报警AL-031，液压泵", {"al031"}),
        ("7032报警", {"7032"}),
        ("ALM 2031", {"alm2031", "2031"}),
        ("fault 12 on the drive", {"12"}),
        ("seal kit 44-1180, qty 2", {"441180"}),
        ("NSN 4310-01-158-3262", {"4310011583262"}),
        ("use MIL-A-53009 additive", {"mila53009"}),
        ("model KA7-DA", {"ka7da"}),
        ("-1061088875 after start", {"1061088875"}),
    ],
)
def test_codes_and_numbers_are_found_in_normal_form(text: str, found: set[str]) -> None:
    assert set(find_identifiers(text)) == found


@pytest.mark.parametrize(
    "text",
    [
        "tighten to 250Nm",
        "at 2,500 psi",
        "0.50-0.75 in",
        "1000-1500 rpm",
        "on 2024-03-01",
        "1st stage",
        "every 2000 hours",
        "加注 1500 毫升",
        "5-7 days",
    ],
)
def test_quantities_dates_and_ranges_are_not_identifiers(text: str) -> None:
    assert find_identifiers(text) == ()


@pytest.mark.parametrize("typed", ["E-07", "E07", "e 07", "e07", "Ｅ０７", "E–07", "E.07"])
def test_every_way_to_type_a_code_means_the_same(typed: str) -> None:
    assert "e07" in candidate_identifiers(f"press shows {typed} again")


def test_neighbouring_codes_stay_apart() -> None:
    assert normal_form("E-07") != normal_form("E-107")
    assert "e07" not in candidate_identifiers("what is E-107")
