"""A bubble chart: its data as plain lists, and the drawing."""

from __future__ import annotations

import html
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import plotly.graph_objects as go

from search.errors import SearchError
from search.report.figures.figure_style import FRONT, NEUTRAL, finish

__all__ = [
    "LARGEST_PX",
    "SMALLEST_PX",
    "Bubble",
    "BubbleData",
    "BubbleSeries",
    "bubble_data",
    "bubble_figure",
]

LARGEST_PX = 70.0
SMALLEST_PX = 6.0


@dataclass(frozen=True)
class Bubble:
    """One circle of the chart.

    Attributes:
        name: its label.
        x: its position on the x axis.
        y: its position on the y axis.
        size: the figure that its area shows, positive.
        hollow: whether it is drawn as a ring, for figures of another kind than the rest.
        details: further texts of the hover box by label.
    """

    name: str
    x: float
    y: float
    size: float
    hollow: bool = False
    details: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class BubbleSeries:
    """Circles to draw.

    Attributes:
        x: positions on the x axis.
        y: positions on the y axis.
        diameter_px: diameters in pixels.
        label: labels, escaped HTML.
        hover: hover texts, escaped HTML.
    """

    x: list[float]
    y: list[float]
    diameter_px: list[float]
    label: list[str]
    hover: list[str]


@dataclass(frozen=True)
class BubbleData:
    """Everything that the figure shows.

    Attributes:
        x_title: the x axis' title, plain text.
        y_title: the y axis' title, plain text.
        size_title: what the areas show, plain text.
        filled: filled circles.
        hollow: rings.
        filled_name: the legend's text for filled circles.
        hollow_name: the legend's text for rings.
        levels: horizontal lines: y and text (escaped HTML).
    """

    x_title: str
    y_title: str
    size_title: str
    filled: BubbleSeries
    hollow: BubbleSeries
    filled_name: str
    hollow_name: str
    levels: list[tuple[float, str]]


def bubble_data(
    bubbles: Sequence[Bubble],
    x_title: str,
    y_title: str,
    size_title: str,
    filled_name: str = "measured",
    hollow_name: str = "quoted",
    levels: Mapping[str, float] | None = None,
) -> BubbleData:
    """Compute the chart of some bubbles.

    Areas are proportional to sizes; the largest circle is 70 px across, and none is smaller than 6 px.

    Args:
        bubbles: one or more.
        x_title: the x axis' title.
        y_title: the y axis' title.
        size_title: what the areas show.
        filled_name: the legend's text for filled circles.
        hollow_name: the legend's text for rings.
        levels: horizontal lines: y by text.

    Returns:
        The chart's data.

    Raises:
        SearchError: there are no bubbles, a position is not finite, or a size is not positive.
    """
    if not bubbles:
        raise SearchError("a bubble chart needs at least 1 bubble and there is none")
    for bubble in bubbles:
        if not (math.isfinite(bubble.x) and math.isfinite(bubble.y)):
            raise SearchError(f"bubble {bubble.name!r} lies at ({bubble.x}, {bubble.y}): give finite figures")
        if not (math.isfinite(bubble.size) and bubble.size > 0):
            raise SearchError(f"bubble {bubble.name!r} has size {bubble.size}: give a positive figure")
    largest = max(bubble.size for bubble in bubbles)

    def series(hollow: bool) -> BubbleSeries:
        chosen = [bubble for bubble in bubbles if bubble.hollow == hollow]
        return BubbleSeries(
            x=[bubble.x for bubble in chosen],
            y=[bubble.y for bubble in chosen],
            diameter_px=[
                round(max(SMALLEST_PX, LARGEST_PX * math.sqrt(bubble.size / largest)), 3) for bubble in chosen
            ],
            label=[html.escape(bubble.name) for bubble in chosen],
            hover=[_hover(bubble) for bubble in chosen],
        )

    return BubbleData(
        x_title,
        y_title,
        size_title,
        series(hollow=False),
        series(hollow=True),
        filled_name,
        hollow_name,
        [(y, html.escape(name)) for name, y in (levels or {}).items()],
    )


def bubble_figure(data: BubbleData) -> go.Figure:
    """Draw a bubble chart, which needs no network.

    Args:
        data: what it shows.

    Returns:
        The figure.
    """
    figure = go.Figure()
    solid = {"color": FRONT, "opacity": 0.55, "line": {"color": FRONT, "width": 1}}
    ring = {"color": "rgba(0,0,0,0)", "line": {"color": NEUTRAL, "width": 2}}
    for name, series, marker in (
        (data.filled_name, data.filled, solid),
        (data.hollow_name, data.hollow, ring),
    ):
        if series.x:
            figure.add_trace(
                go.Scatter(
                    x=series.x,
                    y=series.y,
                    name=html.escape(name),
                    mode="markers+text",
                    text=series.label,
                    textposition="top center",
                    hovertext=series.hover,
                    hovertemplate="%{hovertext}<extra></extra>",
                    marker={**marker, "size": series.diameter_px, "sizemode": "diameter"},
                )
            )
    for y, text in data.levels:
        figure.add_hline(y=y, line={"dash": "dot", "width": 1}, annotation_text=text)
    finish(figure, data.x_title, data.y_title)
    figure.update_layout(xaxis_rangemode="tozero", showlegend=True, legend_itemsizing="constant")
    return figure


def _hover(bubble: Bubble) -> str:
    rows = [f"<b>{html.escape(bubble.name)}</b>"]
    rows += [f"{html.escape(label)} {html.escape(text)}" for label, text in bubble.details.items()]
    return "<br>".join(rows)
