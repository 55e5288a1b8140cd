"""The point that a person's answers speak for, and why."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from search import pareto
from search.picking import Pick
from search.picking.limits import Limit, apply_limits, describe_limits
from search.preference.answers import Answers
from search.preference.process import fit_preferences
from search.problem import Point
from search.uncertainty import has_scores

if TYPE_CHECKING:
    from search.study import StudyRecord

__all__ = ["JUST_NOTICEABLE", "choose_by_eye"]

JUST_NOTICEABLE = 0.75
"""Share of comparisons that the better one wins if the difference is just noticeable: halfway between chance and
certainty, as psychophysics defines it for a choice of two."""


def choose_by_eye(record: StudyRecord, answers: Answers, limits: Sequence[Limit] = ()) -> Pick:
    """Pick the cheapest point of a front that looks no worse than the best: the eye would not tell them apart.

    The best is the point of the highest expected liking among those that the limits admit. A cheaper one is taken if
    the best would be preferred to it in fewer than 75 % of comparisons, by the posterior of Optuna's preferential
    Gaussian process (`fit_preferences`), which counts what the answers leave uncertain. Points that were not compared
    are predicted from those that were: points are described by the objectives with scores, which tell how good their
    results are, or by all objectives if there are no scores.

    Args:
        record: the study.
        answers: the answers, as `read_answers` gives them for this study.
        limits: limits that the point must keep.

    Returns:
        The point and the reason, with how consistent the answers were.

    Raises:
        SearchError: the limits admit no point, or Optuna's process is not installed.
    """
    objectives = record.objectives
    feasible = [point for point in record.points if point.feasible]
    admitted = pareto.front(apply_limits(feasible, objectives, limits), objectives)
    numbers = {point.number for point in admitted}
    compared = [point for point in record.points if point.number in answers.trials]
    points = [*admitted, *(point for point in compared if point.number not in numbers)]
    row = {point.number: i for i, point in enumerate(points)}
    preferred: list[tuple[int, int]] = []
    for one in answers.answers:
        left, right = row[one.left], row[one.right]
        preferred += [(left, right)] if one.better != "right" else []
        preferred += [(right, left)] if one.better != "left" else []
    scored = [i for i, one in enumerate(objectives) if has_scores(points, one, record.cases)]
    features = scored or list(range(len(objectives)))
    liking = fit_preferences(_scale([[point.values[i] for i in features] for point in points]), preferred)
    best = int(np.argmax(liking.mean[: len(admitted)]))
    alike = [i for i in range(len(admitted)) if liking.probability(best, i) < JUST_NOTICEABLE]
    losses = pareto.losses([point.values for point in admitted], [one.direction for one in objectives])
    costs = [i for i in range(len(objectives)) if i not in (scored or [0])]
    chosen = min(alike, key=lambda i: (*losses[i, costs], -liking.mean[i]))
    under = " ".join(["", describe_limits(limits, objectives)]).rstrip()
    why = _explain(admitted[chosen], admitted[best], liking.probability(best, chosen), under)
    return Pick(admitted[chosen], f"{why} ({_describe_answers(answers)})")


def _scale(rows: Sequence[Sequence[float]]) -> NDArray[np.float64]:
    """Columns scaled to [0, 1]."""
    values = np.array(rows, dtype=np.float64)
    span = np.ptp(values, axis=0)
    return (values - values.min(axis=0)) / np.where(span > 0, span, 1.0)


def _explain(chosen: Point, best: Point, probability: float, under: str) -> str:
    if chosen is best:
        return f"trial {best.number}: the one you would like best{under}, and no cheaper one looks as good"
    return (
        f"trial {chosen.number}: the cheapest{under} that looks as good as trial {best.number}, which you would prefer "
        f"in {100 * probability:.0f} % of comparisons"
    )


def _describe_answers(answers: Answers) -> str:
    """Such as `20 answers, 3 of 4 repetitions answered alike`."""
    n_alike, n_repeated = answers.count_consistent()
    text = f"{len(answers.answers)} answers"
    return f"{text}, {n_alike} of {n_repeated} repetitions answered alike" if n_repeated else text
