"""The figures of a study as plotly figures, for notebooks: each takes what `search.load` gives, and is on white."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import plotly.graph_objects as go
from numpy.typing import ArrayLike

from search.problem import Objective, Point
from search.report.figures.effects_figure import effects_data, effects_figure
from search.report.figures.hypervolume_figure import hypervolume_data, hypervolume_figure
from search.report.figures.importance_figure import importance_data, importance_figure
from search.report.figures.overlay_figure import overlay_figure
from search.report.figures.parallel_figure import parallel_data, parallel_figure
from search.report.figures.pareto_figure import front_data, pareto_figure
from search.report.figures.quality_shares import find_shares
from search.report.figures.shares_figure import shares_figure

if TYPE_CHECKING:
    from search.study import StudyRecord

__all__ = [
    "plot_effects",
    "plot_front",
    "plot_fronts",
    "plot_hypervolume",
    "plot_importances",
    "plot_parallel_coordinates",
    "plot_shares",
]


def plot_front(record: StudyRecord, picked: Point | None = None) -> go.Figure:
    """Plot the Pareto front of a study, with the other trials faint.

    If the study kept scores, points that cannot be told from a cheaper one are hollow, and bars are the 95 % intervals
    of what a point gains over a cheaper one (a paired bootstrap over the cases).

    Args:
        record: a study of two or more objectives; the second is on the x axis and the first on the y axis.
        picked: a point to mark.

    Returns:
        The figure.

    Raises:
        SearchError: the study has one objective.
    """
    return _on_white(pareto_figure(front_data(record.points, record.objectives, picked, record.cases)))


def plot_fronts(records: Sequence[StudyRecord]) -> go.Figure:
    """Plot the Pareto fronts of several studies, such as those of one space on several devices.

    Args:
        records: one or more studies of the same objectives, two or more.

    Returns:
        The figure.

    Raises:
        SearchError: their objectives differ, or there are fewer than two.
    """
    return _on_white(overlay_figure(records))


def plot_shares(records: Sequence[StudyRecord], cost: Objective, whole: str = "largest choice") -> go.Figure:
    """Plot what several studies keep of quality at a share of their largest choices' cost.

    The largest choice of a study has every option at its largest; it lies at (1, 1), which is marked. Of its value u
    and a point's v the share of quality kept is v / u of a quality to maximise, and (1 - v) / (1 - u) of one to
    minimise, which must lie in [0, 1].

    Args:
        records: one or more studies, of any spaces; the first objective of each is its quality.
        cost: a number to minimise that is an objective or an attribute of all studies, with the title to show.
        whole: what people call the largest choice, such as `unpruned network`.

    Returns:
        The figure: the front of each study as a line.

    Raises:
        SearchError: a study has not evaluated its largest choice, a trial lacks the cost, or a quality has no share.
    """
    return _on_white(shares_figure([find_shares(record, [cost]) for record in records], 0, whole))


def plot_parallel_coordinates(record: StudyRecord, titles: Mapping[str, str] | None = None) -> go.Figure:
    """Plot each distinct feasible trial as a line across its choices and objectives.

    The lines of the front have the colour of the first objective. At most 60 of them and 200 others are drawn, evenly
    chosen in the order of the first objective.

    Args:
        record: the study.
        titles: what to write instead of the choices' names.

    Returns:
        The figure.
    """
    return _on_white(parallel_figure(parallel_data(record.points, record.objectives, record.choices, titles)))


def plot_hypervolume(record: StudyRecord, exact: ArrayLike | None = None) -> go.Figure:
    """Plot the hypervolume of the front against the number of finished trials.

    The reference point is the worst value of each objective among the feasible trials and the exact values.

    Args:
        record: a study of two or more objectives.
        exact: the values (n, k) of the exact front, or of all choices, in the objectives' units; with them the
            hypervolume is shown as a share of theirs.

    Returns:
        The figure.

    Raises:
        SearchError: the study has one objective, or the exact values have another number of columns.
    """
    return _on_white(hypervolume_figure(hypervolume_data(record.points, record.objectives, exact)))


def plot_effects(record: StudyRecord, titles: Mapping[str, str] | None = None) -> go.Figure:
    """Plot the mean of each objective over the trials that share an option, for all options of all choices.

    Trials are those that the sampler drew: options that it preferred come with better other options.

    Args:
        record: the study.
        titles: what to write instead of the choices' names.

    Returns:
        The figure; bars reach one standard deviation to each side, and a dotted line is the mean of all trials.
    """
    return _on_white(effects_figure(effects_data(record.points, record.objectives, record.choices, titles)))


def plot_importances(record: StudyRecord, titles: Mapping[str, str] | None = None) -> go.Figure:
    """Plot Optuna's PED-ANOVA importance (Watanabe et al., 2023) of each choice for each objective.

    Args:
        record: the study; 20 distinct trials are the least, from 50 on importances are stable.
        titles: what to write instead of the choices' names.

    Returns:
        The figure; the legend says why an objective has no bars.
    """
    return _on_white(
        importance_figure(importance_data(record.points, record.objectives, record.choices, titles))
    )


def _on_white(figure: go.Figure) -> go.Figure:
    """The ink is dark: in a dark notebook it would not be seen on the figures' own, transparent background."""
    return figure.update_layout(paper_bgcolor="white")
