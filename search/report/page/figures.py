"""The figures of the page's other tabs, as plotly's JSON."""

from __future__ import annotations

import json

import plotly.graph_objects as go

from search.problem import JSON
from search.report.figures.effects_figure import effects_data, effects_figure
from search.report.figures.figure_style import DARK, LIGHT
from search.report.figures.hypervolume_figure import hypervolume_data, hypervolume_figure
from search.report.figures.importance_figure import importance_data, importance_figure
from search.report.figures.parallel_figure import parallel_data, parallel_figure
from search.report.page.columns import title_of
from search.report.page.study import Shown

__all__ = ["plain_figure", "study_figures", "templates"]


def study_figures(shown: Shown) -> dict[str, JSON]:
    """Draw the figures of a study.

    Args:
        shown: the study.

    Returns:
        Data and layout without a template, for each of `choices`, `progress`, `effects` and `importance`.
    """
    record = shown.record
    points, objectives, choices = record.points, record.objectives, record.choices
    titles = {name: title_of(name, shown.description.titles) for name in choices}
    return {
        "choices": plain_figure(parallel_figure(parallel_data(points, objectives, choices, titles))),
        "progress": plain_figure(hypervolume_figure(hypervolume_data(points, objectives, shown.exact))),
        "effects": plain_figure(effects_figure(effects_data(points, objectives, choices, titles))),
        "importance": plain_figure(importance_figure(importance_data(points, objectives, choices, titles))),
    }


def templates() -> dict[str, JSON]:
    """The look of all figures on a light and on a dark page."""
    return {"light": LIGHT.to_plotly_json(), "dark": DARK.to_plotly_json()}


def plain_figure(figure: go.Figure) -> dict[str, JSON]:
    """Write a figure as plotly's JSON, to be drawn on a light or a dark page.

    Args:
        figure: the figure, whose template is taken from it.

    Returns:
        Its `data` and its `layout` without a template.
    """
    figure.update_layout(template="none")
    plain = json.loads(str(figure.to_json()))
    plain["layout"].pop("template", None)
    return plain
