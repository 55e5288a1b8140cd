"""Shows a study's figures in optuna-dashboard, if that is installed."""

from __future__ import annotations

import logging
import re
from dataclasses import replace

import optuna
import plotly.graph_objects as go

from search.errors import SearchError
from search.optuna_logging import quiet_optuna
from search.report import plots
from search.report.figures import pareto_figure
from search.storage.connection import connect
from search.study import StudyRecord

__all__ = ["show_figures"]

_LOG = logging.getLogger("search")


def show_figures(storage: str, record: StudyRecord) -> None:
    """Store a study's figures with it, so that optuna-dashboard shows them; earlier ones are replaced.

    Nothing happens without optuna-dashboard. A storage that cannot be written is reported on the log `search`. A study
    of one objective has neither the figure of a front nor that of a hypervolume. Points that are not on the front have
    only their trial number as a text, so that the figure of a large study stays small.

    Args:
        storage: the storage's address.
        record: the study.
    """
    try:
        from optuna_dashboard import save_plotly_graph_object
    except ImportError:
        return
    try:
        with quiet_optuna(), connect(storage, create=False) as connection:
            sampler = optuna.samplers.RandomSampler()
            study = connection.call(
                optuna.load_study, study_name=record.name, storage=connection.storage, sampler=sampler
            )
            for name, figure in _draw(record).items():
                figure.update_layout(
                    paper_bgcolor="white"
                )  # the ink is dark, whatever the dashboard's own colours
                connection.call(save_plotly_graph_object, study, figure, graph_object_id=name)
    except SearchError as error:
        _LOG.warning("the figures are not kept for optuna-dashboard: %s", error)


def _draw(record: StudyRecord) -> dict[str, go.Figure]:
    """The figures by the names that the dashboard knows them by."""
    figures: dict[str, go.Figure] = {}
    if len(record.objectives) >= 2:
        data = pareto_figure.front_data(record.points, record.objectives, cases=record.cases)
        data = replace(data, dominated=_brief(data.dominated), infeasible=_brief(data.infeasible))
        figures["pareto-front"] = pareto_figure.pareto_figure(data)
        figures["hypervolume"] = plots.plot_hypervolume(record)
    figures["parallel-coordinates"] = plots.plot_parallel_coordinates(record)
    figures["effects"] = plots.plot_effects(record)
    figures["importances"] = plots.plot_importances(record)
    return figures


def _brief(series: pareto_figure.Series) -> pareto_figure.Series:
    """Keep the first line of each hover text, as plain text."""
    return replace(series, hover=[re.sub(r"(?s)<br>.*|<[^>]*>", "", text) for text in series.hover])
