"""The samplers a study can use, each draw of which depends on a seed and its place in the study alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from optuna.distributions import BaseDistribution
from optuna.samplers import NSGAIISampler, RandomSampler
from optuna.study import Study
from optuna.trial import FrozenTrial

Space = Mapping[str, BaseDistribution]
"""The choices as Optuna's distributions."""


class NSGA2(NSGAIISampler):
    """Optuna's NSGA-II (Deb et al., 2002) for one draw (0, 1, ...) of a study, repeatable from (`entropy`, `draw`).

    A generation has `population` (2 or more) trials.

    Optuna's own sampler advances one random state from trial to trial, so a study that stops and continues
    goes another way. Seeded, it also starts selection and mutation from the same state: fresh for every draw
    the two would be correlated, so here they have states of their own.
    """

    def __init__(self, population: int, space: Space, entropy: int, draw: int) -> None:
        selection, mutation = np.random.SeedSequence((entropy, draw)).generate_state(2)
        super().__init__(population_size=population, seed=int(selection))
        self._values = RandomSampler(seed=int(mutation))
        self._space = dict(space)

    def infer_relative_search_space(self, study: Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        """The whole space, which is known here, instead of the intersection over all past trials."""
        return {name: values for name, values in self._space.items() if not values.single()}

    def sample_independent(
        self, study: Study, trial: FrozenTrial, param_name: str, param_distribution: BaseDistribution
    ) -> Any:
        """A uniform draw: the first generation and mutations."""
        return self._values.sample_independent(study, trial, param_name, param_distribution)

    def get_parent_population(self, study: Study, generation: int) -> list[FrozenTrial]:
        """Parents by trial number, whether selected now or read back from the study."""
        return sorted(super().get_parent_population(study, generation), key=lambda trial: trial.number)


def left_in_generation(finished: Sequence[FrozenTrial], population: int) -> int:
    """How many trials the current generation still takes; a full one is followed by the next."""
    key = NSGA2._get_generation_key()
    generations = [trial.system_attrs.get(key, -1) for trial in finished]
    current = generations.count(max(generations, default=0))
    return population - current if current < population else population
