"""The figure of a Pareto front: its data as plain lists, and the drawing."""

from __future__ import annotations

import html
from collections.abc import Container, Sequence
from dataclasses import dataclass, field

import plotly.graph_objects as go

from search import pareto
from search.errors import SearchError
from search.problem import Case, Objective, Point
from search.report.figures.figure_style import DOMINATED, FRONT, INFEASIBLE, MARK, finish
from search.report.figures.front_gains import Gains, find_gains
from search.report.text.point_text import describe, shared_texts

__all__ = ["FrontData", "Note", "Series", "front_data", "pareto_figure"]


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
class Note:
    """A label in the figure.

    Attributes:
        x: the value of the second objective of the point that it belongs to.
        y: that of the first objective.
        text: escaped HTML.
        above: whether it stands above the point, and not below.
    """

    x: float
    y: float
    text: str
    above: bool = True


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
        notes: labels in the figure.
        gains: which points of the front cannot be told from a cheaper one, and intervals.
    """

    x_title: str
    y_title: str
    dominated: Series
    infeasible: Series
    front: Series
    picked: Series
    connected: bool
    notes: list[Note]
    gains: Gains = field(default_factory=Gains)


def front_data(
    points: Sequence[Point],
    objectives: Sequence[Objective],
    picked: Point | None = None,
    cases: Sequence[Case] = (),
) -> FrontData:
    """Compute the figure of a study's points; x is the second objective and y the first.

    Args:
        points: finished trials.
        objectives: two or more.
        picked: a point to mark.
        cases: what the points were scored on, if scores were kept.

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
        gains=find_gains(best, objectives, cases),
    )


def pareto_figure(data: FrontData) -> go.Figure:
    """Draw the figure of a front, which needs no network.

    Points that cannot be told from a cheaper one are hollow; bars are intervals of the gain over a cheaper one.

    Args:
        data: what it shows.

    Returns:
        The figure.
    """
    figure = go.Figure()
    faint = {"color": DOMINATED, "size": 6, "opacity": 0.55}
    cross = {"color": INFEASIBLE, "size": 6, "symbol": "x-thin-open", "opacity": 0.8}
    ring = {"color": MARK, "size": 18, "symbol": "circle-open", "line": {"width": 3}}
    for name, series, style in (
        ("dominated", data.dominated, {"mode": "markers", "marker": faint}),
        ("infeasible", data.infeasible, {"mode": "markers", "marker": cross}),
        ("Pareto front", data.front, _front_style(data)),
        ("picked", data.picked, {"mode": "markers", "marker": ring}),
    ):
        if series.x:
            label = f"{name} ({len(series.x)})" if name != "picked" else name
            hover = {"hovertext": series.hover, "hovertemplate": "%{hovertext}<extra></extra>"}
            figure.add_trace(go.Scatter(x=series.x, y=series.y, name=label, **hover, **style))
    if data.gains.tied:
        hollow = {"color": FRONT, "size": 9, "symbol": "circle-open", "line": {"width": 2}}
        label = f"can't be told from a cheaper one ({len(data.gains.tied)})"
        figure.add_trace(go.Scatter(x=[None], y=[None], name=label, mode="markers", marker=hollow))
    for note in data.notes:
        figure.add_annotation(
            x=note.x, y=note.y, text=note.text, showarrow=True, ax=0, ay=-32 if note.above else 32
        )
    finish(figure, data.x_title, data.y_title)
    if data.gains.intervals:  # bars that are longer than the figure is high do not make its points small
        heights = [*data.dominated.y, *data.infeasible.y, *data.front.y, *data.picked.y]
        margin = 0.12 * (max(heights) - min(heights))
        figure.update_yaxes(range=[min(heights) - margin, max(heights) + margin])
    return figure


def _front_style(data: FrontData) -> dict[str, object]:
    """How the front is drawn: a line or none, hollow ties, and bars."""
    tied = [i in data.gains.tied for i in range(len(data.front.x))]
    style: dict[str, object] = {
        "mode": "lines+markers" if data.connected else "markers",
        "marker": {
            "color": FRONT,
            "size": 9,
            "symbol": ["circle-open" if tie else "circle" for tie in tied],
            "line": {"color": "white", "width": [2 if tie else 1 for tie in tied]},
        },
        "line": {"color": FRONT, "width": 2},
    }
    if data.gains.intervals:
        ends = [
            (y, y) if interval is None else interval
            for y, interval in zip(data.front.y, data.gains.intervals, strict=True)
        ]
        style["error_y"] = {
            "array": [high - y for y, (_, high) in zip(data.front.y, ends, strict=True)],
            "arrayminus": [y - low for y, (low, _) in zip(data.front.y, ends, strict=True)],
            "color": FRONT,
            "thickness": 1,
            "width": 3,
        }
    return style


def _series(points: Sequence[Point], objectives: Sequence[Objective], omit: Container[str]) -> Series:
    return Series(
        x=[point.values[1] for point in points],
        y=[point.values[0] for point in points],
        hover=[_hover(point, objectives, omit) for point in points],
    )


def _hover(point: Point, objectives: Sequence[Objective], omit: Container[str]) -> str:
    rows = describe(point, objectives, omit).items()
    return "<br>".join(f"<b>{html.escape(label)}</b> {html.escape(text)}" for label, text in rows)


def _notes(best: Sequence[Point], objectives: Sequence[Objective], picked: Point | None) -> list[Note]:
    """Labels of the picked point and of the best value in each of the two objectives drawn."""
    texts: dict[int, list[str]] = {}
    above: dict[int, bool] = {}
    shown = {point.number: point for point in ([*best, picked] if picked else best)}
    upwards = objectives[0].direction == "maximize"
    if picked is not None:
        texts[picked.number] = [f"picked: trial {picked.number}"]
        above[picked.number] = True
    for column in (0, 1) if best else ():
        objective = objectives[column]
        extreme = max if objective.direction == "maximize" else min
        point = extreme(best, key=lambda point: point.values[column])
        text = f"{point.values[column]:.4g} {objective.unit}".rstrip()
        texts.setdefault(point.number, []).append(html.escape(text))
        above.setdefault(point.number, upwards == (column == 0))  # where the front does not go on
    return [
        Note(shown[number].values[1], shown[number].values[0], "<br>".join(lines), above[number])
        for number, lines in texts.items()
    ]
