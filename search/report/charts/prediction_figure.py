"""Predicted against measured values: a scatter, with the line on which both are equal."""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass

import plotly.graph_objects as go

from search.report.figures.figure_style import FRONT, NEUTRAL, finish

__all__ = ["PredictionData", "prediction_figure"]


@dataclass(frozen=True)
class PredictionData:
    """What a scatter of predictions shows.

    Attributes:
        names: the points' names, plain text.
        predicted: their predicted values.
        measured: their measured values.
        spread: half the width of their error bars.
        quantity: what the values are, such as `latency`.
        unit: their unit.
    """

    names: Sequence[str]
    predicted: Sequence[float]
    measured: Sequence[float]
    spread: Sequence[float]
    quantity: str
    unit: str


def prediction_figure(data: PredictionData) -> go.Figure:
    """Draw the scatter, which needs no network.

    Args:
        data: what it shows.

    Returns:
        The figure.
    """
    ends = [min(*data.predicted, *data.measured), max(*data.predicted, *data.measured)]
    hover = [
        f"<b>{html.escape(name)}</b><br>predicted {predicted:.6g}<br>measured {measured:.6g} {html.escape(data.unit)}"
        f"<br>error {predicted / measured - 1:+.1%}"
        for name, predicted, measured in zip(data.names, data.predicted, data.measured, strict=True)
    ]
    figure = go.Figure()
    figure.add_trace(
        go.Scatter(
            x=ends, y=ends, mode="lines", name="equal", line={"color": NEUTRAL, "width": 1, "dash": "dot"}
        )
    )
    figure.add_trace(
        go.Scatter(
            x=list(data.measured),
            y=list(data.predicted),
            error_x={"array": list(data.spread), "thickness": 1, "width": 0},
            mode="markers",
            name=f"networks ({len(data.names)})",
            marker={"color": FRONT, "size": 8, "line": {"color": "white", "width": 1}},
            hovertext=hover,
            hovertemplate="%{hovertext}<extra></extra>",
        )
    )
    finish(figure, f"measured {data.quantity} ({data.unit})", f"predicted {data.quantity} ({data.unit})")
    return figure
