"""Two rankings become one, and the same one whatever order an engine puts equals in."""

from itertools import permutations

import pytest

from assistant.store.fusion import RRF_K, fuse


def test_what_both_channels_rank_well_comes_first() -> None:
    fused = fuse([[("a", 0.9), ("b", 0.8)], [("c", 7.0), ("b", 6.0)]], depth=10, limit=10)
    assert [found for found, _ in fused] == ["b", "a", "c"]
    assert fused[0][1] == pytest.approx(2 / (RRF_K + 1)) and fused[1][1] == pytest.approx(1 / RRF_K)


def test_equals_share_a_place_in_whatever_order_they_come() -> None:
    others = [("x", 3.0), ("b", 1.0)]
    results = {
        tuple(fuse([[("top", 0.9), *tied, ("last", 0.1)], others], depth=10, limit=10))
        for tied in permutations([("a", 0.5), ("b", 0.5), ("c", 0.5)])
    }
    assert len(results) == 1


def test_of_equals_at_the_end_of_a_full_channel_none_counts() -> None:
    kept = fuse([[("a", 0.9), ("b", 0.5), ("c", 0.5)]], depth=3, limit=10)
    assert [found for found, _ in kept] == ["a"]
    whole = fuse([[("a", 0.9), ("b", 0.5), ("c", 0.5)]], depth=4, limit=10)
    assert [found for found, _ in whole] == ["a", "b", "c"]
    assert len(fuse([[("a", 0.5), ("b", 0.5)]], depth=2, limit=10)) == 2
