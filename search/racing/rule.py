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

_LEAST_POINTS = 20  # that a pattern is taken from
_LEAST_WITH_PATTERN = 4  # drawn cases: two are left to tell the error by


def lower_bound(
    differences: ArrayLike,
    cases: Sequence[int],
    n_cases: int,
    error_probability: float,
    pattern: ArrayLike | None = None,
) -> float:
    """Bound the mean of a difference over all cases from its values on some, drawn without replacement.

    It is the lower end of Student's one-sided interval with the correction for finite populations (Cochran, Sampling
    Techniques, 1977, section 2.8); with a pattern, that of the regression estimate (section 7.2), whose error is what
    a straight line between difference and pattern leaves.

    Args:
        differences: the difference on each of the drawn cases, of two or more.
        cases: the indices of the drawn cases.
        n_cases: how many cases there are.
        error_probability: that the mean over all cases is lower.
        pattern: a number for each of all cases, in any unit, that tells how much choices tend to differ on it.

    Returns:
        The bound, in the unit of the differences.
    """
    drawn = np.asarray(differences, dtype=np.float64)
    n, n_unseen = len(drawn), n_cases - len(drawn)
    if n_unseen == 0:
        return float(drawn.mean())
    columns = np.ones((n_cases, 1))
    if pattern is not None and n >= _LEAST_WITH_PATTERN:
        columns = np.column_stack([columns, pattern])
    seen = columns[list(cases)]
    unseen = (columns.sum(axis=0) - seen.sum(axis=0)) / n_unseen  # the mean of the others
    inverse = np.linalg.pinv(seen.T @ seen)
    line = inverse @ seen.T @ drawn
    freedom = n - columns.shape[1]
    variance = float(np.sum((drawn - seen @ line) ** 2)) / freedom
    error = math.sqrt(variance * (1 / n_unseen + unseen @ inverse @ unseen))
    least = unseen @ line + stdtrit(freedom, error_probability) * error
    return float((drawn.sum() + n_unseen * least) / n_cases)


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

    Choices differ on some cases more than on others, and much alike: the first principal component of the finished
    points' scores is the pattern by which differences on cases that were not seen are foretold.
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
        whole = [p for p in points if all(len(p.scores.get(name, ())) == n_cases for name in scored)]
        self._points = [point for point in whole if point.feasible]
        self._patterns = [
            _find_pattern([p.scores[o.name] for p in whole]) for o in objectives if o.name in scored
        ]
        directions = [one.direction for one in objectives]
        on_front = pareto.front_mask([point.values for point in self._points], directions)
        self._points = [point for point, is_on in zip(self._points, on_front, strict=True) if is_on]
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
        return all(
            lower_bound(row, cases, self._n_cases, error_probability, pattern) > 0
            for row, pattern in zip(differences, self._patterns, strict=True)
        )

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


def _find_pattern(scores: Sequence[Sequence[float]]) -> Array | None:
    """The first principal component (cases,) of points' scores, or None for few points."""
    if len(scores) < _LEAST_POINTS:
        return None
    rows = np.array(scores, dtype=np.float64)
    return np.linalg.eigh(np.cov(rows, rowvar=False))[1][:, -1]


def _sign(objective: Objective) -> float:
    return 1.0 if objective.direction == "maximize" else -1.0
