"""Races a batch of choices: scores them on more and more cases together, and drops some on the way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from search.checking.answers import conclude_batch, score_batch
from search.errors import SearchError
from search.problem import Choice, Evaluation, Known, Point, Problem
from search.racing.rule import Rival, Rivals
from search.racing.settings import Race

__all__ = ["Dropped", "check_raced", "race_batch"]


@dataclass(frozen=True)
class Dropped:
    """The result for a choice that a race dropped.

    Attributes:
        values: a number for each objective: foreseen, or estimated from the cases seen. A rival dominates them.
        cases: the indices of the cases that it was scored on, in their order.
        scores: the score on each of them by objective.
        rival: the number of the trial that it was compared with.
    """

    values: tuple[float, ...]
    cases: tuple[int, ...]
    scores: Mapping[str, tuple[float, ...]]
    rival: int


@dataclass
class _Runner:
    """A choice in the race, with its scores by objective and case."""

    choice: Choice
    known: Known
    rivals: list[Rival]
    scores: dict[str, dict[int, float]] = field(default_factory=dict)

    @property
    def is_feasible(self) -> bool:
        return all(value <= 0 for value in self.known.constraints.values())

    def columns(self) -> dict[str, list[float]]:
        """The scores on the cases seen, in the order of the cases."""
        return {name: [column[case] for case in sorted(column)] for name, column in self.scores.items()}


def check_raced(problem: Problem, race: Race) -> None:
    """Check that a problem can be raced.

    Args:
        problem: a problem that `check_problem` accepts.
        race: the settings.

    Raises:
        SearchError: it does not score case by case, or on no more cases than the first look takes.
    """
    kind = type(problem).__name__
    names = [objective.name for objective in problem.objectives]
    if not problem.raced or not problem.cases:
        raise SearchError(f"{kind} cannot be raced: it does not score case by case; search without race")
    for name in problem.raced:
        if name not in names:
            raise SearchError(f"{kind}.raced holds {name!r}: it must be one of {', '.join(names)}")
    if not race.looks(len(problem.cases)):
        raise SearchError(
            f"{kind} cannot be raced: it scores on {len(problem.cases)} cases, and nothing is dropped before"
            f" {race.first_look}; score on more, or search without race"
        )


def race_batch(
    problem: Problem,
    batch: Sequence[Choice],
    foreseen: Sequence[Known],
    history: Sequence[Point],
    race: Race,
    rng: np.random.Generator,
) -> list[Evaluation | Dropped | str]:
    """Score choices case by case in a random order, and drop those that cannot be on the front.

    A choice that is foreseen to be infeasible is dropped at the first look; any other once it is evident that a rival
    among the finished points is better. Nothing is dropped while there is nothing to compare with.

    Args:
        problem: a problem that can be raced.
        batch: distinct choices.
        foreseen: what is known of each.
        history: finished trials, dropped ones included.
        race: the error probability and the first look.
        rng: draws the order of the cases.

    Returns:
        For each choice its evaluation, as if it were not raced; or what is known of it if it was dropped; or a text
        that says why it has no valid result.

    Raises:
        SearchError: an objective that is neither scored nor foreseen, or not as many results as there are choices.
        Exception: what the problem raises, with a note that names the choices.
    """
    n_cases = len(problem.cases)
    order: list[int] = rng.permutation(n_cases).tolist()
    rivals = Rivals([p for p in history if not p.cases], problem.objectives, problem.raced, n_cases)
    results: dict[int, Evaluation | Dropped | str] = {}
    for known in foreseen:
        _check_foreseen(problem, known)
    runners = {
        i: _Runner(choice, known, rivals.of(known))
        for i, (choice, known) in enumerate(zip(batch, foreseen, strict=True))
    }
    looks = race.looks(n_cases)
    error = race.error_probability / max(1, len(looks))
    for begin, end in zip((0, *looks), (*looks, n_cases), strict=True):
        more = order[begin:end]
        scored = score_batch(problem, [runner.choice for runner in runners.values()], more)
        for (i, runner), found in zip(list(runners.items()), scored, strict=True):
            if isinstance(found, str):
                results[i] = found
                del runners[i]
                continue
            for name, column in found.items():
                runner.scores.setdefault(name, {}).update(zip(more, column, strict=True))
            rival = None if end == n_cases else _find_better(runner, rivals, error)
            if rival is not None:
                results[i] = _drop(problem, runner, rivals, rival)
                del runners[i]
        if not runners:
            break
    whole = conclude_batch(
        problem, [one.choice for one in runners.values()], [one.columns() for one in runners.values()]
    )
    results.update(zip(runners, whole, strict=True))
    return [results[i] for i in range(len(batch))]


def _check_foreseen(problem: Problem, known: Known) -> None:
    for objective in problem.objectives:
        if objective.name not in problem.raced and objective.name not in known.values:
            raise SearchError(
                f"{type(problem).__name__} cannot be raced: {objective.name!r} is neither foreseen nor scored"
                " case by case; search without race"
            )


def _find_better(runner: _Runner, rivals: Rivals, error_probability: float) -> Rival | None:
    """The rival that a choice is dropped for."""
    if not runner.is_feasible:
        return next(iter(runner.rivals), None) or rivals.any()
    columns, seen = runner.columns(), sorted(next(iter(runner.scores.values())))
    share = error_probability / max(1, len(runner.rivals))
    return next((one for one in runner.rivals if rivals.beats(one, columns, seen, share)), None)


def _drop(problem: Problem, runner: _Runner, rivals: Rivals, rival: Rival) -> Dropped:
    columns, seen = runner.columns(), sorted(next(iter(runner.scores.values())))
    values = {**runner.known.values, **rivals.estimate(rival, columns, seen)}
    return Dropped(
        tuple(values[objective.name] for objective in problem.objectives),
        tuple(seen),
        {name: tuple(column) for name, column in columns.items()},
        rival.number,
    )
