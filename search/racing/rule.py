"""When a race drops a choice: a finished point is cheaper, and better by more than the order of the cases explains."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import stdtrit

from search import pareto
from search.problem import Known, Objective, Point

__all__ = ["Rival", "Rivals", "lower_bound"]

Array = NDArray[np.float64]


def lower_bound(differences: ArrayLike, n_cases: int, error_probability: float) -> float:
    """Bound the mean of a difference over all cases from its values on some, drawn without replacement.

    It is the lower end of Student's one-sided interval with the correction for finite populations (Cochran, Sampling
    Techniques, 1977, section 2.6 and equation 2.20).

    Args:
        differences: the difference on each of the drawn cases, of two or more.
        n_cases: how many cases there are.
        error_probability: that the mean over all cases is lower.

    Returns:
        The bound, in the unit of the differences.
    """
    drawn = np.asarray(differences, dtype=np.float64)
    n = len(drawn)
    error = float(drawn.std(ddof=1)) * math.sqrt((1 - n / n_cases) / n)
    return float(drawn.mean() + stdtrit(n - 1, error_probability) * error)


@dataclass(frozen=True)
class Rival:
    """A finished point that a choice is compared with.

    Attributes:
        number: its trial's number.
        scores: its scores on all cases (scored objectives, cases), negated where an objective is minimised.
    """

    number: int
    scores: Array


class Rivals:
    """The finished points that new choices are compared with.

    A choice has as rivals the points that are at least as good in every objective that is foreseen, and of those the
    best in the scored objectives: with one scored objective a single point, which is chosen without a look at the
    order of the cases. A choice is dropped if one rival is better in all scored objectives.
    """

    def __init__(
        self, points: Sequence[Point], objectives: Sequence[Objective], scored: Sequence[str], n_cases: int
    ):
        """Take the points that can be rivals: those that are feasible and have scores on all cases.

        Args:
            points: finished trials.
            objectives: those of the problem.
            scored: the names of the objectives that are scored case by case.
            n_cases: how many cases there are.
        """
        self._points = [
            point
            for point in points
            if point.feasible and all(len(point.scores.get(name, ())) == n_cases for name in scored)
        ]
        self._n_cases = n_cases
        self._signs = np.array([_sign(one) for one in objectives if one.name in scored])
        self._scored = [one.name for one in objectives if one.name in scored]
        self._foreseen = [one for one in objectives if one.name not in scored]
        gains = np.array(
            [[_sign(o) * v for o, v in zip(objectives, p.values, strict=True)] for p in self._points]
        )
        gains = gains.reshape(len(self._points), len(objectives))
        is_scored = np.array([one.name in scored for one in objectives])
        self._means: Array = gains[:, is_scored]  # (points, scored)
        self._costs: Array = -gains[:, ~is_scored]  # (points, foreseen)

    def of(self, known: Known) -> list[Rival]:
        """Find the rivals of a choice.

        Args:
            known: what is foreseen of it.

        Returns:
            The rivals, none if no point is as cheap.
        """
        cost = np.array([-_sign(one) * known.values[one.name] for one in self._foreseen])
        cheaper = np.flatnonzero(np.all(self._costs <= cost, axis=1))
        best = cheaper[pareto.front_mask(self._means[cheaper], ["maximize"] * len(self._scored))]
        _, distinct = np.unique(self._means[best], axis=0, return_index=True)
        return [self._rival(int(best[i])) for i in sorted(distinct)]

    def any(self) -> Rival | None:
        """A point to estimate the value of choices by that have no rival, or None if nothing has finished."""
        return self._rival(0) if self._points else None

    def beats(
        self,
        rival: Rival,
        scores: Mapping[str, Sequence[float]],
        cases: Sequence[int],
        error_probability: float,
    ) -> bool:
        """Whether a rival is better than a choice in every scored objective.

        Args:
            rival: the rival.
            scores: the choice's scores on `cases`, by objective.
            cases: the indices of the cases seen.
            error_probability: that this is said of a choice that is better.

        Returns:
            True if it is.
        """
        differences = rival.scores[:, list(cases)] - self._gains(scores)
        return all(lower_bound(row, self._n_cases, error_probability) > 0 for row in differences)

    def estimate(
        self, rival: Rival, scores: Mapping[str, Sequence[float]], cases: Sequence[int]
    ) -> dict[str, float]:
        """Estimate the value of a choice: that of a finished point, and the mean difference from it on the cases seen.

        Args:
            rival: the finished point.
            scores: the choice's scores on `cases`, by objective.
            cases: the indices of the cases seen.

        Returns:
            The values of the scored objectives by name; worse than those of the rival if that beats the choice.
        """
        differences = (self._gains(scores) - rival.scores[:, list(cases)]).mean(axis=1)
        gains = self._signs * (rival.scores.mean(axis=1) + differences)
        return dict(zip(self._scored, gains.tolist(), strict=True))

    def _gains(self, scores: Mapping[str, Sequence[float]]) -> Array:
        return self._signs[:, None] * np.array([scores[name] for name in self._scored])

    def _rival(self, index: int) -> Rival:
        point = self._points[index]
        return Rival(point.number, self._gains(point.scores))


def _sign(objective: Objective) -> float:
    return 1.0 if objective.direction == "maximize" else -1.0
