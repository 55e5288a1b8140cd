"""Expected hypervolume improvement (Emmerich et al., 2006), all objectives minimised."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr
from scipy.stats import qmc

__all__ = ["improvement", "improvement_2d"]

Array = NDArray[np.float64]

_N_SAMPLES = 1024


def improvement_2d(rows: Array, reference: Array, mean: Array, deviation: Array) -> Array:
    """Compute the expected hypervolume improvement in closed form; the first loss is known, the second is modelled.

    Up to a first loss of t, `rows` reach some best second loss f(t); the improvement is the integral of
    max(0, f(t) - y) over t from the choice's own first loss to the reference.

    Args:
        rows: losses (m, 2) of the front.
        reference: the reference point (2,).
        mean: losses (n, 2) of the candidates; the second is the mean of its model.
        deviation: standard deviations (n,) of the second loss.

    Returns:
        The expected improvement (n,).
    """
    rows = rows[np.all(rows < reference, axis=1)]
    rows = rows[np.lexsort((rows[:, 1], rows[:, 0]))]
    best = np.minimum.accumulate(np.append(reference[1], rows[:, 1]))
    starts = np.append(-np.inf, rows[:, 0])
    ends = np.append(rows[:, 0], reference[0])
    widths = np.maximum(0.0, ends - np.maximum(starts, mean[:, :1]))  # (n, segments)
    kept = widths.any(axis=0)
    gap = best[kept] - mean[:, 1:]
    z = gap / deviation[:, None]
    density = np.exp(-0.5 * z**2) / math.sqrt(2 * math.pi)
    return np.sum(widths[:, kept] * np.maximum(0.0, gap * ndtr(z) + deviation[:, None] * density), axis=1)


def improvement(rows: Array, low: Array, reference: Array, mean: Array, deviation: Array) -> Array:
    """Estimate the expected hypervolume improvement: the integral of P(a choice dominates z) over z not yet dominated.

    z are quasi-random samples (Sobol) of the box between an optimistic point and the reference.

    Args:
        rows: losses (m, k) of the front.
        low: the least losses (k,) that were observed or are known.
        reference: the reference point (k,).
        mean: mean losses (n, k) of the candidates.
        deviation: their standard deviations (n, k), 0 for a known loss.

    Returns:
        The expected improvement (n,).
    """
    unit = qmc.Sobol(len(reference), scramble=False).random(_N_SAMPLES)
    low = np.minimum(low, mean.min(axis=0) - deviation.max(axis=0))
    samples = low + unit * (reference - low)
    dominated = np.zeros(len(samples), dtype=np.bool_)
    for row in rows:
        dominated |= np.all(row <= samples, axis=1)
    gains = np.zeros(len(mean))
    sure = np.maximum(deviation, 1e-12)
    for sample in samples[~dominated]:
        gains += np.prod(ndtr((sample - mean) / sure), axis=1)
    return gains * np.prod(reference - low) / len(samples)
