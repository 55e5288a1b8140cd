"""Which pairs of points a person is shown, so that few comparisons tell much."""

from __future__ import annotations

import itertools
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from search import pareto
from search.errors import SearchError
from search.problem import Objective, Point

__all__ = ["MIN_COMPARISONS", "Comparison", "draw_comparisons", "spread_points"]

MIN_COMPARISONS = 5
"""Fewer tell too little."""
_TIMES_SHOWN = 4
"""How often a point is shown on average, repetitions not counted, if the front has enough points."""
_REPEATED = 5
"""One comparison of so many is a repetition of an earlier one with its sides swapped."""


@dataclass(frozen=True)
class Comparison:
    """Two points of which a person says which looks better.

    Attributes:
        left: the number of the trial that is shown on the left.
        right: that on the right.
        scene: the name of the scene whose pictures are shown.
    """

    left: int
    right: int
    scene: str

    @property
    def swapped(self) -> Comparison:
        """The same comparison with its sides swapped."""
        return Comparison(self.right, self.left, self.scene)


def spread_points(front: Sequence[Point], objectives: Sequence[Objective], n_comparisons: int) -> list[Point]:
    """Choose points along a front, far from each other, so few that each is shown often enough.

    The two ends are taken, then again and again the point that is farthest from those taken (Gonzalez, 1985), in
    objectives scaled to the front's range.

    Args:
        front: the front, as `search.pareto.front` returns it.
        objectives: those of the problem.
        n_comparisons: comparisons that a person will make, at least 5.

    Returns:
        Two points or more in the order of the front.

    Raises:
        SearchError: the front has a single point, or there are too few comparisons.
    """
    if n_comparisons < MIN_COMPARISONS:
        raise SearchError(f"{n_comparisons} comparisons tell too little: make at least {MIN_COMPARISONS}")
    if len(front) < 2:
        raise SearchError(
            f"there is {len(front)} point to look at, and a comparison needs 2: run more trials, or raise the limits"
        )
    rows = pareto.losses([point.values for point in front], [one.direction for one in objectives])
    span = np.ptp(rows, axis=0)
    scaled = (rows - rows.min(axis=0)) / np.where(span > 0, span, 1.0)
    n_distinct = n_comparisons - n_comparisons // _REPEATED
    n_points = min(len(front), max(2, 2 * n_distinct // _TIMES_SHOWN))
    taken = [0, len(front) - 1]
    while len(taken) < n_points:
        distances = np.linalg.norm(scaled[:, None] - scaled[taken], axis=2).min(axis=1)
        taken.append(int(distances.argmax()))
    return [front[i] for i in sorted(taken)]


def draw_comparisons(
    points: Sequence[Point], scenes: Sequence[str], n_comparisons: int, seed: int = 0
) -> list[Comparison]:
    """Draw comparisons of points: neighbours, far pairs, and some of them again with their sides swapped.

    Every point is compared with its neighbours, which tells where the eye stops seeing a difference; the other
    pairs are drawn of the points that were shown least, at any distance. Scenes take turns, sides are drawn. A fifth
    of the comparisons are repetitions of earlier ones.

    Args:
        points: the points in the order of the front, at least two.
        scenes: the names of the scenes that every point has a picture of, at least one.
        n_comparisons: how many, at least 5.
        seed: the same seed draws the same comparisons.

    Returns:
        The comparisons in the order they are shown.
    """
    rng = random.Random(seed)
    n_repeats = n_comparisons // _REPEATED
    numbers = [point.number for point in points]
    neighbours = list(itertools.pairwise(numbers))
    rng.shuffle(neighbours)
    pairs = neighbours[: n_comparisons - n_repeats]
    shown = Counter(itertools.chain.from_iterable(pairs))
    drawn = Counter(pairs)
    everything = list(itertools.combinations(numbers, 2))
    while len(pairs) < n_comparisons - n_repeats:
        rng.shuffle(everything)
        pair = min(everything, key=lambda one: (drawn[one], shown[one[0]] + shown[one[1]]))
        pairs.append(pair)
        drawn[pair] += 1
        shown.update(pair)
    rng.shuffle(pairs)
    turns = itertools.cycle(rng.sample(list(scenes), len(scenes)))
    distinct = [Comparison(a, b, next(turns)) for a, b in (rng.sample(pair, 2) for pair in pairs)]
    n_first = max(len(distinct) // 2, n_repeats)
    repeats = [one.swapped for one in rng.sample(distinct[:n_first], n_repeats)]
    later = distinct[n_first:] + repeats
    rng.shuffle(later)
    return distinct[:n_first] + later
