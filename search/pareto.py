"""Pareto dominance, front, hypervolume and knee; O(n log n) for two objectives, exact for any number."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from search.errors import SearchError
from search.problem import Objective, Point


def dominates(a: Sequence[float], b: Sequence[float], directions: Sequence[str]) -> bool:
    """Whether `a` is at least as good as `b` in every objective and better in one."""
    first, second = losses([a, b], directions)
    return bool(np.all(first <= second) and np.any(first < second))


def losses(values: ArrayLike, directions: Sequence[str]) -> NDArray[np.float64]:
    """`values` (n, k) as numbers that are all minimised: columns with direction 'maximize' are negated."""
    signs = [-1.0 if direction == "maximize" else 1.0 for direction in directions]
    return np.asarray(values, dtype=np.float64).reshape(-1, len(signs)) * signs


def front_mask(values: ArrayLike, directions: Sequence[str]) -> NDArray[np.bool_]:
    """For `values` (n, k): True (n,) where no other row dominates; equal rows stand or fall together."""
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
    """The feasible points that no feasible point dominates, by the last objective's value, then trial number.

    A choice that was tried more than once is represented by its lowest trial number.
    """
    distinct: dict[tuple, Point] = {}
    for point in sorted(points, key=lambda point: point.number):
        if point.feasible:
            distinct.setdefault(tuple(point.choice.items()), point)
    candidates = list(distinct.values())
    if not candidates:
        return []
    mask = front_mask([point.values for point in candidates], [o.direction for o in objectives])
    kept = [point for point, on_front in zip(candidates, mask, strict=True) if on_front]
    return sorted(kept, key=lambda point: (point.values[-1], point.number))


def hypervolume(values: ArrayLike, directions: Sequence[str], reference: Sequence[float]) -> float:
    """Exact volume, in the product of the objectives' units, between `values` (n, k) and `reference` (k,).

    Rows that are not better than the reference in every objective add nothing. Two objectives take
    O(n log n); each further one multiplies that by n (slicing: Zitzler, 1999).
    """
    rows = losses(values, directions)
    corner = losses([reference], directions)[0]
    return _volume(rows[np.all(rows < corner, axis=1)], corner)


def knee(front: Sequence[Point], objectives: Sequence[Objective]) -> Point:
    """The point of a two-objective front that bulges most beyond the chord between the front's two ends.

    Both axes are scaled to the front's own range, and the distance from the chord is counted positive
    towards better values (Das, 1999), so a front that nowhere bulges gives one of its ends. Among equals, as
    with one or two points, the first in the order of `pareto.front` is taken.

    Raises SearchError for an empty front or another number of objectives.
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


def _volume(rows: NDArray[np.float64], corner: NDArray[np.float64]) -> float:
    if len(rows) == 0:
        return 0.0
    if rows.shape[1] == 1:
        return float(corner[0] - rows.min())
    rows = rows[np.argsort(rows[:, -1], kind="stable")]
    heights = np.diff(np.append(rows[:, -1], corner[-1]))
    if rows.shape[1] == 2:
        widths = corner[0] - np.minimum.accumulate(rows[:, 0])
        return float(heights @ widths)
    return sum(_volume(rows[: i + 1, :-1], corner[:-1]) * float(h) for i, h in enumerate(heights) if h > 0)
