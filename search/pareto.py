"""Pareto dominance, front, hypervolume and knee, exact for any number of objectives."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from search.errors import SearchError
from search.problem import Objective, Point

__all__ = ["distinct", "dominates", "front", "front_mask", "hypervolume", "knee", "losses"]


def dominates(a: Sequence[float], b: Sequence[float], directions: Sequence[str]) -> bool:
    """Whether one point is at least as good as another in every objective and better in one.

    Args:
        a: the first point (k,).
        b: the second point (k,).
        directions: `maximize` or `minimize` for each objective.

    Returns:
        True if `a` dominates `b`.
    """
    first, second = losses([a, b], directions)
    return bool(np.all(first <= second) and np.any(first < second))


def losses(values: ArrayLike, directions: Sequence[str]) -> NDArray[np.float64]:
    """Turn values into losses, which are all minimised.

    Args:
        values: the points (n, k).
        directions: `maximize` or `minimize` for each objective.

    Returns:
        The losses (n, k): the columns to maximise are negated.
    """
    signs = [-1.0 if direction == "maximize" else 1.0 for direction in directions]
    return np.asarray(values, dtype=np.float64).reshape(-1, len(signs)) * signs


def distinct(points: Sequence[Point]) -> list[Point]:
    """Keep one trial of each choice.

    Args:
        points: finished trials.

    Returns:
        Of the trials of a choice the one with the lowest number; by number.
    """
    first: dict[tuple, Point] = {}
    for point in sorted(points, key=lambda point: point.number):
        first.setdefault(tuple(point.choice.items()), point)
    return list(first.values())


def front_mask(values: ArrayLike, directions: Sequence[str]) -> NDArray[np.bool_]:
    """Find the points that no other point dominates, in O(n log n) for two objectives.

    Args:
        values: the points (n, k).
        directions: `maximize` or `minimize` for each objective.

    Returns:
        True (n,) for each point of the front; of equal points all or none are on it.
    """
    given = losses(values, directions)
    order = np.lexsort(given.T[::-1])  # by the first column, then the second, ...
    in_order = given[order]
    is_new = np.append(np.ones(min(1, len(given)), np.bool_), np.any(in_order[1:] != in_order[:-1], axis=1))
    rows = in_order[is_new]
    keep = np.zeros(len(rows), dtype=np.bool_)
    if rows.shape[1] == 2:
        best_before = np.minimum.accumulate(np.concatenate([[np.inf], rows[:-1, 1]]))[: len(rows)]
        keep = rows[:, 1] < best_before
    else:
        for i, row in enumerate(rows):  # only earlier rows can dominate, and of those the kept ones suffice
            keep[i] = not np.any(np.all(rows[:i][keep[:i]] <= row, axis=1))
    mask = np.zeros(len(given), dtype=np.bool_)
    mask[order] = keep[np.cumsum(is_new) - 1]
    return mask


def front(points: Sequence[Point], objectives: Sequence[Objective]) -> list[Point]:
    """Find the Pareto front of a study.

    Args:
        points: finished trials; a choice that was tried more than once is represented by its lowest trial number.
        objectives: those of the problem.

    Returns:
        The feasible points that no feasible point dominates, by the last objective's value, then by trial number.
    """
    candidates = distinct([point for point in points if point.feasible])
    if not candidates:
        return []
    mask = front_mask([point.values for point in candidates], [o.direction for o in objectives])
    kept = [point for point, on_front in zip(candidates, mask, strict=True) if on_front]
    return sorted(kept, key=lambda point: (point.values[-1], point.number))


def hypervolume(values: ArrayLike, directions: Sequence[str], reference: Sequence[float]) -> float:
    """Compute the exact volume between points and a reference point (Zitzler and Thiele, 1998).

    Args:
        values: the points (n, k), k objectives in their units.
        directions: `maximize` or `minimize` for each objective.
        reference: the reference point (k,); a point that is not better in every objective adds nothing.

    Returns:
        The volume in the product of the objectives' units, 0 without points.
    """
    import moocore  # a fifth of a second, which other users of this module do not need

    rows = losses(values, directions)
    corner = losses([reference], directions)[0]
    inside = rows[np.all(rows < corner, axis=1)]
    return float(moocore.hypervolume(inside, ref=corner)) if len(inside) else 0.0


def knee(front: Sequence[Point], objectives: Sequence[Objective]) -> Point:
    """Find the point of a two-objective front that bulges most beyond the chord between the front's two ends.

    Both axes are scaled to the front's own range, and the distance from the chord is counted positive towards better
    values (Das, 1999), so a front that bulges nowhere gives one of its ends.

    Args:
        front: the front, as `front` returns it.
        objectives: the two objectives.

    Returns:
        The knee; of several the first in the order of `front`.

    Raises:
        SearchError: the front is empty, or there are not two objectives.
    """
    if len(objectives) != 2:
        raise SearchError(
            f"a knee needs 2 objectives and there are {len(objectives)}: pick by trial or budget"
        )
    if not front:
        raise SearchError("the front is empty: no feasible trial has finished; run more trials")
    rows = losses([point.values for point in front], [o.direction for o in objectives])
    span = np.ptp(rows, axis=0)
    scaled = (rows - rows.min(axis=0)) / np.where(span > 0, span, 1.0)  # ends at (0, 1) and (1, 0)
    bulge = 1.0 - scaled.sum(axis=1)
    ordered = sorted(range(len(front)), key=lambda i: (-bulge[i], front[i].values[-1], front[i].number))
    return front[ordered[0]]
