"""How much of a difference between points is real: a paired bootstrap over the cases that they were scored on."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, stdtrit

from search.errors import SearchError
from search.problem import Case, Objective, Point

__all__ = ["Interval", "Resamples", "count_groups", "find_ties", "has_scores"]

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Interval:
    """An interval of confidence, in the objective's unit.

    Attributes:
        low: its lower end.
        high: its upper end.
    """

    low: float
    high: float


class Resamples:
    """Means of one objective over resampled cases, the same resamples for every point.

    Groups of cases are drawn with replacement, then cases within each drawn group (the two-stage bootstrap of Davison
    and Hinkley, 1997, section 3.8); without groups it is the usual bootstrap. As all points are resampled together, the
    cases' own difficulty cancels out of differences. Intervals are expanded percentile intervals (Hesterberg, 2015):
    the percentiles are moved outwards, so that for few cases the interval has the width of Student's.
    """

    def __init__(
        self,
        points: Sequence[Point],
        objective: Objective,
        cases: Sequence[Case],
        *,
        confidence: float = 0.95,
        n_resamples: int = 2000,
        seed: int = 0,
    ) -> None:
        """Resample the scores of points.

        Args:
            points: points with scores of the objective.
            objective: the objective.
            cases: what the points were scored on, of two groups or more.
            confidence: of the intervals, between 0 and 1.
            n_resamples: resamples, at least 2.
            seed: at least 0; the same seed draws the same resamples.

        Raises:
            SearchError: a point without such scores, fewer than two groups, or a number out of its range.
        """
        if not 0 < confidence < 1:
            raise SearchError(f"confidence is {confidence!r}: give a number between 0 and 1, such as 0.95")
        if n_resamples < 2:
            raise SearchError(f"n_resamples is {n_resamples!r}: give at least 2")
        n_groups = count_groups(cases)
        if n_groups < 2:
            raise SearchError(f"there is {n_groups} independent case to resample: score on 2 or more")
        for point in points:
            if len(point.scores.get(objective.name, ())) != len(cases):
                raise SearchError(
                    f"trial {point.number} has no scores of {objective.name!r} on {len(cases)} cases"
                )
        weights = _draw_weights(cases, n_resamples, np.random.default_rng(seed))  # (B, n)
        scores = np.array([point.scores[objective.name] for point in points], dtype=np.float64)  # (k, n)
        self._means: Array = weights @ scores.reshape(-1, len(cases)).T  # (B, k)
        self._rows = {point.number: row for row, point in enumerate(points)}
        self._widening = math.sqrt(n_groups / (n_groups - 1))
        tail = float(ndtr(self._widening * stdtrit(n_groups - 1, (1 - confidence) / 2)))
        self._tails = (tail, 1 - tail)

    def mean(self, trial: int) -> Interval:
        """The interval of a point's value.

        Args:
            trial: the number of one of the points.

        Returns:
            The interval.
        """
        return self._interval(self._means[:, self._rows[trial]])

    def difference(self, trial: int, other: int) -> Interval:
        """The interval of the difference between two points.

        Args:
            trial: the number of one of the points.
            other: that of the point whose value is subtracted.

        Returns:
            The interval.
        """
        return self._interval(self._differences(trial, other))

    def standard_error(self, trial: int, other: int) -> float:
        """The standard error of the difference between two points.

        Args:
            trial: the number of one of the points.
            other: that of the other.

        Returns:
            The standard error in the objective's unit, at least 0.
        """
        return float(self._differences(trial, other).std(ddof=1)) * self._widening

    def _differences(self, trial: int, other: int) -> Array:
        return self._means[:, self._rows[trial]] - self._means[:, self._rows[other]]

    def _interval(self, values: Array) -> Interval:
        low, high = np.quantile(values, self._tails)
        return Interval(float(low), float(high))


def count_groups(cases: Sequence[Case]) -> int:
    """Count what is independent among cases.

    Args:
        cases: the cases.

    Returns:
        The number of groups, a case without a group counting as one of its own.
    """
    return len(set(_groups(cases)))


def has_scores(points: Sequence[Point], objective: Objective, cases: Sequence[Case]) -> bool:
    """Whether intervals can be told: there are two groups of cases or more, and all points have scores.

    Args:
        points: points.
        objective: the objective that the scores are of.
        cases: what the points were scored on.

    Returns:
        True if `Resamples` accepts them.
    """
    scored = all(len(point.scores.get(objective.name, ())) == len(cases) for point in points)
    return scored and count_groups(cases) >= 2


def find_ties(
    front: Sequence[Point],
    objectives: Sequence[Objective],
    cases: Sequence[Case],
    *,
    confidence: float = 0.95,
) -> dict[int, int]:
    """Find points of a front that cannot be told from a cheaper one.

    A point is a tie of another if that one is at least as good in every objective without scores, is no tie itself,
    and the interval of the difference holds a value <= 0 in each objective with scores.

    Args:
        front: the front, as `search.pareto.front` returns it.
        objectives: those of the problem.
        cases: what the points were scored on.
        confidence: of the intervals, between 0 and 1.

    Returns:
        For each tie, by its trial's number, that of the nearest cheaper point that it cannot be told from; empty
        if the points have no scores.
    """
    scored = [i for i, one in enumerate(objectives) if has_scores(front, one, cases)]
    if not scored or len(front) < 2:
        return {}
    signs = [1.0 if objective.direction == "maximize" else -1.0 for objective in objectives]
    resamples = {i: Resamples(front, objectives[i], cases, confidence=confidence) for i in scored}
    certain = [i for i in range(len(objectives)) if i not in resamples]

    def cost(point: Point) -> tuple[float, ...]:
        return tuple(-signs[i] * point.values[i] for i in certain)

    def is_better(point: Point, other: Point) -> bool:
        for i in scored:
            interval = resamples[i].difference(point.number, other.number)
            if (interval.low if signs[i] > 0 else -interval.high) > 0:
                return True
        return False

    ties: dict[int, int] = {}
    distinct: list[Point] = []
    for point in sorted(front, key=lambda point: (cost(point), point.number)):
        cheaper = (
            one
            for one in reversed(distinct)
            if all(a <= b for a, b in zip(cost(one), cost(point), strict=True))
        )
        tied = next((one for one in cheaper if not is_better(point, one)), None)
        if tied is None:
            distinct.append(point)
        else:
            ties[point.number] = tied.number
    return ties


def _groups(cases: Sequence[Case]) -> list[tuple[str, str]]:
    """A key for each case, equal for cases of one group."""
    return [("group", case.group) if case.group else ("case", case.name) for case in cases]


def _draw_weights(cases: Sequence[Case], n_resamples: int, rng: np.random.Generator) -> Array:
    """Weights (B, n) of the cases in each resample, of sum 1."""
    keys = _groups(cases)
    members = [[i for i, key in enumerate(keys) if key == group] for group in dict.fromkeys(keys)]
    n_drawn = rng.multinomial(
        len(members), [1 / len(members)] * len(members), size=n_resamples
    )  # (B, groups)
    weights = np.zeros((n_resamples, len(cases)))
    for column, group in enumerate(members):
        shares = [1 / len(group)] * len(group)
        weights[:, group] = rng.multinomial(n_drawn[:, column] * len(group), shares)
    return weights / weights.sum(axis=1, keepdims=True)
