"""Points as text: rows of labels and values, for tables, pages and the command line."""

from __future__ import annotations

import json
from collections.abc import Container, Sequence

from search.problem import JSON, Objective, Point

__all__ = ["describe", "format_value", "shared_texts"]


def describe(point: Point, objectives: Sequence[Objective], omit: Container[str] = ()) -> dict[str, str]:
    """Lay out a finished trial as rows of text.

    Args:
        point: the trial.
        objectives: those of the problem.
        omit: names of attributes to leave out.

    Returns:
        Texts by label, in the order trial, objectives, choice, attributes, and `feasible: no` for an infeasible point.
        A label that comes again is followed by what it is, such as `trial (choice)`.
    """
    rows = {"trial": str(point.number)}

    def add(label: str, kind: str, text: str) -> None:
        label = label if label not in rows else f"{label} ({kind})"
        rows.setdefault(label, text)

    for objective, value in zip(objectives, point.values, strict=True):
        add(objective.label, "objective", format_value(value))
    for name, value in point.choice.items():
        add(name, "choice", str(value))
    for name, attribute in point.attributes.items():
        # An attribute that repeats a row's figure, as the name of an objective without a unit may, is not shown twice.
        if name not in omit and rows.get(name) != format_value(attribute):
            add(name, "attribute", format_value(attribute))
    if not point.feasible:
        add("feasible", "constraints", "no")
    return rows


def shared_texts(points: Sequence[Point]) -> dict[str, str]:
    """Find attributes that are the same text in every point, such as hashes: facts about the whole study.

    Args:
        points: finished trials of one study.

    Returns:
        The texts by the attributes' names; empty for fewer than two points.
    """
    if len(points) < 2:
        return {}
    first = {name: text for name, text in points[0].attributes.items() if isinstance(text, str)}
    return {name: text for name, text in first.items() if all(p.attributes.get(name) == text for p in points)}


def format_value(value: JSON) -> str:
    """Format a value for people.

    Args:
        value: a number, a text, or other plain JSON.

    Returns:
        Six significant digits of a float, a whole number with its thousands separated, a text as it is, and JSON of
        anything else.
    """
    if isinstance(value, bool) or value is None:
        return json.dumps(value)
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:.6g}"
    return value if isinstance(value, str) else json.dumps(value)
