"""Intervals of the trials' values."""

from __future__ import annotations

from collections.abc import Sequence

from search.problem import Case, Objective, Point
from search.uncertainty import Interval, Resamples, count_groups

__all__ = ["mean_intervals"]

_CHUNK = 500
"""Points that are resampled together, 8 MB of means."""


def mean_intervals(
    points: Sequence[Point], objectives: Sequence[Objective], cases: Sequence[Case]
) -> list[list[tuple[float, float] | None]]:
    """Compute the interval of each trial's values.

    Args:
        points: distinct trials.
        objectives: those of the problem.
        cases: what the points were scored on.

    Returns:
        For each objective the ends of the 95 % interval of each point, None for a point without scores; an empty list
        for an objective without any.
    """
    return [_intervals(points, objective, cases) for objective in objectives]


def _intervals(
    points: Sequence[Point], objective: Objective, cases: Sequence[Case]
) -> list[tuple[float, float] | None]:
    scored = [point for point in points if cases and len(point.scores.get(objective.name, ())) == len(cases)]
    if not scored or count_groups(cases) < 2:
        return []
    found: dict[int, tuple[float, float]] = {}
    for start in range(0, len(scored), _CHUNK):
        some = scored[start : start + _CHUNK]
        resamples = Resamples(some, objective, cases)
        found |= {point.number: _ends(resamples.mean(point.number)) for point in some}
    return [found.get(point.number) for point in points]


def _ends(interval: Interval) -> tuple[float, float]:
    return _round(interval.low), _round(interval.high)


def _round(number: float) -> float:
    return float(f"{number:.6g}")
