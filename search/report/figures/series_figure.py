"""Several series of named points, such as two ways to make a network smaller, in one figure."""

from __future__ import annotations

import html
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import plotly.graph_objects as go

from search.errors import SearchError
from search.report.figures.figure_style import NEUTRAL, PALETTE, finish

__all__ = ["NamedPoint", "Series", "SeriesData", "series_figure"]

_SYMBOLS = ("circle", "square", "diamond", "triangle-up", "cross", "star")


@dataclass(frozen=True)
class NamedPoint:
    """One point.

    Attributes:
        name: what it is, plain text.
        x: its place across.
        y: its place up.
        spread: half the width of its error bar across; 0 draws none.
        details: further texts of the hover box by label.
    """

    name: str
    x: float
    y: float
    spread: float = 0.0
    details: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Series:
    """Points that belong together, joined by a line in the order of x.

    Attributes:
        name: of the series, plain text.
        points: one or more.
        named: whether the points' names stand beside them, and not in the hover box alone.
        joined: whether a line joins them.
    """

    name: str
    points: Sequence[NamedPoint]
    named: bool = False
    joined: bool = True


@dataclass(frozen=True)
class SeriesData:
    """What the figure shows.

    Attributes:
        x_title: the x axis' title with its unit, plain text.
        y_title: the y axis' title, likewise.
        series: one or more.
        level: a horizontal line, such as what is reached without any effort; None for none.
        level_name: what it is, plain text.
    """

    x_title: str
    y_title: str
    series: Sequence[Series]
    level: float | None = None
    level_name: str = ""


def series_figure(data: SeriesData) -> go.Figure:
    """Draw the series, which needs no network.

    Args:
        data: what it shows.

    Returns:
        The figure.

    Raises:
        SearchError: there is nothing to draw, or a place is not finite.
    """
    if not any(one.points for one in data.series):
        raise SearchError("a figure of series needs at least 1 point and there is none")
    figure = go.Figure()
    for i, series in enumerate(data.series):
        for point in series.points:
            if not (math.isfinite(point.x) and math.isfinite(point.y)):
                raise SearchError(
                    f"point {point.name!r} of {series.name!r} lies at ({point.x}, {point.y}): give finite figures"
                )
        points = sorted(series.points, key=lambda one: one.x)
        colour = PALETTE[i % len(PALETTE)]
        modes = [*(["lines"] if series.joined else []), "markers", *(["text"] if series.named else [])]
        figure.add_trace(
            go.Scatter(
                x=[one.x for one in points],
                y=[one.y for one in points],
                error_x={
                    "array": [one.spread for one in points],
                    "thickness": 1,
                    "width": 0,
                    "visible": any(one.spread for one in points),
                },
                name=html.escape(f"{series.name} ({len(points)})"),
                mode="+".join(modes),
                text=[html.escape(one.name) for one in points],
                textposition="top center",
                line={"color": colour, "width": 2},
                marker={"color": colour, "size": 9, "symbol": _SYMBOLS[i % len(_SYMBOLS)]},
                hovertext=[_hover(series, one) for one in points],
                hovertemplate="%{hovertext}<extra></extra>",
            )
        )
    if data.level is not None:
        figure.add_hline(
            y=data.level,
            line={"color": NEUTRAL, "dash": "dot", "width": 1},
            annotation_text=html.escape(data.level_name),
        )
    finish(figure, data.x_title, data.y_title)
    figure.update_layout(showlegend=True)
    return figure


def _hover(series: Series, point: NamedPoint) -> str:
    rows = [f"<b>{html.escape(point.name)}</b>", html.escape(series.name)]
    rows += [f"{html.escape(label)} {html.escape(text)}" for label, text in point.details.items()]
    return "<br>".join(rows)
