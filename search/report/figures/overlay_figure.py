"""The fronts of several studies in one figure, such as those of one space on several devices."""

from __future__ import annotations

import html
from collections.abc import Sequence
from typing import TYPE_CHECKING

import plotly.graph_objects as go

from search import pareto
from search.errors import SearchError
from search.report.figures.figure_style import PALETTE, finish
from search.report.text.point_text import describe, shared_texts

if TYPE_CHECKING:
    from search.study import StudyRecord

__all__ = ["overlay_figure", "require_same_objectives"]

_SYMBOLS = ("circle", "square", "diamond", "triangle-up", "cross", "star")


def overlay_figure(records: Sequence[StudyRecord]) -> go.Figure:
    """Draw the front of each study as a line; x is the second objective and y the first.

    Args:
        records: one or more studies of the same objectives.

    Returns:
        The figure, which needs no network.

    Raises:
        SearchError: their objectives differ, or there are fewer than two.
    """
    first = records[0]
    require_same_objectives(records)
    figure = go.Figure()
    for i, record in enumerate(records):
        best, common = pareto.front(record.points, record.objectives), shared_texts(record.points)
        colour, symbol = PALETTE[i % len(PALETTE)], _SYMBOLS[i % len(_SYMBOLS)]
        hover = [describe(point, record.objectives, common).items() for point in best]
        figure.add_trace(
            go.Scatter(
                x=[point.values[1] for point in best],
                y=[point.values[0] for point in best],
                name=html.escape(f"{record.name} ({len(best)})"),
                mode="lines+markers" if len(record.objectives) == 2 else "markers",
                line={"color": colour, "width": 2},
                marker={"color": colour, "size": 8, "symbol": symbol},
                hovertext=[
                    "<br>".join(f"<b>{html.escape(k)}</b> {html.escape(v)}" for k, v in r) for r in hover
                ],
                hovertemplate="%{hovertext}<extra></extra>",
            )
        )
    finish(figure, first.objectives[1].label, first.objectives[0].label)
    return figure


def require_same_objectives(records: Sequence[StudyRecord]) -> None:
    """Check that the fronts of studies can be compared.

    Args:
        records: one or more studies.

    Raises:
        SearchError: their objectives differ, or there are fewer than two.
    """
    first = records[0]
    if len(first.objectives) < 2:
        raise SearchError(f"study {first.name!r} has one objective: a Pareto figure needs 2")
    for record in records:
        if record.objectives != first.objectives:
            names = [", ".join(one.label for one in study.objectives) for study in (first, record)]
            raise SearchError(
                f"study {first.name!r} has the objectives {names[0]}, study {record.name!r} {names[1]}: overlay"
                " studies of the same objectives"
            )
