"""The figure of a Pareto front: its data as plain lists, and the drawing."""

from __future__ import annotations

import html
from collections.abc import Container, Sequence
from dataclasses import dataclass

import plotly.graph_objects as go

from search import pareto
from search.errors import SearchError
from search.problem import Objective, Point
from search.report.figure_style import DOMINATED, FRONT, INFEASIBLE, MARK, finish
from search.report.point_text import describe, format_value, shared_texts

__all__ = ["FrontData", "Series", "front_data", "pareto_figure"]


@dataclass(frozen=True)
class Series:
    """Points to draw.

    Attributes:
        x: values of the second objective.
        y: values of the first objective.
        hover: hover texts, escaped HTML.
    """

    x: list[float]
    y: list[float]
    hover: list[str]


@dataclass(frozen=True)
class FrontData:
    """Everything that the figure shows.

    Attributes:
        x_title: the x axis' title.
        y_title: the y axis' title.
        dominated: feasible points that are not on the front.
        infeasible: infeasible points.
        front: points on the front.
        picked: the point to mark, if there is one.
        connected: whether the front is drawn as a line; not if a front of more objectives is projected on two.
        notes: labels in the figure: x, y and a text (escaped HTML).
    """

    x_title: str
    y_title: str
    dominated: Series
    infeasible: Series
    front: Series
    picked: Series
    connected: bool
    notes: list[tuple[float, float, str]]


def front_data(
    points: Sequence[Point], objectives: Sequence[Objective], picked: Point | None = None
) -> FrontData:
    """Compute the figure of a study's points; x is the second objective and y the first.

    Args:
        points: finished trials.
        objectives: two or more.
        picked: a point to mark.

    Returns:
        The figure's data.

    Raises:
        SearchError: there are fewer than two objectives.
    """
    if len(objectives) < 2:
        raise SearchError(f"a Pareto figure needs 2 objectives and there is {len(objectives)}: add one")
    best = pareto.front(points, objectives)
    common = shared_texts(points)
    on_front = {point.number for point in best}
    feasible = [point for point in points if point.feasible and point.number not in on_front]
    return FrontData(
        x_title=objectives[1].label,
        y_title=objectives[0].label,
        dominated=_series(feasible, objectives, common),
        infeasible=_series([point for point in points if not point.feasible], objectives, common),
        front=_series(best, objectives, common),
        picked=_series([picked] if picked else [], objectives, common),
        connected=len(objectives) == 2,
        notes=_notes(best, objectives, picked),
    )


def pareto_figure(data: FrontData) -> go.Figure:
    """Draw the figure of a front, which needs no network.

    Args:
        data: what it shows.

    Returns:
        The figure.
    """
    figure = go.Figure()
    faint = {"color": DOMINATED, "size": 6, "opacity": 0.55}
    cross = {"color": INFEASIBLE, "size": 6, "symbol": "x-thin-open", "opacity": 0.8}
    strong = {"color": FRONT, "size": 9, "line": {"color": "white", "width": 1}}
    ring = {"color": MARK, "size": 18, "symbol": "circle-open", "line": {"width": 3}}
    mode = "lines+markers" if data.connected else "markers"
    for name, series, style in (
        ("dominated", data.dominated, {"mode": "markers", "marker": faint}),
        ("infeasible", data.infeasible, {"mode": "markers", "marker": cross}),
        (
            "Pareto front",
            data.front,
            {"mode": mode, "marker": strong, "line": {"color": FRONT, "width": 2}},
        ),
        ("picked", data.picked, {"mode": "markers", "marker": ring}),
    ):
        if series.x:
            label = f"{name} ({len(series.x)})" if name != "picked" else name
            hover = {"hovertext": series.hover, "hovertemplate": "%{hovertext}<extra></extra>"}
            figure.add_trace(go.Scatter(x=series.x, y=series.y, name=label, **hover, **style))
    for x, y, text in data.notes:
        figure.add_annotation(x=x, y=y, text=text, showarrow=True, ax=0, ay=-32)
    finish(figure, data.x_title, data.y_title)
    return figure


def _series(points: Sequence[Point], objectives: Sequence[Objective], omit: Container[str]) -> Series:
    return Series(
        x=[point.values[1] for point in points],
        y=[point.values[0] for point in points],
        hover=[_hover(point, objectives, omit) for point in points],
    )


def _hover(point: Point, objectives: Sequence[Objective], omit: Container[str]) -> str:
    rows = describe(point, objectives, omit).items()
    return "<br>".join(f"<b>{html.escape(label)}</b> {html.escape(text)}" for label, text in rows)


def _notes(
    best: Sequence[Point], objectives: Sequence[Objective], picked: Point | None
) -> list[tuple[float, float, str]]:
    """Labels of the picked point and of the best value in each of the two objectives drawn."""
    labels: dict[int, list[str]] = {}
    shown = {point.number: point for point in ([*best, picked] if picked else best)}
    if picked is not None:
        labels[picked.number] = [f"picked: trial {picked.number}"]
    for column in (0, 1) if best else ():
        objective = objectives[column]
        extreme = max if objective.direction == "maximize" else min
        point = extreme(best, key=lambda point: point.values[column])
        text = f"{format_value(point.values[column])} {objective.unit}".rstrip()
        labels.setdefault(point.number, []).append(html.escape(text))
    return [
        (shown[number].values[1], shown[number].values[0], "<br>".join(texts))
        for number, texts in labels.items()
    ]
