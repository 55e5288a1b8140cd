"""NSGA-II (Deb et al., 2002) over a study's whole history: Optuna's operators, but no choice is drawn twice."""

from __future__ import annotations

import math
from collections.abc import Container, Sequence

import numpy as np
import optuna
from numpy.typing import NDArray
from optuna.distributions import CategoricalDistribution
from optuna.samplers import NSGAIISampler
from optuna.study import Study
from optuna.trial import FrozenTrial, TrialState, create_trial

from search import pareto
from search.errors import SearchError
from search.optuna_logging import quiet_optuna
from search.problem import Point, Problem
from search.samplers.base import Key, Sampler

__all__ = ["ELITES_PER_CHILD", "NSGA2", "SWAPPING"]

ELITES_PER_CHILD = 1.5
SWAPPING = 0.1
"""The probability of each value to come from the second parent."""
_MAX_CHILDREN = 10


class NSGA2(Sampler):
    """Optuna's NSGA-II on plain points.

    A generation has `population` draws. Its parents are the elites of all trials before it, one and a half times as
    many: by rank, then by crowding distance, with Optuna's rules for constraints. A child of two parents keeps the
    values that Optuna's crossover gives it; values that mutate are redrawn. A child that is taken is discarded and
    another one is bred. The first generation is drawn uniformly.

    Small generations, few elites and rare swaps need the fewest evaluations on the 3^8 widths of a SuperGenerator.
    """

    def __init__(self, problem: Problem, population: int = 10) -> None:
        """Prepare to draw.

        Args:
            problem: the problem.
            population: draws of one generation, at least 2.

        Raises:
            SearchError: the population is smaller.
        """
        if population < 2:
            raise SearchError(f"population is {population}: it must be at least 2")
        super().__init__(problem)
        self.generation = population
        self._n_elites = math.ceil(ELITES_PER_CHILD * population)
        self._distributions = {name: CategoricalDistribution(tuple(v)) for name, v in problem.choices.items()}
        with quiet_optuna():  # Optuna's operators ask a study for its directions alone
            self._study = optuna.create_study(directions=[o.direction for o in problem.objectives])
        self._child = create_trial(state=TrialState.RUNNING)
        self._parents: list[FrozenTrial] = []
        self._history: Sequence[Point] = ()
        self._kept: list[Point] = []
        self._values = np.empty((0, len(problem.objectives)))
        self._violations = np.empty(0)

    def draw(self, history: Sequence[Point], taken: Container[Key], rng: np.random.Generator) -> Key:
        """Draw a child of the elites of `history`; after many that are taken, one with redrawn values.

        Args:
            history: finished trials by number, the same object for all draws of a generation.
            taken: choices that are not drawn.
            rng: the source of randomness.

        Returns:
            A choice that is not taken.
        """
        if history is not self._history:
            self._history, self._parents = history, self._select(history)
        key = self.space.draw(rng)
        if self._parents:
            evolution = _Evolution(self._n_elites, int(rng.integers(2**32)), self._parents)
            for _ in range(_MAX_CHILDREN):
                child = evolution.sample_relative(self._study, self._child, dict(self._distributions))
                drawn = self.space.draw(rng)
                key = tuple(child.get(name, new) for name, new in zip(self.space.names, drawn, strict=True))
                if key not in taken:
                    return key
        return self.space.untaken(key, taken, rng)

    def _select(self, history: Sequence[Point]) -> list[FrozenTrial]:
        """The elites of `history` by number."""
        candidates = [self._as_trial(history[index]) for index in self._best_layers(history)]
        elites = _Evolution(self._n_elites, 0, candidates).select_parent(self._study, 1)
        return sorted(elites, key=lambda trial: trial.number)

    def _best_layers(self, history: Sequence[Point]) -> list[int]:
        """Indices of the only points that can be elites, which makes ranking thousands of points cheap."""
        values, violations = self._arrays(history)
        left = np.flatnonzero(violations == 0)
        best: list[int] = []
        directions = [objective.direction for objective in self.problem.objectives]
        while len(left) and len(best) < self._n_elites:
            on_front = pareto.front_mask(values[left], directions)
            best += left[on_front].tolist()
            left = left[~on_front]
        infeasible = np.flatnonzero(violations > 0)
        if len(infeasible) and len(best) < self._n_elites:
            most = np.sort(violations[infeasible])[: self._n_elites - len(best)][-1]
            best += infeasible[violations[infeasible] <= most].tolist()
        return sorted(best)

    def _arrays(self, history: Sequence[Point]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Values (n, k) and violations (n,), positive where infeasible; those of earlier calls are kept."""
        n_kept = len(self._kept)
        if list(history[:n_kept]) != self._kept:
            self._kept, n_kept = [], 0
            self._values, self._violations = np.empty((0, len(self.problem.objectives))), np.empty(0)
        new = history[n_kept:]
        if new:
            self._kept.extend(new)
            self._values = np.concatenate([self._values, [point.values for point in new]])
            self._violations = np.append(self._violations, [_violation(point) for point in new])
        return self._values, self._violations

    def _as_trial(self, point: Point) -> FrozenTrial:
        trial = create_trial(
            params=dict(point.choice),
            distributions=dict(self._distributions),
            values=list(point.values),
            constraints={"violation": _violation(point)},
        )
        trial.number = point.number
        return trial


def _violation(point: Point) -> float:
    return 0.0 if point.feasible else max(point.violation, np.finfo(float).tiny)


class _Evolution(NSGAIISampler):
    """Optuna's sampler with a given population and given parents, which it does not read from a study."""

    def __init__(self, population: int, seed: int, trials: list[FrozenTrial]) -> None:
        super().__init__(population_size=population, swapping_prob=SWAPPING, seed=seed)
        self._trials = trials

    def get_trial_generation(self, study: Study, trial: FrozenTrial) -> int:
        return 1

    def get_population(self, study: Study, generation: int) -> list[FrozenTrial]:
        return self._trials

    def get_parent_population(self, study: Study, generation: int) -> list[FrozenTrial]:
        return self._trials if generation == 1 else []
