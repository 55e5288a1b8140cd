"""Picks one point of a study, and says why it is that one."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from search import pareto
from search.errors import SearchError
from search.picking.limits import Limit, apply_limits, describe_limits
from search.picking.number_text import short_number
from search.problem import Case, Objective, Point
from search.uncertainty import Resamples, count_groups, has_scores

__all__ = ["Pick", "choose", "pick"]


@dataclass(frozen=True)
class Pick:
    """A point that was picked.

    Attributes:
        point: the point.
        reason: one line that says why, such as `trial 137: best PSNR-Y under 20 ms, 0.12 dB below the next`.
    """

    point: Point
    reason: str


def pick(
    points: Sequence[Point],
    objectives: Sequence[Objective],
    *,
    trial: int | None = None,
    at_most: tuple[str, float] | None = None,
    knee: bool = False,
) -> Point:
    """Pick one of a study's finished trials by exactly one criterion; `choose` knows more of them and says why.

    Args:
        points: the finished trials.
        objectives: those of the problem.
        trial: pick the trial of this number, feasible or not.
        at_most: pick within a budget, given as the name of a minimised objective and a number in its unit: the
            feasible point that is best in the first objective that is not limited.
        knee: pick the knee of the front of two objectives.

    Returns:
        The point.

    Raises:
        SearchError: there is no such point, or not exactly one criterion is given.
    """
    if (trial is not None) + (at_most is not None) + knee != 1:
        raise SearchError("pick by exactly one of: a trial number, a budget, the knee")
    if at_most is None:
        return choose(points, objectives, trial=trial, knee=knee).point
    minimised = [objective.name for objective in objectives if objective.direction == "minimize"]
    if at_most[0] not in minimised:
        raise SearchError(f"there is no minimised objective {at_most[0]!r} to limit: choose from {minimised}")
    return choose(points, objectives, limits=[Limit(*at_most)]).point


def choose(
    points: Sequence[Point],
    objectives: Sequence[Objective],
    *,
    trial: int | None = None,
    limits: Sequence[Limit] = (),
    knee: bool = False,
    weights: Mapping[str, float] | None = None,
    one_standard_error: bool = False,
    cases: Sequence[Case] = (),
) -> Pick:
    """Pick one of a study's finished trials, and say why it is that one.

    Limits alone pick the best point that they admit in the first objective that has no limit, or in the first of all
    if each has one (the epsilon-constraint method; Haimes et al., 1971): a ceiling on the latency gives the best
    quality, a floor under the quality the lowest latency. With the knee, weights or one standard error, limits restrict
    what is picked among.

    Args:
        points: the finished trials.
        objectives: those of the problem.
        trial: pick the trial of this number, feasible or not; without limits.
        limits: limits that the point must keep.
        knee: pick the knee of two objectives (`search.pareto.knee`) on the front of the points that are admitted.
        weights: pick the point of the lowest weighted sum of losses. An objective's loss is how far a point is from
            the front's best value in it, as a share of the range of the whole front, whatever the limits are: 0 at
            the front's best value, 1 at its worst. Weights by the objectives' names, 0 for those left out; only
            their ratios count.
        one_standard_error: pick the cheapest point of the front that is within one standard error of the best in the
            first objective (Breiman et al., 1984, section 3.4.3). It is the standard error of the difference between
            the two points, case by case: that of a mean would mostly tell how much the cases differ from each other.
            Cheapest is the lowest in the first objective without scores.
        cases: what the points were scored on, as the study's record holds them: with them and with scores,
            differences come with an interval of 95 %; needed for one standard error.

    Returns:
        The point and the reason.

    Raises:
        SearchError: there is no such point, or not exactly one criterion is given.
    """
    criteria = (trial is not None) + knee + (weights is not None) + one_standard_error
    if criteria > 1 or (criteria == 0 and not limits):
        raise SearchError(
            "pick by exactly one of: a trial number, the knee, weights, one standard error, limits alone"
        )
    if trial is not None:
        if limits:
            raise SearchError("a trial that is picked by its number is not limited: give one of the two")
        return Pick(_by_trial(points, trial), f"trial {trial}: picked by its number")
    feasible = [point for point in points if point.feasible]
    if not feasible:
        raise SearchError(f"none of the {len(points)} finished trials is feasible: run more trials")
    front = pareto.front(feasible, objectives)
    admitted = pareto.front(apply_limits(feasible, objectives, limits), objectives)
    under = " ".join(["", describe_limits(limits, objectives)]).rstrip()
    if one_standard_error:
        return _within_one_standard_error(admitted, objectives, cases, under)
    column = 0
    if knee:
        point, why = pareto.knee(admitted, objectives), f"knee of the front{under}"
    elif weights is not None:
        point = _by_weights(admitted, front, objectives, weights)
        shown = ", ".join(f"{_title(objectives, name)} {weight:g}" for name, weight in weights.items())
        why = f"lowest weighted loss ({shown}){under}"
    else:
        limited = {limit.name for limit in limits}
        free = [i for i, objective in enumerate(objectives) if objective.name not in limited]
        column = free[0] if free else 0
        point = _best(admitted, objectives, column)
        why = f"best {objectives[column].title or objectives[column].name}{under}"
    return Pick(
        point, f"trial {point.number}: {why}, {_beside_next(point, front, objectives, column, cases)}"
    )


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


def _best(points: Sequence[Point], objectives: Sequence[Objective], column: int) -> Point:
    """The best point in one objective; of equal ones the best in the others, in their order."""
    rows = pareto.losses([point.values for point in points], [one.direction for one in objectives])
    order = [column, *(i for i in range(len(objectives)) if i != column)]
    return min(zip(rows[:, order].tolist(), points, strict=True), key=lambda row: (row[0], row[1].number))[1]


def _by_weights(
    points: Sequence[Point],
    front: Sequence[Point],
    objectives: Sequence[Objective],
    weights: Mapping[str, float],
) -> Point:
    names = [objective.name for objective in objectives]
    unknown = [name for name in weights if name not in names]
    if unknown:
        raise SearchError(f"there is no objective {unknown[0]!r} to weigh: choose from {names}")
    if not all(0 <= weight < math.inf for weight in weights.values()) or not any(weights.values()):
        raise SearchError(
            f"the weights are {dict(weights)}: give numbers of at least 0, one of them above it"
        )
    directions = [objective.direction for objective in objectives]
    whole = pareto.losses([point.values for point in front], directions)
    span = np.ptp(whole, axis=0)
    rows = pareto.losses([point.values for point in points], directions)
    shares = (rows - whole.min(axis=0)) / np.where(span > 0, span, 1.0)
    sums = shares @ [weights.get(name, 0.0) for name in names]
    return points[int(np.argmin(sums))]


def _within_one_standard_error(
    front: Sequence[Point], objectives: Sequence[Objective], cases: Sequence[Case], under: str
) -> Pick:
    objective = objectives[0]
    title = objective.title or objective.name
    if not has_scores(front, objective, cases):
        n_groups = count_groups(cases)
        why = (
            "keeps no scores of its cases" if n_groups == 0 else f"was scored on {n_groups} independent case"
        )
        if n_groups >= 2:
            why = f"has trials without scores of {title}"
        raise SearchError(
            f"one standard error cannot be told, because the study {why}: search again in a new study, scored on 2 "
            "images or more, or pick by limits, the knee or weights"
        )
    costs = [i for i, one in enumerate(objectives) if not has_scores(front, one, cases)]
    best = _best(front, objectives, 0)
    resamples = Resamples(front, objective, cases)
    near = [
        point
        for point in front
        if abs(point.values[0] - best.values[0]) <= resamples.standard_error(point.number, best.number)
    ]
    chosen = _best(near, objectives, costs[0]) if costs else best
    head = f"trial {chosen.number}: "
    if chosen is best:
        return Pick(best, f"{head}best {title}{under}, and no cheaper one is within one standard error of it")
    error = _amount(resamples.standard_error(chosen.number, best.number), objective)
    gap = _difference(chosen, best, objectives, 0, cases)
    return Pick(
        chosen,
        f"{head}cheapest within one standard error ({error}) of trial {best.number}, the best {title}{under}: {gap} it",
    )


def _beside_next(
    point: Point,
    front: Sequence[Point],
    objectives: Sequence[Objective],
    column: int,
    cases: Sequence[Case],
) -> str:
    """How much worse a point is than the next better one of the front in one objective."""
    objective = objectives[column]
    sign = -1.0 if objective.direction == "maximize" else 1.0
    better = [one for one in front if sign * one.values[column] < sign * point.values[column]]
    if not better:
        return f"the best {objective.title or objective.name} of all"
    following = max(better, key=lambda one: (sign * one.values[column], -one.number))
    return f"{_difference(point, following, objectives, column, cases)} the next"


def _difference(
    point: Point, better: Point, objectives: Sequence[Objective], column: int, cases: Sequence[Case]
) -> str:
    """Such as `0.12 dB (0.05 to 0.19) below`."""
    objective = objectives[column]
    text = _amount(abs(better.values[column] - point.values[column]), objective)
    if has_scores([point, better], objective, cases):
        between = Resamples([point, better], objective, cases).difference(better.number, point.number)
        ends = (
            (between.low, between.high)
            if objective.direction == "maximize"
            else (-between.high, -between.low)
        )
        text += f" ({short_number(ends[0], 2)} to {short_number(ends[1], 2)})"
    return f"{text} {'below' if objective.direction == 'maximize' else 'above'}"


def _amount(value: float, objective: Objective) -> str:
    return f"{short_number(value, 2)} {objective.unit}".rstrip()


def _title(objectives: Sequence[Objective], name: str) -> str:
    return next((one.title or name for one in objectives if one.name == name), name)
