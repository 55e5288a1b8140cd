"""The samplers that are compared: ours, and those of Optuna, pymoo and once-for-all, all on one tabular problem."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution
from optuna.samplers import BaseSampler, GPSampler, NSGAIISampler, RandomSampler, TPESampler
from optuna.study import StudyDirection

from search.benchmarks.ofa_evolution import evolve
from search.benchmarks.tabular import TabularProblem
from search.checking.problems import check_problem
from search.pareto import losses
from search.problem import Evaluation, Point, Problem
from search.samplers.base import Key, Sampler
from search.samplers.front import Front
from search.samplers.nsga2 import NSGA2

try:
    from optunahub.benchmarks import BaseProblem
    from pymoo.algorithms.moo.nsga2 import NSGA2 as PymooNSGA2
    from pymoo.core.problem import Problem as PymooProblem
    from pymoo.operators.crossover.sbx import SBX
    from pymoo.operators.mutation.pm import PM
    from pymoo.operators.repair.rounding import RoundingRepair
    from pymoo.optimize import minimize
except ImportError as error:
    raise ImportError(f"{error}; the comparison needs pip install 'mfagan[benchmark]'") from error

__all__ = ["COMPETITORS", "Competitor", "HubProblem", "Search", "drive"]


class HubProblem(BaseProblem):
    """Any Problem as an OptunaHub benchmark: `study.optimize(HubProblem(problem))` runs it with any sampler.

    The constraints of an evaluation are set on the trial. Each choice is evaluated once, by itself.
    """

    def __init__(self, problem: Problem) -> None:
        """Wrap a problem.

        Args:
            problem: the problem.

        Raises:
            SearchError: `check_problem` refuses it.
        """
        check_problem(problem)
        self._problem = problem
        self._score = cache(self._score_key)

    @property
    def search_space(self) -> dict[str, BaseDistribution]:
        """A categorical distribution for each choice."""
        return {name: CategoricalDistribution(tuple(v)) for name, v in self._problem.choices.items()}

    @property
    def directions(self) -> list[StudyDirection]:
        """The directions of the objectives, in their order."""
        return [StudyDirection[objective.direction.upper()] for objective in self._problem.objectives]

    def evaluate(self, params: dict[str, Any]) -> float | tuple[float, ...]:
        """Evaluate a choice.

        Args:
            params: the choice.

        Returns:
            The values in the order of the objectives; a number if there is one objective.
        """
        values = self._score(self._key(params)).values
        return values[0] if len(values) == 1 else values

    def evaluate_constraints(self, params: dict[str, Any]) -> dict[str, float]:
        """Evaluate the constraints of a choice.

        Args:
            params: the choice.

        Returns:
            The constraints by name, met if <= 0.
        """
        return dict(self._score(self._key(params)).constraints)

    def _key(self, params: dict[str, Any]) -> Key:
        return tuple(params[name] for name in self._problem.choices)

    def _score_key(self, key: Key) -> Evaluation:
        return self._problem.evaluate([dict(zip(self._problem.choices, key, strict=True))])[0]


Search = Callable[[TabularProblem, int, int], Sequence[int]]
"""(problem, seed, n_trials) -> rows of the table in the order of their evaluation, repeats included."""


@dataclass(frozen=True)
class Competitor:
    """A way to search.

    Attributes:
        search: runs it on a table.
        ours: whether it is a sampler of this package.
        most_trials: the most evaluations of a run, or None for no limit; slow samplers have one.
        most_seeds: the most runs, or None for no limit.
    """

    search: Search
    ours: bool = False
    most_trials: int | None = None
    most_seeds: int | None = None


def drive(make: Callable[[Problem], Sampler]) -> Search:
    """Run one of our samplers as a study does, without a storage: known choices first, no choice twice.

    Args:
        make: makes the sampler for a problem.

    Returns:
        The way to search.
    """

    def search(problem: TabularProblem, seed: int, n_trials: int) -> list[int]:
        sampler = make(problem)
        known = [sampler.space.key(choice) for choice in problem.known_choices if sampler.starts_known]
        points: list[Point] = []
        history: tuple[Point, ...] = ()
        taken: dict[Key, None] = {}
        for draw in range(min(n_trials, sampler.space.size)):
            if draw % sampler.generation == 0:
                history = tuple(points)
            if draw < len(known):
                key = known[draw]
            else:
                key = sampler.draw(history, taken, np.random.default_rng((seed, draw)))
            taken[key] = None
            choice = sampler.space.choice(key)
            points.append(Point(draw, choice, problem.evaluate([choice])[0].values))
        return [problem.row(point.choice) for point in points]

    return search


def _optuna(make: Callable[[int], BaseSampler]) -> Search:
    """One of Optuna's own samplers; the known choices are enqueued."""

    def search(problem: TabularProblem, seed: int, n_trials: int) -> list[int]:
        hub = HubProblem(problem)
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            study = optuna.create_study(directions=hub.directions, sampler=make(seed))
            for choice in problem.known_choices:
                study.enqueue_trial(dict(choice))
            study.optimize(hub, n_trials=n_trials)
        return [problem.row(trial.params) for trial in study.trials]

    return search


def _pymoo(problem: TabularProblem, seed: int, n_trials: int) -> list[int]:
    """pymoo's NSGA-II with its operators for integers; the known choices are in its first population of 100."""
    shape = np.array([len(options) for options in problem.space.options])
    table = losses(problem.values, [objective.direction for objective in problem.objectives])
    rows: list[int] = []

    class Integers(PymooProblem):
        def __init__(self) -> None:
            super().__init__(n_var=len(shape), n_obj=table.shape[1], xl=0, xu=shape - 1, vtype=int)

        def _evaluate(self, x: np.ndarray, out: dict[str, Any], *args: Any, **kwargs: Any) -> None:
            found = np.atleast_1d(np.ravel_multi_index(tuple(x.astype(int).T), tuple(shape)))
            rows.extend(found.tolist())
            out["F"] = table[found]

    size = 100
    start = np.random.default_rng(seed).integers(0, shape, size=(size, len(shape)))
    known = [np.unravel_index(problem.row(choice), tuple(shape)) for choice in problem.known_choices]
    if known:
        start[: len(known)] = known[:size]
    operators = {"eta": 3.0, "vtype": float, "repair": RoundingRepair()}
    algorithm = PymooNSGA2(
        pop_size=size,
        sampling=start,  # pyright: ignore[reportArgumentType]
        crossover=SBX(prob=1.0, **operators),
        mutation=PM(prob=1.0, **operators),
    )
    minimize(Integers(), algorithm, ("n_eval", n_trials), seed=seed, verbose=False)
    return rows[:n_trials]


def _ofa(problem: TabularProblem, seed: int, n_trials: int) -> list[int]:
    return evolve(problem, n_trials, np.random.default_rng(seed))


COMPETITORS: dict[str, Competitor] = {
    "nsga2": Competitor(drive(NSGA2), ours=True),
    "front": Competitor(drive(Front), ours=True),
    "optuna-nsga2": Competitor(_optuna(lambda seed: NSGAIISampler(seed=seed))),
    "optuna-tpe": Competitor(_optuna(lambda seed: TPESampler(seed=seed))),
    "optuna-gp": Competitor(_optuna(lambda seed: GPSampler(seed=seed)), most_trials=200, most_seeds=3),
    "optuna-random": Competitor(_optuna(lambda seed: RandomSampler(seed=seed))),
    "pymoo-nsga2": Competitor(_pymoo),
    "ofa-evolution": Competitor(_ofa),
}
"""Ours first. A choice that comes again is an evaluation spent; all get the known choices."""
