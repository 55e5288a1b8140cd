"""The look that all figures share: fonts, colours, and templates for light and dark backgrounds."""

from __future__ import annotations

import html

import plotly.graph_objects as go
from plotly.colors import sample_colorscale

__all__ = [
    "DARK",
    "DOMINATED",
    "FRONT",
    "INFEASIBLE",
    "LIGHT",
    "MARK",
    "NEUTRAL",
    "PALETTE",
    "SCALE",
    "finish",
    "shade",
]

FRONT, MARK, DOMINATED, INFEASIBLE, NEUTRAL = "#0072B2", "#D55E00", "#9db4cf", "#c9a9a0", "#7b8794"
PALETTE = (FRONT, MARK, "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
"""Colours that the colour-blind tell apart (Okabe and Ito, 2008), without black and yellow, which are not seen on
every background."""

_FAMILY = "system-ui, -apple-system, 'Segoe UI', sans-serif"
_CLEAR = "rgba(0,0,0,0)"
_DARKEST, _LIGHTEST = 0.25, 0.75


def shade(share: float) -> str:
    """Find the colour of a number on the part of viridis that is seen on light and dark backgrounds.

    Args:
        share: from 0 to 1.

    Returns:
        The colour, as plotly writes it.
    """
    place = _DARKEST + (_LIGHTEST - _DARKEST) * min(max(share, 0.0), 1.0)
    return str(sample_colorscale("Viridis", place)[0])


SCALE = [[share, shade(share)] for share in (0.0, 0.25, 0.5, 0.75, 1.0)]
"""The same colours as a scale of plotly's."""


def _template(ink: str, grid: str, paper: str, veil: str) -> go.layout.Template:
    axis = {
        "showline": True,
        "linecolor": ink,
        "ticks": "outside",
        "tickcolor": ink,
        "gridcolor": grid,
        "zeroline": False,
        "automargin": True,
    }
    return go.layout.Template(
        layout={
            "paper_bgcolor": _CLEAR,
            "plot_bgcolor": _CLEAR,
            "font": {"family": _FAMILY, "size": 14, "color": ink},
            "colorway": PALETTE,
            "xaxis": axis,
            "yaxis": axis,
            "hoverlabel": {"align": "left", "bgcolor": paper, "bordercolor": grid, "font": {"color": ink}},
            "legend": {"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom"},
            "margin": {"l": 70, "r": 30, "t": 50, "b": 60},
            "annotationdefaults": {"arrowhead": 0, "arrowcolor": ink, "bgcolor": veil},
            "shapedefaults": {"line": {"color": ink, "width": 1}},
        }
    )


LIGHT = _template("#1f2933", "#e3e8ee", "#ffffff", "rgba(255,255,255,0.8)")
"""Dark ink on no background; every figure has it."""
DARK = _template("#e6eaee", "#39424c", "#14181d", "rgba(20,24,29,0.8)")
"""Light ink on no background; a dark page gives it to a figure as its `layout.template`."""


def finish(
    figure: go.Figure, x_title: str | None = None, y_title: str | None = None, height_px: int = 560
) -> None:
    """Give a figure the shared look.

    Args:
        figure: the figure.
        x_title: the title of its x axis, plain text; None leaves the axis as it is.
        y_title: that of its y axis.
        height_px: the figure's height.
    """
    figure.update_layout(template=LIGHT, height=height_px)
    if x_title is not None:
        figure.update_layout(xaxis_title_text=html.escape(x_title))
    if y_title is not None:
        figure.update_layout(yaxis_title_text=html.escape(y_title))
