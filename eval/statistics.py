"""How sure a figure is: exact intervals for rates, and a bootstrap that knows that cases share manuals."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaincinv

Floats = NDArray[np.float64]

CONFIDENCE = 0.95
RESAMPLES = 10_000
SEED = 20_240
# Resamples drawn at a time, so that a suite of thousands of cases needs no gigabytes.
_BATCH = 1_000


@dataclass(frozen=True, slots=True)
class Interval:
    """Both ends of a confidence interval."""

    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Difference:
    """How two runs differ on the same cases.

    Attributes:
        mean: of the second run minus the first.
        interval: 95 % percentile interval of it.
        p_value: two-sided, that there is no difference.
        n: cases that both runs have a figure for.
    """

    mean: float
    interval: Interval
    p_value: float
    n: int


def exact_interval(successes: int, n: int, confidence: float = CONFIDENCE) -> Interval:
    """The exact interval of a rate (Clopper and Pearson, Biometrika 26, 1934).

    Args:
        successes: 0 to n.
        n: at least 1.
        confidence: 0 to 1.

    Raises:
        ValueError: the counts are impossible.
    """
    if not 0 <= successes <= n or n < 1:
        raise ValueError(f"{successes} of {n} is no rate")
    tail = (1 - confidence) / 2
    low = 0.0 if successes == 0 else float(betaincinv(successes, n - successes + 1, tail))
    high = 1.0 if successes == n else float(betaincinv(successes + 1, n - successes, 1 - tail))
    return Interval(low, high)


class ClusterBootstrap:
    """Resamples of cases: whole clusters with replacement, then cases with replacement within each draw.

    Both stages (Davison and Hinkley, Bootstrap Methods, 1997, section 3.8), because a plant has few manuals:
    with clusters alone a suite on a single manual would show no spread at all. The same resamples serve
    every metric, so figures of one set of cases can be compared.
    """

    def __init__(self, clusters: Sequence[str], resamples: int = RESAMPLES, seed: int = SEED) -> None:
        """Draws how often each case stands in each resample.

        Args:
            clusters: the cluster of each case, in the order of the values given later.
            resamples: how many.
            seed: the same seed and clusters give the same resamples.

        Raises:
            ValueError: there are no cases.
        """
        if not clusters:
            raise ValueError("a bootstrap needs cases")
        names = {name: number for number, name in enumerate(dict.fromkeys(clusters))}
        member_of = np.array([names[name] for name in clusters])
        members = [np.flatnonzero(member_of == number) for number in range(len(names))]
        random = np.random.default_rng(seed)
        counts = [
            _draw(members, min(_BATCH, resamples - start), random) for start in range(0, resamples, _BATCH)
        ]
        self._counts: NDArray[np.float32] = np.concatenate(counts)

    def means(self, values: Sequence[float | None]) -> Floats:
        """The mean of each resample over the cases that have a value.

        Args:
            values: one a case; None where the metric does not apply.

        Returns:
            Means, shape (resamples,), without resamples that hold no case with a value.
        """
        held = np.array([value is not None for value in values], dtype=np.float32)
        filled = np.array([value or 0.0 for value in values], dtype=np.float32)
        sizes = self._counts @ held
        sums = self._counts @ filled
        kept = sizes > 0
        return (sums[kept] / sizes[kept]).astype(np.float64)

    def interval(self, values: Sequence[float | None]) -> Interval | None:
        """The percentile interval of the mean; None when no case has a value."""
        if all(value is None for value in values):
            return None
        return _percentiles(self.means(values))


def paired_difference(
    before: Sequence[float | None],
    after: Sequence[float | None],
    clusters: Sequence[str],
    resamples: int = RESAMPLES,
    seed: int = SEED,
) -> Difference | None:
    """How much better or worse the second run is on the same cases.

    Args:
        before: values of the first run, one a case.
        after: values of the second run, in the same order.
        clusters: of the cases.
        resamples: how many.
        seed: of the resamples.

    Returns:
        The difference over the cases that have a value in both runs; None when there are none.

    Raises:
        ValueError: the lengths differ.
    """
    pairs = [
        (second - first, cluster)
        for first, second, cluster in zip(before, after, clusters, strict=True)
        if first is not None and second is not None
    ]
    if not pairs:
        return None
    changes = [change for change, _ in pairs]
    means = ClusterBootstrap([cluster for _, cluster in pairs], resamples, seed).means(changes)
    # One is added to both counts, so that no finite number of resamples claims certainty.
    below = (np.count_nonzero(means <= 0) + 1) / (len(means) + 1)
    above = (np.count_nonzero(means >= 0) + 1) / (len(means) + 1)
    return Difference(
        mean=float(np.mean(changes)),
        interval=_percentiles(means),
        p_value=float(min(1.0, 2 * min(below, above))),
        n=len(pairs),
    )


def _draw(
    members: Sequence[NDArray[np.intp]], resamples: int, random: np.random.Generator
) -> NDArray[np.float32]:
    """How often each case stands in each resample, shape (resamples, cases)."""
    cases = sum(len(cluster) for cluster in members)
    counts = np.zeros((resamples, cases), dtype=np.float32)
    drawn = random.integers(len(members), size=(resamples, len(members)))
    for number, cluster in enumerate(members):
        times = (drawn == number).sum(axis=1)
        share = np.full(len(cluster), 1 / len(cluster))
        counts[:, cluster] = random.multinomial(times * len(cluster), share)
    return counts


def _percentiles(means: Floats) -> Interval:
    tail = (1 - CONFIDENCE) / 2 * 100
    low, high = np.percentile(means, [tail, 100 - tail])
    return Interval(float(low), float(high))
