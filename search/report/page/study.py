"""What the page shows of a study, as plain data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from search import pareto
from search.description import StudyDescription
from search.errors import SearchError
from search.problem import Choice, Objective, Point
from search.report.figures.choice_axis import in_order
from search.report.figures.front_gains import find_gains
from search.report.page.columns import NumberColumn, TextColumn, attribute_columns, objective_column, title_of
from search.report.page.intervals import mean_intervals
from search.report.text.point_text import shared_texts
from search.report.text.summary import count_front
from search.uncertainty import find_ties

if TYPE_CHECKING:
    from search.study import StudyRecord

__all__ = ["ChoiceColumn", "Gain", "Peer", "Shown", "StudyView", "view_study"]

FRONT, DOMINATED, INFEASIBLE, PRUNED = "f", "d", "i", "p"


@dataclass(frozen=True)
class Peer:
    """A point that is not of the study, to compare it with, such as a published network.

    Attributes:
        name: its name.
        values: a number for each objective, in their order.
    """

    name: str
    values: tuple[float, ...]


@dataclass(frozen=True)
class Shown:
    """A study, and what else the page shows of it.

    Attributes:
        record: the study, of two objectives or more.
        description: pictures, parts of values, drawings, commands, titles and notes.
        picked: a point to mark.
        exact: the values (n, k) of the exact front, or of all choices, in the objectives' units, where they are known.
        peers: points that are not of the study.
    """

    record: StudyRecord
    description: StudyDescription = field(default_factory=StudyDescription)
    picked: Point | None = None
    exact: ArrayLike | None = None
    peers: Sequence[Peer] = ()


@dataclass(frozen=True)
class ChoiceColumn:
    """The options that the trials have of one choice.

    Attributes:
        name: the choice's name.
        label: its title.
        options: all options as texts, numbers from the smallest to the largest.
        sizes: the options as numbers, or None if one is a text.
        picked: for each trial the index of its option.
    """

    name: str
    label: str
    options: list[str]
    sizes: list[float] | None
    picked: list[int] = field(repr=False)


@dataclass(frozen=True)
class Gain:
    """What a point of the front gains in the first objective over a cheaper one.

    Attributes:
        cheaper: the row of the cheaper one.
        value: the difference in the objective's unit.
        low: the lower end of its 95 % interval.
        high: the upper end.
    """

    cheaper: int
    value: float
    low: float
    high: float


@dataclass(frozen=True)
class StudyView:
    """A study as the page shows it; rows are indices of its distinct trials.

    Attributes:
        name: its name.
        summary: how many points are on the front, and how many of them are distinguishable.
        counts: how many trials there are.
        trials: the number of each distinct trial.
        kinds: a letter for each: f on the front, d dominated, i infeasible, p dropped early by a race: its values are
            estimates.
        objectives: the values of each objective.
        directions: `maximize` or `minimize` for each objective.
        intervals: for each objective the lower and the upper ends of the 95 % intervals of the trials, None where there
            are no scores; an objective without any scores has none.
        choices: the options of the trials.
        attributes: the attributes of the trials.
        front: the rows of the front, from the cheapest.
        ties: rows of the front that cannot be told from a cheaper one, and the row of that.
        gains: what points of the front gain over a cheaper one, by row; empty if it cannot be told.
        knee: the row of the knee, or None.
        picked: the row of the point to mark, or None.
        exact: the values of the exact front, from the cheapest; empty if it is not known.
        peers: points that are not of the study.
        facts: what the values depend on: names and texts.
        notes: paragraphs.
    """

    name: str
    summary: str
    counts: str
    trials: list[int]
    kinds: str
    objectives: list[NumberColumn]
    directions: list[str]
    intervals: list[list[tuple[float, float] | None]]
    choices: list[ChoiceColumn]
    attributes: list[NumberColumn | TextColumn]
    front: list[int]
    ties: dict[int, int]
    gains: dict[int, Gain]
    knee: int | None
    picked: int | None
    exact: list[list[float]]
    peers: list[Peer]
    facts: list[tuple[str, str]]
    notes: list[str]


def view_study(shown: Shown, notes: Sequence[str] = ()) -> StudyView:
    """Lay out a study for the page.

    Args:
        shown: the study.
        notes: paragraphs that come before the description's.

    Returns:
        The plain data.

    Raises:
        SearchError: the study has one objective, or the exact values have another number of columns.
    """
    record, titles = shown.record, shown.description.titles
    objectives = record.objectives
    if len(objectives) < 2:
        raise SearchError(f"study {record.name!r} has one objective: a Pareto front needs 2")
    full = pareto.distinct(record.points)
    evaluated = {_key(point.choice) for point in full}
    pruned = [point for point in pareto.distinct(record.pruned) if _key(point.choice) not in evaluated]
    points = [*full, *pruned]
    rows = {_key(point.choice): row for row, point in enumerate(points)}
    best = pareto.front(full, objectives)
    front = [rows[_key(point.choice)] for point in best]
    numbers = {point.number: row for row, point in enumerate(points)}
    ties = {numbers[tie]: numbers[other] for tie, other in find_ties(best, objectives, record.cases).items()}
    on_front = set(front)
    shared = shared_texts(record.points)
    # A fact of the trials that has the name of another fact about the study stays a column.
    common = {name: text for name, text in shared.items() if record.identity.get(name, text) == text}
    intervals = mean_intervals(points, objectives, record.cases)
    return StudyView(
        name=record.name,
        summary=count_front(record),
        counts=_count(record, full, pruned),
        trials=[point.number for point in points],
        kinds="".join(
            FRONT if row in on_front else DOMINATED if point.feasible else INFEASIBLE
            for row, point in enumerate(full)
        )
        + PRUNED * len(pruned),
        objectives=[
            objective_column(objective, [p.values[i] for p in points], [p.values[i] for p in best])
            for i, objective in enumerate(objectives)
        ],
        directions=[objective.direction for objective in objectives],
        intervals=intervals,
        choices=[_choice_column(name, record, points, title_of(name, titles)) for name in record.choices],
        attributes=attribute_columns(points, titles, common),
        front=front,
        ties=ties,
        gains=_view_gains(best, record, numbers),
        knee=rows[_key(pareto.knee(best, objectives).choice)] if best and len(objectives) == 2 else None,
        picked=None if shown.picked is None else rows.get(_key(shown.picked.choice)),
        exact=_exact_front(shown.exact, objectives),
        peers=list(shown.peers),
        facts=[
            (title_of(name, titles), text)
            for name, text in {**record.origin, **record.identity, **common}.items()
        ],
        notes=[*notes, *shown.description.notes],
    )


def _key(choice: Choice) -> tuple:
    return tuple(choice.items())


def _count(record: StudyRecord, full: Sequence[Point], pruned: Sequence[Point]) -> str:
    n_infeasible = sum(not point.feasible for point in full)
    counts = f"{record.n_trials:,} finished trials of {len(full) + len(pruned):,} distinct choices"
    counts += f", {n_infeasible:,} over a limit" if n_infeasible else ""
    return counts + (f", {len(pruned):,} dropped early" if pruned else "")


def _view_gains(front: Sequence[Point], record: StudyRecord, rows: Mapping[int, int]) -> dict[int, Gain]:
    found = find_gains(front, record.objectives, record.cases)
    values = {point.number: point.values[0] for point in front}
    gains: dict[int, Gain] = {}
    for point, ends, cheaper in zip(
        front, found.intervals, found.cheaper, strict=False
    ):  # both empty without scores
        if ends is not None and cheaper is not None:
            value, low, high = (_round(one - values[cheaper]) for one in (point.values[0], *ends))
            gains[rows[point.number]] = Gain(rows[cheaper], value, low, high)
    return gains


def _round(number: float) -> float:
    return float(f"{number:.4g}")


def _choice_column(name: str, record: StudyRecord, points: Sequence[Point], label: str) -> ChoiceColumn:
    chosen = [point.choice[name] for point in points]
    options = in_order(list(dict.fromkeys([*record.choices[name], *chosen])))
    places = {option: index for index, option in enumerate(options)}
    numbers = [float(option) for option in options if not isinstance(option, str)]
    return ChoiceColumn(
        name,
        label,
        [str(option) for option in options],
        numbers if len(numbers) == len(options) else None,
        [places[option] for option in chosen],
    )


def _exact_front(exact: ArrayLike | None, objectives: Sequence[Objective]) -> list[list[float]]:
    if exact is None:
        return []
    values = np.asarray(exact, dtype=np.float64)
    if values.ndim != 2 or values.shape[1] != len(objectives):
        raise SearchError(
            f"the exact values have the shape {values.shape}: give a row of {len(objectives)} for each choice"
        )
    best = values[pareto.front_mask(values, [objective.direction for objective in objectives])]
    return np.unique(best[np.argsort(best[:, -1])], axis=0).tolist() if len(best) else []
