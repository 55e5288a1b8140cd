"""What several studies keep of quality at a share of their largest choices' cost, in one figure."""

from __future__ import annotations

import html
import textwrap
from collections.abc import Sequence

import plotly.graph_objects as go

from search.problem import Objective
from search.report.figures.figure_style import NEUTRAL, PALETTE, finish
from search.report.figures.quality_shares import StudyShares
from search.report.text.point_text import format_value

__all__ = ["SYMBOLS", "shares_figure"]

SYMBOLS = ("circle", "square", "diamond", "triangle-up", "cross", "star")
"""The marks of the first, the second, ... study; the next has the first again."""
_ROOM = 0.06
_CHOICE_CHARACTERS = 44


def shares_figure(studies: Sequence[StudyShares], cost: int, whole: str) -> go.Figure:
    """Draw the front of each study as a line: x is the share of a cost and y the share of quality kept.

    The largest choices are all at (1, 1), which is marked. The y axis has the same range for every cost.

    Args:
        studies: one or more, of the same costs.
        cost: the index of the cost.
        whole: what people call the largest choice.

    Returns:
        The figure, which needs no network.
    """
    figure = go.Figure()
    for i, study in enumerate(studies):
        best = study.front(cost)
        colour = PALETTE[i % len(PALETTE)]
        figure.add_trace(
            go.Scatter(
                x=[study.shares[cost][row] for row in best],
                y=[study.kept[row] for row in best],
                name=html.escape(f"{study.name} ({len(best)})"),
                mode="lines+markers",
                line={"color": colour, "width": 2},
                marker={"color": colour, "size": 8, "symbol": SYMBOLS[i % len(SYMBOLS)]},
                hovertext=[_hover(study, row) for row in best],
                hovertemplate="%{hovertext}<extra></extra>",
            )
        )
    figure.add_trace(
        go.Scatter(
            x=[1],
            y=[1],
            name=html.escape(whole),
            mode="markers",
            marker={"symbol": "cross-thin", "size": 18, "line": {"color": NEUTRAL, "width": 3}},
            hoverinfo="skip",
        )
    )
    for axis in ("h", "v"):
        line = {"line": {"color": NEUTRAL, "width": 1, "dash": "dot"}, "layer": "below"}
        figure.add_shape(type="line", **_ends(axis), **line)
    title = studies[0].costs[cost].title or studies[0].costs[cost].name
    finish(figure, f"Share of {_in_sentence(title)}", "Share of quality kept")
    across = [study.shares[cost][row] for study in studies for row in study.front(cost)]
    up = [study.kept[row] for study in studies for i in range(len(study.costs)) for row in study.front(i)]
    figure.update_xaxes(range=_range(across), tickformat=".3~%", nticks=6)
    figure.update_yaxes(range=_range(up), tickformat=".3~%", nticks=7)
    return figure


def _hover(study: StudyShares, row: int) -> str:
    point = study.points[row]
    lines = [f"<b>{html.escape(study.name)}</b>, trial {point.number}"]
    figures = [(study.quality, point.values[0], study.kept[row], " kept")]
    figures += [
        (cost, values[row], shares[row], "")
        for cost, values, shares in zip(study.costs, study.values, study.shares, strict=True)
    ]
    lines += [_figure_text(*one) for one in figures]
    choice = ", ".join(f"{name} {option}" for name, option in point.choice.items())
    return "<br>".join([*lines, *map(html.escape, textwrap.wrap(choice, _CHOICE_CHARACTERS))])


def _figure_text(objective: Objective, value: float, share: float, suffix: str) -> str:
    whole = int(value) if not objective.unit and value.is_integer() else value
    shown = f"{objective.title or objective.name} {format_value(whole)} {objective.unit}".rstrip()
    return html.escape(f"{shown}: {share:.1%}{suffix}")


def _ends(axis: str) -> dict[str, object]:
    """A line across the figure at 1, horizontal or vertical."""
    if axis == "h":
        return {"xref": "paper", "x0": 0, "x1": 1, "y0": 1, "y1": 1}
    return {"yref": "paper", "y0": 0, "y1": 1, "x0": 1, "x1": 1}


def _in_sentence(title: str) -> str:
    """`Latency` as `latency`, `MACs` as it is."""
    return title[0].lower() + title[1:] if title[1:] == title[1:].lower() else title


def _range(shares: Sequence[float]) -> list[float]:
    """From the least to the greatest share with some room; 1 is always inside."""
    low, high = min([1.0, *shares]), max([1.0, *shares])
    room = _ROOM * (high - low) if high > low else _ROOM
    return [max(0.0, low - room) if low >= 0 else low - room, high + room]
