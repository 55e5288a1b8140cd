"""Optuna's tree-structured Parzen estimator, which models the good and the bad trials (Ozaki et al., 2022)."""

from __future__ import annotations

from collections.abc import Container, Sequence

import numpy as np
import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution
from optuna.trial import TrialState, create_trial

from search.problem import Point, Problem
from search.quiet import quiet_optuna
from search.samplers.base import Key, Sampler


class TPE(Sampler):
    """Optuna's multivariate TPE on plain points, which never draws a choice twice."""

    generation = 10

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem)
        self._space: dict[str, BaseDistribution] = {
            name: CategoricalDistribution(tuple(values)) for name, values in problem.choices.items()
        }
        with quiet_optuna():
            self._study = optuna.create_study(directions=[o.direction for o in problem.objectives])
        self._told: set[int] = set()

    def draw(self, history: Sequence[Point], taken: Container[Key], rng: np.random.Generator) -> Key:
        """TPE's draw; where it is taken, some of its values are drawn anew."""
        for point in history:
            if point.number not in self._told:
                self._told.add(point.number)
                self._study.add_trial(
                    create_trial(
                        params=dict(point.choice),
                        distributions=self._space,
                        values=list(point.values),
                        constraints={"violation": point.violation},
                    )
                )
        key = self.space.draw(rng)
        with quiet_optuna():
            estimator = optuna.samplers.TPESampler(multivariate=True, seed=int(rng.integers(2**32)))
            trial = create_trial(state=TrialState.RUNNING)
            drawn = estimator.sample_relative(self._study, trial, self._space)
        key = tuple(drawn.get(name, new) for name, new in zip(self.space.names, key, strict=True))
        return self.space.untaken(key, taken, rng)
