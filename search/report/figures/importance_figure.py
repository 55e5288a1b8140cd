"""How important each choice is for each objective: its data as plain lists, and the drawing."""

from __future__ import annotations

import html
import math
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import optuna
import plotly.graph_objects as go
from optuna.distributions import CategoricalDistribution
from optuna.importance import PedAnovaImportanceEvaluator, get_param_importances
from optuna.study import StudyDirection

from search import pareto
from search.optuna_logging import quiet_optuna
from search.problem import Objective, Point, Value
from search.report.figures.choice_axis import title_of
from search.report.figures.figure_style import PALETTE, finish

__all__ = [
    "LEAST_TRIALS",
    "MOST_TRIALS",
    "ImportanceBars",
    "ImportanceData",
    "importance_data",
    "importance_figure",
]

LEAST_TRIALS = 20
"""Fewer distinct trials tell nothing: the best tenth of them would be one trial."""
MOST_TRIALS = 2_000
"""Of more distinct trials these many are taken at even steps: Optuna copies each one several times."""
_BEST_SHARE = 0.1


@dataclass(frozen=True)
class ImportanceBars:
    """The importance of the choices for one objective.

    Attributes:
        objective: the objective's label, plain text.
        shares: a share for each choice, together 1; empty if they cannot be computed.
        reason: why they cannot be computed, or an empty text.
    """

    objective: str
    shares: list[float]
    reason: str = ""


@dataclass(frozen=True)
class ImportanceData:
    """Everything that the figure shows.

    Attributes:
        choices: the choices' titles, plain text.
        bars: the shares of each objective.
        n_trials: distinct finished trials that they were computed from.
    """

    choices: list[str]
    bars: list[ImportanceBars]
    n_trials: int


def importance_data(
    points: Sequence[Point],
    objectives: Sequence[Objective],
    choices: Mapping[str, Sequence[Value]],
    titles: Mapping[str, str] | None = None,
) -> ImportanceData:
    """Compute Optuna's PED-ANOVA importance (Watanabe et al., 2023) of each choice for each objective.

    It says by how much the options of a choice differ between the best tenth of the trials and all trials; 50 trials
    or more make it stable. Trials are those that the sampler drew, infeasible ones too; of more than 2,000
    distinct ones 2,000 at even steps are taken.

    Args:
        points: finished trials; of trials of the same choice the first counts.
        objectives: those of the problem.
        choices: the options of each choice by its name.
        titles: what people read instead of the choices' names.

    Returns:
        The figure's data. An objective has a reason instead of shares if there are fewer than 20 distinct trials, or if
        its values single out no best tenth, such as equal ones.
    """
    trials = _thin_out(pareto.distinct(points))
    losses = pareto.losses([point.values for point in trials], [one.direction for one in objectives])
    reasons = [_find_reason(column) for column in losses.T.tolist()]
    study = None if all(reasons) else _make_study(trials, losses.tolist(), choices)
    bars = [
        ImportanceBars(
            objective.label, _compute_shares(study, column, choices) if study and not reason else [], reason
        )
        for column, (objective, reason) in enumerate(zip(objectives, reasons, strict=True))
    ]
    return ImportanceData([title_of(name, titles) for name in choices], bars, len(trials))


def importance_figure(data: ImportanceData) -> go.Figure:
    """Draw the importances as groups of bars, which needs no network.

    Args:
        data: what it shows.

    Returns:
        The figure; the legend says why an objective has no bars.
    """
    figure = go.Figure()
    for i, bars in enumerate(data.bars):
        name = f"{bars.objective}: {bars.reason}" if bars.reason else bars.objective
        figure.add_trace(
            go.Bar(
                y=[html.escape(title) for title in data.choices] if bars.shares else [None],
                x=bars.shares or [None],
                name=html.escape(name),
                orientation="h",
                marker_color=PALETTE[i % len(PALETTE)],
                hovertemplate="%{y}: %{x:.1%}<extra></extra>",
                showlegend=True,
            )
        )
    finish(figure, f"Importance in {data.n_trials:,} distinct trials (PED-ANOVA)")
    figure.update_layout(
        barmode="group",
        xaxis={"tickformat": ".0%", "rangemode": "tozero"},
        yaxis={"autorange": "reversed", "ticks": "", "type": "category"},
        legend_traceorder="normal",
    )
    return figure


def _find_reason(losses: Sequence[float]) -> str:
    """Why importances cannot be computed, or an empty text if they can."""
    if len(losses) < LEAST_TRIALS:
        return f"needs {LEAST_TRIALS} distinct trials"
    in_order = sorted(losses)
    if in_order[math.ceil(_BEST_SHARE * len(losses)) - 1] == in_order[-1]:
        return "the same in all trials" if in_order[0] == in_order[-1] else "the same in most trials"
    return ""


def _make_study(
    points: Sequence[Point], losses: Sequence[Sequence[float]], choices: Mapping[str, Sequence[Value]]
) -> optuna.Study:
    """A study in memory, all of whose objectives are minimised."""
    distributions = {name: CategoricalDistribution(options) for name, options in choices.items()}
    trials = [
        optuna.create_trial(params=point.choice, distributions=dict(distributions), values=row)
        for point, row in zip(points, losses, strict=True)
    ]
    with quiet_optuna():
        directions = [StudyDirection.MINIMIZE] * len(losses[0])
        study = optuna.create_study(directions=directions, sampler=optuna.samplers.RandomSampler())
        study.add_trials(trials)
    return study


def _compute_shares(study: optuna.Study, column: int, choices: Mapping[str, Sequence[Value]]) -> list[float]:
    """The share of each choice in the importance for one objective of a study."""
    with quiet_optuna(), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "PedAnovaImportanceEvaluator computes")  # of low values, as wanted
        found = get_param_importances(
            study,
            evaluator=PedAnovaImportanceEvaluator(target_quantile=_BEST_SHARE),
            params=list(choices),
            target=lambda trial: trial.values[column],
        )
    return [found[name] for name in choices]


def _thin_out(points: Sequence[Point]) -> list[Point]:
    if len(points) <= MOST_TRIALS:
        return list(points)
    return [points[i] for i in np.linspace(0, len(points) - 1, MOST_TRIALS).round().astype(int)]
