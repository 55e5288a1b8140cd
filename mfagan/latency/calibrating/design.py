"""Which networks to measure, so that all others can be priced from them: a Bayesian I-optimal design.

The measured networks minimise the mean variance of the logarithm of all networks' prices, given the prior's covariance
(Chaloner and Verdinelli 1995, *Bayesian Experimental Design: A Review*, section 2.2). They are found by adding the
best one at a time and then exchanging one at a time while that helps (Fedorov 1972, *Theory of Optimal Experiments*,
chapter 3). With the prior's covariance fewer networks than blocks suffice.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mfagan.latency.calibrating.block_prior import BlockPrior, Deviation

__all__ = ["FROM_COSTS", "FROM_TABLE", "Design", "choose_networks"]

FROM_TABLE = Deviation(kind=0.2, part=0.1, own=0.05, noise=0.01)
"""How far a device is expected to be from another device's table."""
FROM_COSTS = Deviation(kind=1, part=1, own=1, noise=0.01)
"""How far a device is expected to be from what the costs of blocks let guess: the networks must tell all prices."""
_GAIN = 1e-9
"""The relative gain below which an exchange does not count."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Design:
    """Networks to measure.

    chosen: their places among the candidates, in the order in which they were found.
    expected_error: the relative standard error of a candidate's price, its root mean square over all, if the device
        is from the prior as far as expected.
    """

    chosen: tuple[int, ...]
    expected_error: float


def choose_networks(
    prior: BlockPrior, candidates: Floats, n: int, expected: Deviation = FROM_TABLE
) -> Design:
    """Choose networks whose latencies tell most of all candidates' prices.

    Args:
        prior: What is believed of the blocks' prices.
        candidates: (candidates, keys): how often each has each block, as `BlockPrior.count` gives it.
        n: How many to choose; from 1 to the number of candidates.
        expected: How far the device is expected to be from the prior.
    """
    covariance, noise = _price_covariance(prior, candidates, expected), expected.noise**2
    chosen: list[int] = []
    for _ in range(n):
        chosen.append(_best(covariance, chosen, noise)[0])
    variance = float(np.trace(_condition(covariance, chosen, noise)))
    improved = n < len(candidates)
    while improved:
        improved = False
        for place in range(n):
            others = [*chosen[:place], *chosen[place + 1 :]]
            candidate, reached = _best(covariance, others, noise)
            if reached < variance * (1 - _GAIN):
                chosen[place], variance, improved = candidate, reached, True
    return Design(tuple(chosen), float(np.sqrt(variance / len(candidates))))


def _price_covariance(prior: BlockPrior, candidates: Floats, expected: Deviation) -> Floats:
    """Covariance of the logarithms of the candidates' prices: each block moves a price by its share of it."""
    prices = candidates * prior.latency_ms
    shares = prices / prices.sum(axis=1, keepdims=True)
    return shares @ prior.covariance(expected) @ shares.T


def _best(covariance: Floats, measured: list[int], noise: float) -> tuple[int, float]:
    """The candidate to measure beside others, and the total variance that is left then; noise is a variance."""
    left = _condition(covariance, measured, noise)
    reduced = (left**2).sum(axis=0) / (np.diag(left) + noise)
    reduced[measured] = -np.inf
    best = int(np.argmax(reduced))
    return best, float(np.trace(left) - reduced[best])


def _condition(covariance: Floats, measured: list[int], noise: float) -> Floats:
    """The covariance that is left after networks were measured."""
    seen = covariance[:, measured]
    noisy = covariance[np.ix_(measured, measured)] + noise * np.eye(len(measured))
    return covariance - seen @ np.linalg.solve(noisy, seen.T)
