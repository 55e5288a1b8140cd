"""The effect of each choice's options on each objective: marginal means as plain lists, and the drawing."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from search import pareto
from search.problem import Objective, Point, Value
from search.report.figures.choice_axis import in_order, title_of
from search.report.figures.figure_style import PALETTE, finish

__all__ = ["EffectPanel", "EffectsData", "effects_data", "effects_figure"]

_ROW_PX = 22
_FRAME_PX = 110


@dataclass(frozen=True)
class EffectPanel:
    """The means of one objective.

    Attributes:
        title: the objective's label, plain text.
        mean: its mean for each option.
        deviation: its standard deviation among the trials of each option.
        overall: its mean over all trials, or None without any.
    """

    title: str
    mean: list[float]
    deviation: list[float]
    overall: float | None


@dataclass(frozen=True)
class EffectsData:
    """Everything that the figure shows.

    Attributes:
        choice: the choice's title for each option, plain text.
        option: the options, plain text.
        n_trials: distinct finished trials of each option.
        panels: the means of each objective.
    """

    choice: list[str]
    option: list[str]
    n_trials: list[int]
    panels: list[EffectPanel]


def effects_data(
    points: Sequence[Point],
    objectives: Sequence[Objective],
    choices: Mapping[str, Sequence[Value]],
    titles: Mapping[str, str] | None = None,
) -> EffectsData:
    """Compute the mean of each objective over the trials that share an option, for all options of all choices.

    Trials are those that the sampler drew, infeasible ones too: options that it preferred come with better other
    options, so only a study of random or of all choices shows an option's own effect.

    Args:
        points: finished trials; of trials of the same choice the first counts.
        objectives: those of the problem.
        choices: the options of each choice by its name.
        titles: what people read instead of the choices' names.

    Returns:
        The figure's data, without options that no trial has.
    """
    distinct = pareto.distinct(points)
    values = np.array([point.values for point in distinct]).reshape(-1, len(objectives))
    choice, option, rows = list[str](), list[str](), list[np.ndarray]()
    for name, options in choices.items():
        for value in in_order(options):
            members = np.array([point.choice[name] == value for point in distinct], dtype=bool)
            if members.any():
                choice.append(title_of(name, titles))
                option.append(str(value))
                rows.append(values[members])
    panels = [
        EffectPanel(
            objective.label,
            [float(row[:, column].mean()) for row in rows],
            [float(row[:, column].std()) for row in rows],
            float(values[:, column].mean()) if len(values) else None,
        )
        for column, objective in enumerate(objectives)
    ]
    return EffectsData(choice, option, [len(row) for row in rows], panels)


def effects_figure(data: EffectsData) -> go.Figure:
    """Draw a panel for each objective, in which each option has a row; needs no network.

    Args:
        data: what it shows.

    Returns:
        The figure; bars reach one standard deviation to each side.
    """
    heights, ticks, texts = _lay_out(data)
    figure = make_subplots(
        cols=max(1, len(data.panels)), shared_yaxes=True, horizontal_spacing=0.04
    )  # one panel without objectives
    for column, panel in enumerate(data.panels, start=1):
        colour = PALETTE[(column - 1) % len(PALETTE)]
        x, y = list[float | None](), list[float | None]()
        deviation, hover = list[float](), list[str]()
        for i, mean in enumerate(panel.mean):
            if i and data.choice[i] != data.choice[i - 1]:  # no line from one choice to the next
                x, y, deviation, hover = [*x, None], [*y, None], [*deviation, 0.0], [*hover, ""]
            x, y, deviation = [*x, mean], [*y, heights[i]], [*deviation, panel.deviation[i]]
            hover.append(
                f"<b>{html.escape(data.choice[i])}</b> {html.escape(data.option[i])}<br>{html.escape(panel.title)}"
                f" {mean:.4g} ± {panel.deviation[i]:.2g}<br>{data.n_trials[i]:,} trials"
            )
        figure.add_trace(
            go.Scatter(
                x=x,
                y=y,
                error_x={"array": deviation, "thickness": 1, "width": 0},
                mode="lines+markers",
                line={"color": colour, "width": 2},
                marker={"color": colour, "size": 8},
                hovertext=hover,
                hovertemplate="%{hovertext}<extra></extra>",
                showlegend=False,
            ),
            row=1,
            col=column,
        )
        if panel.overall is not None:
            figure.add_vline(x=panel.overall, line={"dash": "dot", "width": 1}, row=1, col=column)  # pyright: ignore[reportArgumentType] - numbers are what it takes
        figure.update_xaxes(title_text=html.escape(panel.title), row=1, col=column)
    finish(figure, height_px=_FRAME_PX + _ROW_PX * max(len(ticks), 1))
    figure.update_yaxes(
        tickvals=ticks, ticktext=texts, range=[len(ticks) - 0.5, -0.5], showgrid=False, ticks=""
    )
    figure.update_layout(margin_t=30)
    return figure


def _lay_out(data: EffectsData) -> tuple[list[int], list[int], list[str]]:
    """Rows of the options, and the rows that have a text: a choice's title above its options."""
    heights, texts = list[int](), list[str]()
    for i, option in enumerate(data.option):
        if i == 0 or data.choice[i] != data.choice[i - 1]:
            texts.append(f"<b>{html.escape(data.choice[i])}</b>")
        heights.append(len(texts))
        texts.append(html.escape(option))
    return heights, list(range(len(texts))), texts
