"""Prices of blocks from the latencies of a few whole networks and the prices of another device.

A block's price is the prior's times exp(z): it is never negative, and devices differ by factors. z is normal with the
covariance of `BlockPrior`, and the logarithm of a network's latency is that of its blocks' sum plus noise. How far a
device is from the prior is not known either, so all of `DEVIATIONS` are tried, each with a Gaussian approximation at
its most probable z (Laplace's method), and averaged by how well they explain the measurements (Bishop 2006, *Pattern
Recognition and Machine Learning*, sections 3.4 and 4.4; MacKay 1992, *Bayesian Interpolation*).
"""

import itertools
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mfagan.latency.calibrating.block_prior import BlockPrior, Deviation

__all__ = ["DEVIATIONS", "Calibration", "calibrate", "leave_one_out"]

DEVIATIONS = tuple(
    itertools.starmap(
        Deviation,
        itertools.product((0.05, 0.2, 0.5), (0.03, 0.1, 0.3), (0.01, 0.05, 0.15), (0.005, 0.01, 0.02, 0.04)),
    )
)
"""How far a device may be from its prior, each as probable as the others before anything is measured."""
_STEPS = 30
_TOLERANCE = 1e-8

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Calibration:
    """Prices of blocks on a device, with how sure they are.

    keys: the blocks.
    latency_ms: (len(keys),), positive.
    covariance: (len(keys), len(keys)), of the logarithms of the prices. Blocks that always occur together are
        uncertain one by one and certain in sum, which errors of single blocks can't tell.
    """

    keys: tuple[str, ...]
    latency_ms: Floats
    covariance: Floats

    @property
    def error_ms(self) -> Floats:
        """Standard error of each block's price, in ms."""
        return self.latency_ms * np.sqrt(np.diag(self.covariance))

    def price_with_error(self, keys: Iterable[str]) -> tuple[float, float]:
        """Price of a network and its standard error, both in ms; two standard errors hold 19 of 20 networks.

        Args:
            keys: The network's blocks, each as often as it occurs.

        Raises:
            KeyError: A block that has no price.
        """
        places = {key: i for i, key in enumerate(self.keys)}
        parts_ms = np.zeros(len(self.keys))
        for key in keys:
            parts_ms[places[key]] += self.latency_ms[places[key]]
        return float(parts_ms.sum()), float(np.sqrt(parts_ms @ self.covariance @ parts_ms))


def calibrate(prior: BlockPrior, counts: Floats, latency_ms: Floats) -> Calibration:
    """Price the blocks of a prior from the latencies of networks.

    Args:
        prior: What is believed of the prices.
        counts: (networks, keys): how often each measured network has each block.
        latency_ms: (networks,), positive.
    """
    fits = _fit(prior, counts, latency_ms)
    weights = np.exp(fits.log_evidence - fits.log_evidence.max())
    weights /= weights.sum()
    mean = weights @ fits.factors
    apart = fits.factors - mean
    within = np.tensordot(weights, fits.covariance, axes=1)
    return Calibration(prior.keys, prior.latency_ms * np.exp(mean), within + (weights * apart.T) @ apart)


def leave_one_out(prior: BlockPrior, counts: Floats, latency_ms: Floats) -> Floats:
    """Relative error of each measured network's price, when it is priced from the others.

    Args:
        prior: As in `calibrate`.
        counts: As in `calibrate`; two networks at least.
        latency_ms: As in `calibrate`.

    Returns:
        (networks,): price over latency, less 1.
    """
    every = np.arange(len(latency_ms))
    prices = [
        counts[i] @ calibrate(prior, counts[every != i], latency_ms[every != i]).latency_ms for i in every
    ]
    return np.array(prices) / latency_ms - 1


@dataclass(frozen=True)
class _Fits:
    """One fit for each of `DEVIATIONS`, along the first axis.

    factors: (fits, keys), the most probable logarithms of the blocks' factors.
    covariance: (fits, keys, keys), of these.
    log_evidence: (fits,), how well the deviation explains the measurements, but for a constant.
    """

    factors: Floats
    covariance: Floats
    log_evidence: Floats


def _fit(prior: BlockPrior, counts: Floats, latency_ms: Floats) -> _Fits:
    believed = np.array([prior.covariance(deviation) for deviation in DEVIATIONS])
    noise = np.array([deviation.noise**2 * np.eye(len(latency_ms)) for deviation in DEVIATIONS])
    expected = np.log(np.median(latency_ms / (counts @ prior.latency_ms)))
    fits = _Fits(np.full(believed.shape[:2], expected), believed, np.zeros(len(believed)))
    for _ in range(_STEPS):  # Gauss and Newton
        before = fits.factors
        parts_ms = counts * (prior.latency_ms * np.exp(before))[:, None]  # (fits, networks, keys)
        sums_ms = parts_ms.sum(axis=2)
        slopes = parts_ms / sums_ms[..., None]
        surprise = np.log(latency_ms / sums_ms)[..., None] + slopes @ (before - expected)[..., None]
        seen = slopes @ believed
        spread = seen @ slopes.mT + noise
        explained = np.linalg.solve(spread, surprise)
        misfit = (surprise.mT @ explained)[:, 0, 0]
        fits = _Fits(
            expected + (seen.mT @ explained)[..., 0],
            believed - seen.mT @ np.linalg.solve(spread, seen),
            -(misfit + np.linalg.slogdet(spread)[1]) / 2,
        )
        if np.abs(fits.factors - before).max() < _TOLERANCE:
            break
    return fits
