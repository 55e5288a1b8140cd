"""One line on a study's front, which commands and pages share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from search import pareto
from search.uncertainty import find_ties, has_scores

if TYPE_CHECKING:
    from search.study import StudyRecord

__all__ = ["count_front"]


def count_front(record: StudyRecord) -> str:
    """Count the points of a study's front, and those among them that are no ties (`search.uncertainty.find_ties`).

    Args:
        record: the study.

    Returns:
        Such as `11 on the front, 4 of them distinguishable`; without the second half if no scores were kept or the
        front has fewer than two points.
    """
    front = pareto.front(record.points, record.objectives)
    text = f"{len(front)} on the front"
    if len(front) < 2 or not any(has_scores(front, one, record.cases) for one in record.objectives):
        return text
    ties = find_ties(front, record.objectives, record.cases)
    return f"{text}, {len(front) - len(ties)} of them distinguishable"
