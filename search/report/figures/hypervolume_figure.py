"""Hypervolume against the number of finished trials: its data as plain lists, and the drawing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike

from search import pareto
from search.errors import SearchError
from search.problem import Objective, Point
from search.report.figures.figure_style import FRONT, finish

__all__ = ["HypervolumeData", "hypervolume_data", "hypervolume_figure"]


@dataclass(frozen=True)
class HypervolumeData:
    """Everything that the figure shows.

    Attributes:
        n_trials: numbers of finished trials at which the hypervolume changed, and that of all trials.
        hypervolume: the hypervolume after each of `n_trials`, or its share of the exact front's, in [0, 1].
        is_share: whether it is a share.
        reference: the reference point in the objectives' units; empty without a feasible trial.
        unit: the hypervolume's unit, empty for a share.
    """

    n_trials: list[int]
    hypervolume: list[float]
    is_share: bool
    reference: list[float]
    unit: str


def hypervolume_data(
    points: Sequence[Point], objectives: Sequence[Objective], exact: ArrayLike | None = None
) -> HypervolumeData:
    """Compute how the hypervolume of a study's front grew.

    The reference point is the worst value of each objective among the feasible finished trials and the exact values, so
    hypervolumes of two studies can be compared only as shares of the same exact front's.

    Args:
        points: finished trials.
        objectives: two or more.
        exact: the values (n, k) of the exact front, or of all choices, in the objectives' units, where they are known.

    Returns:
        The figure's data; without a feasible trial the hypervolume is 0.

    Raises:
        SearchError: there are fewer than two objectives, or the exact values have another number of columns.
    """
    if len(objectives) < 2:
        raise SearchError(f"a hypervolume needs 2 objectives and there is {len(objectives)}: add one")
    directions = [objective.direction for objective in objectives]
    known = np.empty((0, len(objectives))) if exact is None else np.asarray(exact, dtype=np.float64)
    if known.ndim != 2 or known.shape[1] != len(objectives):
        raise SearchError(
            f"the exact values have the shape {known.shape}: give a row of {len(objectives)} for each choice"
        )
    in_order = sorted(points, key=lambda point: point.number)
    feasible = [point.values for point in in_order if point.feasible]
    everything = np.concatenate([np.reshape(feasible, (-1, len(objectives))), known])
    unit = "" if exact is not None else " · ".join(one.unit for one in objectives if one.unit)
    if not feasible:
        n_finished = [len(in_order)] if in_order else []
        return HypervolumeData(n_finished, [0.0] * len(n_finished), exact is not None, [], unit)
    worst = pareto.losses(everything, directions).max(axis=0)
    reference = pareto.losses([worst], directions)[0]  # the same signs turn losses into values
    whole = pareto.hypervolume(known, directions, reference) if len(known) else 1.0
    steps = {
        n: volume / whole if whole > 0 else 0.0
        for n, volume in _steps(in_order, directions, reference.tolist()).items()
    }
    return HypervolumeData(list(steps), list(steps.values()), exact is not None, reference.tolist(), unit)


def hypervolume_figure(data: HypervolumeData) -> go.Figure:
    """Draw how the hypervolume grew, which needs no network.

    Args:
        data: what it shows.

    Returns:
        The figure.
    """
    number = "%{y:.2%}" if data.is_share else "%{y:.4g}"
    figure = go.Figure(
        go.Scatter(
            x=data.n_trials,
            y=data.hypervolume,
            mode="lines",
            line={"color": FRONT, "width": 2, "shape": "hv"},
            hovertemplate=f"{number} after %{{x}} trials<extra></extra>",
            showlegend=False,
        )
    )
    title = "Share of the exact front's hypervolume" if data.is_share else "Hypervolume"
    finish(figure, "Finished trials", f"{title} ({data.unit})" if data.unit else title)
    figure.update_layout(
        xaxis_rangemode="tozero",
        yaxis={"rangemode": "tozero", "tickformat": ".0%" if data.is_share else ".3~g"},
        margin_t=30,
    )
    if data.is_share:
        figure.add_hline(y=1, line={"dash": "dot", "width": 1})
    return figure


def _steps(
    points: Sequence[Point], directions: Sequence[str], reference: Sequence[float]
) -> dict[int, float]:
    """The hypervolume after each number of trials at which it changes, and after all."""
    steps: dict[int, float] = {}
    front = np.empty((0, len(directions)))
    volume = 0.0
    for n, point in enumerate(points, start=1):
        if point.feasible and not _is_covered(point.values, front, directions):
            front = np.concatenate([front, [point.values]])
            front = front[pareto.front_mask(front, directions)]
            volume = pareto.hypervolume(front, directions, reference)
            steps[n] = volume
    steps[len(points)] = volume
    return steps


def _is_covered(values: Sequence[float], front: np.ndarray, directions: Sequence[str]) -> bool:
    """Whether a point of the front is at least as good in every objective."""
    rows = pareto.losses(front, directions)
    return bool(np.any(np.all(rows <= pareto.losses([values], directions), axis=1)))
