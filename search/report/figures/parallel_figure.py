"""Parallel coordinates of choices and objectives: the data as plain lists, and the drawing."""

from __future__ import annotations

import html
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go

from search import pareto
from search.problem import Objective, Point, Value
from search.report.figures.choice_axis import in_order, title_of
from search.report.figures.figure_style import DOMINATED, NEUTRAL, SCALE, finish, shade
from search.report.text.point_text import describe, shared_texts

__all__ = [
    "MOST_FRONT_LINES",
    "MOST_OTHER_LINES",
    "ParallelAxis",
    "ParallelData",
    "ParallelLine",
    "parallel_data",
    "parallel_figure",
]

MOST_FRONT_LINES, MOST_OTHER_LINES = 60, 200
_MOST_TICKS = 15
_BUNDLE = 0.3
"""How far the lines of an option spread, as a share of the distance to the next option."""


@dataclass(frozen=True)
class ParallelAxis:
    """A vertical axis.

    Attributes:
        title: its title, plain text.
        ticks: heights in [0, 1] and their labels, plain text.
    """

    title: str
    ticks: list[tuple[float, str]]


@dataclass(frozen=True)
class ParallelLine:
    """A trial.

    Attributes:
        heights: where it crosses each axis, about 0 to 1.
        value: of the first objective.
        hover: its hover text, escaped HTML.
    """

    heights: list[float]
    value: float
    hover: str


@dataclass(frozen=True)
class ParallelData:
    """Everything that the figure shows.

    Attributes:
        axes: those of the choices, then those of the objectives.
        front: the lines of the front, or some of them.
        dominated: some other lines.
        n_front: points on the front.
        n_dominated: distinct feasible trials that are not on it.
        value_title: the first objective's label, which colours the front, plain text.
    """

    axes: list[ParallelAxis]
    front: list[ParallelLine]
    dominated: list[ParallelLine]
    n_front: int
    n_dominated: int
    value_title: str


def parallel_data(
    points: Sequence[Point],
    objectives: Sequence[Objective],
    choices: Mapping[str, Sequence[Value]],
    titles: Mapping[str, str] | None = None,
) -> ParallelData:
    """Compute the parallel coordinates of a study's distinct feasible trials.

    At most 60 lines of the front and 200 others are drawn. Where there are more, they are ordered by the first
    objective and taken at even steps, both ends included. Lines that share an option lie side by side in that order.

    Args:
        points: finished trials.
        objectives: those of the problem.
        choices: the options of each choice by its name.
        titles: what people read instead of the choices' names.

    Returns:
        The figure's data.
    """
    feasible = pareto.distinct([point for point in points if point.feasible])
    best = pareto.front(feasible, objectives)
    on_front = {point.number for point in best}
    others = [point for point in feasible if point.number not in on_front]
    shown = _thin_out(best, MOST_FRONT_LINES), _thin_out(others, MOST_OTHER_LINES)
    everything = sorted([*shown[0], *shown[1]], key=lambda point: (point.values[0], point.number))
    columns = [in_order(options) for options in choices.values()]
    ranges = [(min(column), max(column)) for column in zip(*(p.values for p in everything), strict=True)]
    common = shared_texts(points)

    def line(point: Point, rank: int) -> ParallelLine:
        side = 2 * rank / max(1, len(everything) - 1) - 1  # -1 to 1
        heights = [
            _height(options.index(point.choice[name]), len(options), side)
            for name, options in zip(choices, columns, strict=True)
        ]
        heights += [_share(value, *ends) for value, ends in zip(point.values, ranges, strict=True)]
        rows = describe(point, objectives, common).items()
        hover = "<br>".join(f"<b>{html.escape(label)}</b> {html.escape(text)}" for label, text in rows)
        return ParallelLine([round(height, 4) for height in heights], point.values[0], hover)

    lines = {point.number: line(point, rank) for rank, point in enumerate(everything)}
    axes = [
        ParallelAxis(title_of(name, titles), _option_ticks(options))
        for name, options in zip(choices, columns, strict=True)
    ]
    ticks = [_number_ticks(*ends) for ends in ranges] or [[] for _ in objectives]
    axes += [ParallelAxis(one.label, marks) for one, marks in zip(objectives, ticks, strict=True)]
    return ParallelData(
        axes,
        [lines[point.number] for point in shown[0]],
        [lines[point.number] for point in shown[1]],
        len(best),
        len(others),
        objectives[0].label,
    )


def parallel_figure(data: ParallelData) -> go.Figure:
    """Draw parallel coordinates, which need no network: the front coloured by the first objective, the others faint.

    Args:
        data: what it shows.

    Returns:
        The figure.
    """
    figure = go.Figure()
    places = list(range(len(data.axes)))
    if data.dominated:
        figure.add_trace(
            go.Scatter(
                x=[x for _ in data.dominated for x in (*places, None)],
                y=[y for line in data.dominated for y in (*line.heights, None)],
                mode="lines",
                line={"color": DOMINATED, "width": 1},
                opacity=0.4,
                name=_count("dominated", len(data.dominated), data.n_dominated),
                hoverinfo="skip",
            )
        )
    values = [line.value for line in data.front]
    for i, line in enumerate(data.front):
        colour = shade(_share(line.value, min(values), max(values)))
        figure.add_trace(
            go.Scatter(
                x=places,
                y=line.heights,
                mode="lines+markers",
                line={"color": colour, "width": 2},
                marker={"color": colour, "size": 4},
                text=line.hover,
                hovertemplate="%{text}<extra></extra>",
                name=_count("Pareto front", len(data.front), data.n_front),
                legendgroup="front",
                showlegend=i == 0,
            )
        )
    if values:
        figure.add_trace(_colour_bar(min(values), max(values), data.value_title))
    for x, axis in enumerate(data.axes):
        for y, label in axis.ticks:
            figure.add_annotation(
                x=x, y=y, text=html.escape(label), showarrow=False, xanchor="right", xshift=-3, font_size=11
            )
    finish(figure)
    figure.update_layout(
        xaxis={
            "tickvals": places,
            "ticktext": [html.escape(axis.title).replace(" (", "<br>(") for axis in data.axes],
            "tickfont": {"size": 12},
            "gridcolor": NEUTRAL,
            "side": "top",
            "range": [-0.4, len(places) - 0.8],
            "showline": False,
            "ticks": "",
        },
        yaxis={"visible": False, "range": [-0.12, 1.12]},
        legend={"y": -0.02, "yanchor": "top"},
        margin={"l": 20, "r": 20},
    )
    return figure


def _thin_out(points: Sequence[Point], most: int) -> list[Point]:
    """The points, or `most` of them at even steps, by the first objective."""
    in_order = sorted(points, key=lambda point: (point.values[0], point.number))
    if len(in_order) <= most:
        return in_order
    return [in_order[i] for i in np.linspace(0, len(in_order) - 1, most).round().astype(int)]


def _height(index: int, n_options: int, side: float) -> float:
    """The height of an option, moved to one side of its bundle of lines (-1 to 1)."""
    step = 1 / max(1, n_options - 1)
    middle = index * step if n_options > 1 else 0.5
    return middle + side * min(_BUNDLE * step, 0.1)


def _share(value: float, low: float, high: float) -> float:
    return (value - low) / (high - low) if high > low else 0.5


def _option_ticks(options: Sequence[Value]) -> list[tuple[float, str]]:
    """The heights of the options, or of some at even steps where labels of all would overlap."""
    step = math.ceil(len(options) / _MOST_TICKS)
    return [
        (round(_height(i, len(options), 0), 4), str(option))
        for i, option in enumerate(options)
        if i % step == 0
    ]


def _number_ticks(low: float, high: float) -> list[tuple[float, str]]:
    if low == high:
        return [(0.5, f"{low:.4g}")]
    return [(share, f"{low + share * (high - low):.4g}") for share in (0.0, 0.25, 0.5, 0.75, 1.0)]


def _count(name: str, n_drawn: int, n_all: int) -> str:
    return f"{name} ({n_drawn:,})" if n_drawn == n_all else f"{name} ({n_drawn:,} of {n_all:,})"


def _colour_bar(low: float, high: float, title: str) -> go.Scatter:
    """An invisible trace that has the bar of colours."""
    return go.Scatter(
        x=[None],
        y=[None],
        mode="markers",
        showlegend=False,
        hoverinfo="skip",
        marker={
            "color": [low],
            "cmin": low,
            "cmax": high,
            "colorscale": SCALE,
            "showscale": True,
            "colorbar": {"title": {"text": html.escape(title), "side": "right"}, "thickness": 12},
        },
    )
