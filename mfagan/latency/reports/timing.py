"""What a report says of one measured file."""

import math
from dataclasses import dataclass
from typing import Literal

from mfagan.errors import InputError

__all__ = ["Delegation", "Statistic", "Timing", "spread_of_deviation", "spread_of_percentiles"]

Statistic = Literal["median", "mean"]
Delegation = Literal["all", "part", "none"]
"""How much of a file ran on the delegate that was asked for."""

_QUARTILE = 0.6745
_TWENTIETH = 1.6449
"""Distances from a normal distribution's median, in standard deviations, of its quartiles and of its 5th percentile."""


@dataclass(frozen=True)
class Timing:
    """The latency of one file, as a tool reported it.

    Args:
        latency_ms: the statistic, in ms.
        statistic: which one the tool reports: the median, or the mean if it writes no other.
        spread_ms: half of the interquartile range in ms, if times were normally distributed with the tool's width.
        repeats: how many runs were timed.
        model_mb: the size of the measured file in units of 1e6 bytes, or None if the tool does not say.
        delegation: how much ran on a delegate, or None if the tool does not say.

    Raises:
        InputError: a time that is not a positive number, or no run.
    """

    latency_ms: float
    statistic: Statistic
    spread_ms: float
    repeats: int
    model_mb: float | None = None
    delegation: Delegation | None = None

    def __post_init__(self) -> None:
        if not (math.isfinite(self.latency_ms) and self.latency_ms > 0):
            raise InputError(f"its {self.statistic} is {self.latency_ms} ms: a latency is a positive number")
        if not (math.isfinite(self.spread_ms) and self.spread_ms >= 0):
            raise InputError(f"its spread is {self.spread_ms} ms: a spread is 0 or a positive number")
        if self.repeats < 1:
            raise InputError(f"it counts {self.repeats} runs: a measurement has 1 or more")


def spread_of_deviation(deviation: float) -> float:
    """Half of the interquartile range of a normal distribution.

    Args:
        deviation: its standard deviation.
    """
    return _QUARTILE * deviation


def spread_of_percentiles(p5: float, p95: float) -> float:
    """Half of the interquartile range of a normal distribution.

    Args:
        p5: its 5th percentile.
        p95: its 95th percentile.
    """
    return (p95 - p5) / 2 * _QUARTILE / _TWENTIETH
