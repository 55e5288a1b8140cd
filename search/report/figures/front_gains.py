"""What each point of a front gains over a cheaper one, as far as the cases that it was scored on can tell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from search.problem import Case, Objective, Point
from search.uncertainty import Resamples, find_ties, has_scores

__all__ = ["Gains", "find_gains"]


@dataclass(frozen=True)
class Gains:
    """What is real of a front.

    Attributes:
        tied: places in the front of the points that cannot be told from a cheaper one.
        intervals: for each point of the front the 95 % interval of what it gains over a cheaper one, added to that
            one's value; None for the cheapest. Empty if it cannot be told.
        cheaper: the trial of that cheaper one for each point, as `intervals`.
    """

    tied: list[int] = field(default_factory=list)
    intervals: list[tuple[float, float] | None] = field(default_factory=list)
    cheaper: list[int | None] = field(default_factory=list)


def find_gains(front: Sequence[Point], objectives: Sequence[Objective], cases: Sequence[Case]) -> Gains:
    """Find the ties of a front, and the intervals of the first objective if that is the only one with scores.

    The cheaper point is the one that a tie cannot be told from, or else the next cheaper one that is no tie.

    Args:
        front: the front, as `search.pareto.front` returns it.
        objectives: those of the problem.
        cases: what the points were scored on; empty if no scores were kept.

    Returns:
        Ties and intervals, both empty without scores.
    """
    ties = find_ties(front, objectives, cases)
    tied = [place for place, point in enumerate(front) if point.number in ties]
    scored = [has_scores(front, objective, cases) for objective in objectives]
    if len(front) < 2 or scored != [True, False]:
        return Gains(tied)
    resamples = Resamples(front, objectives[0], cases)
    values = {point.number: point.values[0] for point in front}
    intervals: list[tuple[float, float] | None] = []
    compared: list[int | None] = []
    distinct: int | None = None
    for point in _from_the_cheapest(front, objectives[1]):
        cheaper = ties.get(point.number, distinct)
        if cheaper is None:
            intervals.append(None)
        else:
            gain = resamples.difference(point.number, cheaper)
            intervals.append((values[cheaper] + gain.low, values[cheaper] + gain.high))
        compared.append(cheaper)
        distinct = distinct if point.number in ties else point.number
    step = 1 if objectives[1].direction == "minimize" else -1
    return Gains(tied, intervals[::step], compared[::step])


def _from_the_cheapest(front: Sequence[Point], cost: Objective) -> Sequence[Point]:
    return front if cost.direction == "minimize" else list(reversed(front))
