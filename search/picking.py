"""Picks one point of a study: by its trial number, within a budget, or at the front's knee."""

from __future__ import annotations

import math
from collections.abc import Sequence

from search import pareto
from search.errors import SearchError
from search.problem import Objective, Point

__all__ = ["pick"]


def pick(
    points: Sequence[Point],
    objectives: Sequence[Objective],
    *,
    trial: int | None = None,
    at_most: tuple[str, float] | None = None,
    knee: bool = False,
) -> Point:
    """Pick one of a study's finished trials by exactly one criterion.

    Args:
        points: the finished trials.
        objectives: those of the problem.
        trial: pick the trial of this number, feasible or not.
        at_most: pick within a budget, given as the name of a minimised objective and a number in its unit: the
            feasible point that is best in the first objective.
        knee: pick the knee of the front of two objectives.

    Returns:
        The point.

    Raises:
        SearchError: there is no such point, or not exactly one criterion is given.
    """
    if (trial is not None) + (at_most is not None) + knee != 1:
        raise SearchError("pick by exactly one of: a trial number, a budget, the knee")
    if trial is not None:
        return _by_trial(points, trial)
    feasible = [point for point in points if point.feasible]
    if not feasible:
        raise SearchError(f"none of the {len(points)} finished trials is feasible: run more trials")
    if at_most is not None:
        return _by_budget(feasible, objectives, *at_most)
    return pareto.knee(pareto.front(feasible, objectives), objectives)


def _by_trial(points: Sequence[Point], trial: int) -> Point:
    for point in points:
        if point.number == trial:
            return point
    if not points:
        raise SearchError(f"trial {trial} has not finished, nor has any other: run the search first")
    first, last = min(p.number for p in points), max(p.number for p in points)
    raise SearchError(
        f"trial {trial} is not a finished trial: {len(points)} finished, numbers {first} to {last}"
    )


def _by_budget(points: Sequence[Point], objectives: Sequence[Objective], name: str, budget: float) -> Point:
    minimised = [objective.name for objective in objectives if objective.direction == "minimize"]
    if name not in minimised:
        raise SearchError(f"there is no minimised objective {name!r} to limit: choose from {minimised}")
    column = [objective.name for objective in objectives].index(name)
    unit = objectives[column].unit
    if math.isnan(budget):
        raise SearchError(f"the budget of {name} is {budget!r}: give a number in {unit or 'its unit'}")
    within = [point for point in points if point.values[column] <= budget]
    if not within:
        smallest = min(point.values[column] for point in points)
        shown = f"{smallest:.6g}" if float(f"{smallest:.6g}") >= smallest else repr(smallest)
        raise SearchError(
            f"no finished trial has {name} of at most {float(budget):.6g} {unit}".rstrip()
            + f": the smallest is {shown} {unit}".rstrip()
            + "; raise the budget or run more trials"
        )
    sign = -1 if objectives[0].direction == "maximize" else 1
    return min(within, key=lambda point: (sign * point.values[0], point.values[column], point.number))
