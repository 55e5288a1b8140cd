"""Intervals of the trials' values, and of what tells the points of a front apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from search.problem import Case, Objective, Point
from search.uncertainty import Interval, Resamples, count_groups, has_scores

__all__ = ["Difference", "compare_front", "mean_intervals"]

_CHUNK = 500
"""Points that are resampled together, 8 MB of means."""


@dataclass(frozen=True)
class Difference:
    """The difference of an objective between a point of the front and a cheaper one.

    Attributes:
        other: the row of the cheaper one.
        objective: the index of the objective.
        value: the difference in the objective's unit.
        low: the lower end of its 95 % interval.
        high: the upper end.
    """

    other: int
    objective: int
    value: float
    low: float
    high: float


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


def compare_front(
    front: Sequence[Point],
    objectives: Sequence[Objective],
    cases: Sequence[Case],
    rows: Mapping[int, int],
    ties: Mapping[int, int],
) -> dict[int, Difference]:
    """Compare each point of a front of two objectives with a cheaper one, in the one objective that has scores.

    Args:
        front: the front, as `search.pareto.front` returns it.
        objectives: those of the problem.
        cases: what the points were scored on.
        rows: the row of each trial.
        ties: rows of points that cannot be told from a cheaper one, and the row of that.

    Returns:
        The difference by row: a tie's from its cheaper one, another point's from the next cheaper one that is no tie;
        empty if there are more objectives, or not one with scores.
    """
    scored = [i for i, one in enumerate(objectives) if has_scores(front, one, cases)]
    if len(objectives) != 2 or len(scored) != 1 or len(front) < 2:
        return {}
    (column,) = scored
    cost = 1 - column
    sign = 1 if objectives[cost].direction == "minimize" else -1
    resamples = Resamples(front, objectives[column], cases)
    by_row = {rows[point.number]: point for point in front}
    found: dict[int, Difference] = {}
    last: int | None = None
    for row, point in sorted(by_row.items(), key=lambda item: (sign * item[1].values[cost], item[0])):
        other = ties.get(row, last)
        if other is not None:
            interval = resamples.difference(point.number, by_row[other].number)
            value = point.values[column] - by_row[other].values[column]
            found[row] = Difference(other, column, _round(value), *_ends(interval))
        if row not in ties:
            last = row
    return found


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
