"""A bubble chart of named things: its data first, as plain lists, then the drawing."""

from __future__ import annotations

import html
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import plotly.graph_objects as go

from search.errors import SearchError
from search.report.pareto_figure import AXIS, FONT, FRONT_COLOUR, INK

LARGEST_PX = 70.0
SMALLEST_PX = 6.0


@dataclass(frozen=True)
class Bubble:
    """One thing: its place, the figure its area shows, and what else is said of it (label -> text).

    hollow: drawn as a ring, for figures that are of another kind than the rest.
    """

    name: str
    x: float
    y: float
    size: float
    hollow: bool = False
    details: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class BubbleSeries:
    """Circles to draw; `label` and `hover` are HTML, escaped."""

    x: list[float]
    y: list[float]
    diameter_px: list[float]
    label: list[str]
    hover: list[str]


@dataclass(frozen=True)
class BubbleData:
    """All that the figure shows. Titles are plain text, `levels` are horizontal lines: y and text (escaped)."""

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
    """The figure of some bubbles: areas are proportional to sizes, the largest is 70 px across, none under 6.

    SearchError: no bubbles, a place that is not finite, a size that is not positive.
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
    """Draw the data; the figure needs nothing from the network."""
    figure = go.Figure()
    solid = {"color": FRONT_COLOUR, "opacity": 0.55, "line": {"color": FRONT_COLOUR, "width": 1}}
    ring = {"color": "rgba(0,0,0,0)", "line": {"color": INK, "width": 2}}
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
        figure.add_hline(y=y, line={"color": INK, "dash": "dot", "width": 1}, annotation_text=text)
    figure.update_layout(
        template="plotly_white",
        font=FONT,
        xaxis={**AXIS, "title": {"text": html.escape(data.x_title)}, "rangemode": "tozero"},
        yaxis={**AXIS, "title": {"text": html.escape(data.y_title)}},
        showlegend=True,
        legend={"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom", "itemsizing": "constant"},
        hoverlabel={"align": "left", "bgcolor": "white", "font": {"color": INK}},
        margin={"l": 70, "r": 30, "t": 50, "b": 60},
        height=560,
    )
    return figure


def _hover(bubble: Bubble) -> str:
    rows = [f"<b>{html.escape(bubble.name)}</b>"]
    rows += [f"{html.escape(label)} {html.escape(text)}" for label, text in bubble.details.items()]
    return "<br>".join(rows)
