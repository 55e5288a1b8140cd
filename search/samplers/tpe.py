"""Optuna's tree-structured Parzen estimator, which models the good and the bad trials (Ozaki et al., 2022)."""

from __future__ import annotations

from collections.abc import Container, Sequence

import numpy as np
import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution
from optuna.samplers import TPESampler
from optuna.storages import InMemoryStorage
from optuna.trial import TrialState, create_trial

from search.optuna_logging import quiet_optuna
from search.problem import Point, Problem
from search.samplers.base import Key, Sampler

__all__ = ["TPE"]


class TPE(Sampler):
    """Optuna's multivariate TPE on plain points, which never draws a choice twice."""

    generation = 10

    def __init__(self, problem: Problem) -> None:
        """Prepare to draw.

        Args:
            problem: the problem.
        """
        super().__init__(problem)
        self._distributions: dict[str, BaseDistribution] = {
            name: CategoricalDistribution(tuple(values)) for name, values in problem.choices.items()
        }
        self._storage = InMemoryStorage()
        with quiet_optuna():
            self._study = optuna.create_study(
                storage=self._storage, directions=[o.direction for o in problem.objectives]
            )
        self._history: Sequence[Point] = ()
        self._told: set[int] = set()

    def draw(self, history: Sequence[Point], taken: Container[Key], rng: np.random.Generator) -> Key:
        """Draw as TPE does; values of a choice that is taken are redrawn.

        Args:
            history: finished trials by number, the same object for all draws of a generation.
            taken: choices that are not drawn.
            rng: the source of randomness.

        Returns:
            A choice that is not taken.
        """
        key = self.space.draw(rng)
        with quiet_optuna():
            if history is not self._history:
                self._history = history
                self._tell(history)
            # The constant liar would write to the study, where others of this generation are not.
            estimator = TPESampler(multivariate=True, constant_liar=False, seed=int(rng.integers(2**32)))
            trial = create_trial(state=TrialState.RUNNING)
            drawn = estimator.sample_relative(self._study, trial, self._distributions)
        key = tuple(drawn.get(name, new) for name, new in zip(self.space.names, key, strict=True))
        return self.space.untaken(key, taken, rng)

    def _tell(self, history: Sequence[Point]) -> None:
        self._study.add_trials(
            create_trial(
                params=dict(point.choice),
                distributions=self._distributions,
                values=list(point.values),
                constraints={"violation": point.violation},
            )
            for point in history
            if point.number not in self._told
        )
        self._told.update(point.number for point in history)
        # Opened again, because a study of Optuna keeps the trials that a sampler has read.
        self._study = optuna.load_study(study_name=self._study.study_name, storage=self._storage)
