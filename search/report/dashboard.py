"""Shows the front's figure in optuna-dashboard, if that is installed."""

from __future__ import annotations

import logging
import re
from dataclasses import replace

import optuna

from search.errors import SearchError
from search.optuna_logging import quiet_optuna
from search.report import pareto_figure
from search.storage.connection import connect
from search.study import StudyRecord

__all__ = ["show_front"]

_LOG = logging.getLogger("search")
_FIGURE = "pareto-front"


def show_front(storage: str, record: StudyRecord) -> None:
    """Store the front's figure with a study, so that optuna-dashboard shows it; an earlier figure is replaced.

    Nothing happens without optuna-dashboard or for a study of one objective. A storage that cannot be written is
    reported on the log `search`. Points that are not on the front have only their trial number as a text, so that the
    figure of a large study stays small.

    Args:
        storage: the storage's address.
        record: the study.
    """
    try:
        from optuna_dashboard import save_plotly_graph_object
    except ImportError:
        return
    if len(record.objectives) < 2:
        return
    data = pareto_figure.front_data(record.points, record.objectives)
    data = replace(data, dominated=_brief(data.dominated), infeasible=_brief(data.infeasible))
    try:
        with quiet_optuna(), connect(storage, create=False) as connection:
            sampler = optuna.samplers.RandomSampler()
            study = connection.call(
                optuna.load_study, study_name=record.name, storage=connection.storage, sampler=sampler
            )
            figure = pareto_figure.pareto_figure(data)
            connection.call(save_plotly_graph_object, study, figure, graph_object_id=_FIGURE)
    except SearchError as error:
        _LOG.warning("the front's figure is not kept for optuna-dashboard: %s", error)


def _brief(series: pareto_figure.Series) -> pareto_figure.Series:
    """Keep the first line of each hover text, as plain text."""
    return replace(series, hover=[re.sub(r"(?s)<br>.*|<[^>]*>", "", text) for text in series.hover])
