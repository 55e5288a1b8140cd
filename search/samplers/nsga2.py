"""The samplers a study can use, each draw of which depends on a seed and its place in the study alone."""

from __future__ import annotations

import itertools
from collections.abc import Container, Mapping, Sequence
from typing import Any

import numpy as np
from optuna.distributions import BaseDistribution, CategoricalDistribution
from optuna.samplers import NSGAIISampler
from optuna.study import Study
from optuna.trial import FrozenTrial

from search.problem import Value

Space = Mapping[str, CategoricalDistribution]
"""The choices as Optuna's distributions."""

Key = tuple[Value, ...]
"""A choice's values in the order of the space."""

_MAX_REDRAWS = 1000


class NSGA2(NSGAIISampler):
    """Optuna's NSGA-II (Deb et al., 2002) for one draw (0, 1, ...) of a study, repeatable from (`entropy`, `draw`).

    A generation has `population` (2 or more) trials.

    Optuna's own sampler advances one random state from trial to trial, so a study that stops and continues
    goes another way. Seeded, it also starts selection and mutation from the same state: fresh for every draw
    the two would be correlated, so here they have states of their own.

    No choice in `taken` is drawn: such a child has genes drawn anew, one after the other, until it is another.
    `known` choices are drawn first, as members of the first generation. There must be a choice left.
    """

    def __init__(
        self,
        population: int,
        space: Space,
        entropy: int,
        draw: int,
        taken: Container[Key] = (),
        known: Sequence[Mapping[str, Value]] = (),
    ) -> None:
        selection, mutation = np.random.SeedSequence((entropy, draw)).generate_state(2)
        super().__init__(population_size=population, seed=int(selection))
        self._genes = np.random.default_rng(int(mutation))
        self._space = dict(space)
        self._taken = taken
        self._known = known[draw] if draw < len(known) else None

    def infer_relative_search_space(self, study: Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        """The whole space, which is known here, instead of the intersection over all past trials."""
        return dict(self._space)

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        """A whole choice that is not taken: a known one, a child of the parents, or a uniform draw."""
        child = super().sample_relative(
            study, trial, search_space
        )  # lacks what mutates; empty without parents
        if self._known is not None and self._key(self._known) not in self._taken:
            child = dict(self._known)
        choice = {name: child[name] if name in child else self._draw_gene(name) for name in self._space}
        redrawn = itertools.cycle(self._genes.permutation(list(self._space)).tolist())
        for name in itertools.islice(redrawn, _MAX_REDRAWS):
            if self._key(choice) not in self._taken:
                return choice
            choice[name] = self._draw_gene(name)
        # Next to nothing is left: no more than len(taken) + 1 steps.
        options: list[tuple[Any, ...]] = [distribution.choices for distribution in self._space.values()]
        left = next(key for key in itertools.product(*options) if key not in self._taken)
        return dict(zip(self._space, left, strict=True))

    def _draw_gene(self, name: str) -> Any:
        options = self._space[name].choices
        return options[self._genes.integers(len(options))]

    def _key(self, choice: Mapping[str, Any]) -> Key:
        return tuple(choice[name] for name in self._space)

    def get_parent_population(self, study: Study, generation: int) -> list[FrozenTrial]:
        """Parents by trial number, whether selected now or read back from the study."""
        return sorted(super().get_parent_population(study, generation), key=lambda trial: trial.number)


def left_in_generation(finished: Sequence[FrozenTrial], population: int) -> int:
    """How many trials the current generation still takes; a full one is followed by the next."""
    key = NSGA2._get_generation_key()
    generations = [trial.system_attrs.get(key, -1) for trial in finished]
    current = generations.count(max(generations, default=0))
    return population - current if current < population else population
