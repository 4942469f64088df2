"""Logistic regression whose weights keep the sign that their meaning gives them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit

Floats = NDArray[np.float64]

# Strength of the ridge penalty, on features of unit variance.
RIDGE = 1.0


@dataclass(frozen=True, slots=True)
class Fit:
    """Weights by feature, on the features' own scale, and the log odds where all are 0."""

    weights: Mapping[str, float]
    bias: float

    def probability(self, features: Mapping[str, float]) -> float:
        """Of the outcome that was learned as 1."""
        odds = self.bias + sum(weight * features[name] for name, weight in self.weights.items())
        return float(expit(odds))


def fit(
    samples: Sequence[Mapping[str, float]],
    outcomes: Sequence[bool],
    counts: Sequence[float],
    signs: Mapping[str, int],
    ridge: float = RIDGE,
) -> Fit:
    """Maximum likelihood with a ridge penalty (Hoerl and Kennard 1970) and bounds on the weights.

    Args:
        samples: the features of each.
        outcomes: True for what is to be recognised.
        counts: how much each sample counts for.
        signs: features to learn from; 1 where the weight must not be negative, -1 where not positive.
        ridge: strength of the penalty.

    Returns:
        The same fit for the same samples on any machine, to four decimals.
    """
    names = list(signs)
    raw = np.array([[sample[name] for name in names] for sample in samples], dtype=np.float64)
    mean, spread = raw.mean(axis=0), raw.std(axis=0)
    spread[spread == 0] = 1.0
    scaled = np.column_stack([(raw - mean) / spread, np.ones(len(raw))])
    wanted, weight = np.array(outcomes, dtype=np.float64), np.array(counts, dtype=np.float64)
    shrunk = np.array([ridge] * len(names) + [0.0])

    def loss(parameters: Floats) -> tuple[float, Floats]:
        odds = scaled @ parameters
        penalty = shrunk * parameters
        value = weight @ (np.logaddexp(0, odds) - wanted * odds) + 0.5 * parameters @ penalty
        return float(value), scaled.T @ (weight * (expit(odds) - wanted)) + penalty

    bounds = [(0, None) if signs[name] > 0 else (None, 0) for name in names]
    found = minimize(
        loss,
        np.zeros(len(names) + 1),
        jac=True,
        method="L-BFGS-B",
        bounds=[*bounds, (None, None)],
        options={"ftol": 1e-12, "gtol": 1e-8, "maxiter": 1000},
    ).x
    weights = found[:-1] / spread
    bias = found[-1] - weights @ mean
    return Fit(
        {name: round(float(w), 4) for name, w in zip(names, weights, strict=True)}, round(float(bias), 4)
    )
