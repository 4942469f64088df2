"""Intervals and differences agree with figures worked out by hand or known in closed form."""

import math

import pytest

from eval.statistics import ClusterBootstrap, exact_interval, paired_difference


def test_the_exact_interval_has_its_published_values() -> None:
    # Nothing in ten: the upper end solves (1 - p)^10 = 0.025. Five in ten: any table of Clopper and Pearson.
    none = exact_interval(0, 10)
    assert none.low == 0 and none.high == pytest.approx(1 - 0.025 ** (1 / 10))
    half = exact_interval(5, 10)
    assert (half.low, half.high) == (pytest.approx(0.18709, abs=1e-5), pytest.approx(0.81291, abs=1e-5))
    every = exact_interval(10, 10)
    assert every.low == pytest.approx(0.025 ** (1 / 10)) and every.high == 1


@pytest.mark.parametrize(("successes", "n"), [(1, 0), (-1, 5), (6, 5)])
def test_impossible_counts_are_refused(successes: int, n: int) -> None:
    with pytest.raises(ValueError, match="no rate"):
        exact_interval(successes, n)


def test_without_clusters_the_bootstrap_agrees_with_the_normal_interval() -> None:
    # 100 independent cases, half right: the mean's standard error is 0.05. Each case is its own cluster and
    # a cluster of one has no second stage.
    values = [1.0, 0.0] * 50
    interval = ClusterBootstrap([str(n) for n in range(100)]).interval(values)
    assert interval is not None
    assert interval.low == pytest.approx(0.5 - 1.96 * 0.05, abs=0.011)
    assert interval.high == pytest.approx(0.5 + 1.96 * 0.05, abs=0.011)


def test_cases_that_share_a_manual_widen_the_interval() -> None:
    values = [1.0] * 50 + [0.0] * 50
    alone = ClusterBootstrap([str(n) for n in range(100)]).interval(values)
    manuals = ClusterBootstrap([f"manual {n // 10}" for n in range(100)]).interval(values)
    assert alone and manuals
    # Ten manuals, each all right or all wrong: the standard error is that of ten cases, 0.158.
    assert manuals.low == pytest.approx(0.5 - 1.96 * math.sqrt(0.25 / 10), abs=0.02)
    assert manuals.high - manuals.low > 2.5 * (alone.high - alone.low)


def test_one_manual_still_shows_the_spread_of_its_cases() -> None:
    interval = ClusterBootstrap(["only"] * 100).interval([1.0, 0.0] * 50)
    assert interval and interval.low < 0.42 and interval.high > 0.58


def test_cases_without_a_value_are_left_out_and_not_counted_as_zero() -> None:
    bootstrap = ClusterBootstrap(["a", "b", "c", "d"], resamples=200)
    assert set(bootstrap.means([1.0, None, 1.0, None])) == {1.0}
    assert bootstrap.interval([None] * 4) is None


def test_the_same_seed_gives_the_same_interval() -> None:
    values = [0.2, 0.4, 0.9, 1.0, None, 0.3]
    clusters = ["a", "a", "b", "b", "c", "c"]
    assert ClusterBootstrap(clusters).interval(values) == ClusterBootstrap(clusters).interval(values)


def test_no_change_is_no_difference_and_a_clear_one_is_found() -> None:
    clusters = [f"manual {n % 5}" for n in range(100)]
    before = [1.0, 0.0] * 50
    same = paired_difference(before, before, clusters)
    assert same and same.mean == 0 and same.p_value == 1 and same.interval.low == same.interval.high == 0
    # One case in five gets worse, equally on each manual: 0.1 of all, standard error sqrt(0.1 * 0.9 / 100).
    after = [0.0 if n % 10 < 1 else value for n, value in enumerate(before)]
    worse = paired_difference(before, after, [str(n) for n in range(100)])
    assert worse and worse.mean == pytest.approx(-0.1) and worse.n == 100
    assert worse.interval.low == pytest.approx(-0.1 - 1.96 * 0.03, abs=0.012)
    assert worse.interval.high < 0 and worse.p_value < 0.01


def test_only_cases_with_a_figure_in_both_runs_are_compared() -> None:
    difference = paired_difference([1.0, None, 0.0], [0.0, 1.0, None], ["a", "b", "c"])
    assert difference and difference.n == 1 and difference.mean == -1
    assert paired_difference([None], [1.0], ["a"]) is None
