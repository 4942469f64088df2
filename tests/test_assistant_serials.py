"""Serial-number ranges as nameplates and covers write them."""

import pytest

from assistant.errors import InputError
from assistant.serials import parse_range, read_range


@pytest.mark.parametrize(
    ("written", "inside", "outside"),
    [
        ("1000-1999", ("1000", "1999", "01500", "SN 1500", ""), ("999", "2000", "2100")),
        ("SC-1000 – SC-1999", ("SC-1500", "sc1500", "1500"), ("SC-2100", "AB-1500")),
        ("2000-", ("2000", "99999"), ("1999",)),
        ("-999", ("1", "999"), ("1000",)),
        ("1000 至 1999", ("1200",), ("2100",)),
        ("", ("1", "anything"), ()),
    ],
)
def test_what_lies_in_a_range(written: str, inside: tuple[str, ...], outside: tuple[str, ...]) -> None:
    found = read_range(written)
    assert [serial for serial in inside if not found.holds(serial)] == []
    assert [serial for serial in outside if found.holds(serial)] == []
    assert read_range(str(found)) == found


@pytest.mark.parametrize("written", ["1000", "a-b", "2000-1000", "-", "1-2-3"])
def test_what_is_no_range_is_said_to_be_none(written: str) -> None:
    with pytest.raises(InputError, match="no range of serial numbers"):
        parse_range(written)


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("1-5", "5-9", True),
        ("1-4", "5-9", False),
        ("1-9", "3-4", True),
        ("", "3-4", True),
        ("7-", "-6", False),
    ],
)
def test_ranges_that_share_a_machine_overlap(one: str, other: str, expected: bool) -> None:
    first, second = read_range(one), read_range(other)
    assert first.overlaps(second) is second.overlaps(first) is expected
