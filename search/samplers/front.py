"""Bayesian optimisation over whole spaces of choices, for problems that foresee some objectives of each choice."""

from __future__ import annotations

import math
from collections.abc import Container, Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr
from sklearn.gaussian_process.kernels import Kernel

from search import pareto
from search.errors import SearchError
from search.problem import Point, Problem
from search.samplers.base import Key, Sampler
from search.samplers.candidates import CandidatePool, generator_for
from search.samplers.gaussian_process import Process, fit_kernel
from search.samplers.hypervolume_improvement import improvement, improvement_2d

__all__ = ["MAX_CHOICES", "Front"]

MAX_CHOICES = 100_000
"""The largest space that is scored as a whole."""

_MAX_ENTRIES = 20_000_000  # of the matrix points x choices, 160 MB
_MAX_POINTS = 500
_MAX_FITTED = 200
_MARGIN = 0.1
_SPREAD_AMONG = 2_000
_ROUNDS = 3  # of breeding from the predicted front
_LEAST_CHANCE = 1e-3

Array = NDArray[np.float64]


class Front(Sampler):
    """Spends trials where the front is expected to grow most.

    Objectives that the problem foresees for every choice are taken as known; each other one is modelled by a
    Gaussian process over the choices (Matern 5/2 kernel; texts one-hot, numbers as steps upwards; a length
    scale per feature once there are three trials for each). A draw is the choice of the greatest expected
    hypervolume improvement (Emmerich et al., 2006): in closed form where one of two objectives is known,
    otherwise from samples of the volume. Earlier draws of the same generation count as evaluated at their
    predicted mean (kriging believer: Ginsbourger et al., 2010).

    The first `n_start` trials are spread over options and foreseen objectives. Choices foreseen to break a
    constraint are drawn only when no others are left. Where others turn out to break one, how much they do is
    modelled too, and the expected improvement weighted by the probability of being feasible (Gardner et al., 2014).

    Of a space of more than MAX_CHOICES only a pool is scored, another for each generation: uniform draws and
    children of the predicted front, which is found by breeding and predicting in turn. Where foreseen constraints
    allow hardly any, those that break them least are bred first; what is allowed elsewhere may be overlooked.
    """

    def __init__(self, problem: Problem, generation: int = 5, n_start: int | None = None) -> None:
        """Prepare to draw.

        Args:
            problem: the problem.
            generation: draws between two updates of the models, at least 1.
            n_start: trials before the models are used, at least 2; None for as many as the problem has choices, and
                at least 10.

        Raises:
            SearchError: no objective is foreseen for every choice, or all are; or a number is out of its range.
        """
        super().__init__(problem)
        self._minimised = ["minimize"] * len(problem.objectives)
        self.generation = generation
        self.n_start = max(10, len(self.space.names)) if n_start is None else n_start
        for name, number, least in (("generation", generation, 1), ("n_start", self.n_start, 2)):
            if number < least:
                raise SearchError(f"{name} is {number}: it must be at least {least}")
        self._gatherer = CandidatePool(problem, self.space)
        self._whole = self.space.size <= MAX_CHOICES
        if self._whole:
            self._candidates = self._gatherer.describe(list(self.space.grid()))
        else:
            self._candidates = self._gatherer.gather((), generator_for(()))
        self._modelled = self._check_objectives()
        self._kernel = lru_cache(maxsize=4 * len(self._modelled))(self._fit_kernel)
        self._seen: tuple[Point, ...] = ()
        self._models: list[Process] = []
        self._chances: Array | None = None

    def draw(self, history: Sequence[Point], taken: Container[Key], rng: np.random.Generator) -> Key:
        """Draw a choice: spread out at first, then of the greatest expected hypervolume improvement.

        Args:
            history: finished trials by number, the same object for all draws of a generation.
            taken: choices that are not drawn.
            rng: the source of randomness.

        Returns:
            A choice that is not taken.
        """
        self._learn(history)
        keys = self._candidates.keys
        used = np.array([key in taken for key in keys])
        free = ~used & self._candidates.allowed
        if not free.any():
            free = ~used
        if not free.any():  # of a pool
            return self.space.untaken(self.space.draw(rng), taken, rng)
        if not self._models:
            return keys[self._spread(np.flatnonzero(free), np.flatnonzero(used), rng)]
        tried = [self._candidates.indices[self.space.key(point.choice)] for point in history]
        waiting = np.setdiff1d(np.flatnonzero(used), tried)
        deviations = [model.deviation(waiting) for model in self._models]
        return keys[self._best(history, waiting, np.flatnonzero(free), deviations)]

    def _check_objectives(self) -> list[int]:
        """The indices of the objectives that have to be modelled."""
        n_objectives, n_known = len(self.problem.objectives), len(self._candidates.known)
        names = ", ".join(objective.name for objective in self.problem.objectives)
        if not n_known:
            raise SearchError(
                f"front needs an objective that is foreseen for every choice, of {names}: use nsga2"
            )
        if n_known == n_objectives:
            raise SearchError(
                f"front has nothing to learn, as {names} are foreseen for every choice: use nsga2"
            )
        return [index for index in range(n_objectives) if index not in self._candidates.known]

    def _spread(self, free: NDArray[np.intp], used: NDArray[np.intp], rng: np.random.Generator) -> int:
        """The free choice that is farthest from those used, among some: options and foreseen objectives."""
        among = rng.choice(free, min(len(free), _SPREAD_AMONG), replace=False)
        if len(used) == 0:
            return int(among[0])
        losses = np.stack(list(self._candidates.known.values()), axis=1)
        scaled = (losses - losses.min(axis=0)) / np.maximum(np.ptp(losses, axis=0), 1e-300)
        inputs = self._candidates.inputs
        position = np.concatenate([inputs, scaled * math.sqrt(len(self.space.names))], axis=1)
        nearest = np.full(len(among), np.inf)
        for index in used[-self.n_start * 4 :]:
            nearest = np.minimum(nearest, np.sum((position[among] - position[index]) ** 2, axis=1))
        return int(among[np.argmax(nearest)])

    def _learn(self, history: Sequence[Point]) -> None:
        """Candidates for this history, and models of the objectives that are not known once it is long enough."""
        if self._seen == tuple(history):
            return
        self._seen, self._models, self._chances = tuple(history), [], None
        tried = [self.space.key(point.choice) for point in history]
        values = self._losses(history)
        rng = generator_for(tried)
        if not self._whole:
            self._candidates = self._gatherer.gather(history, rng)
        if len(history) < self.n_start:
            return
        kernels = [self._fitted(tried, values[:, index]) for index in self._modelled]
        self._condition(kernels, tried, values)
        for _ in range(0 if self._whole else _ROUNDS):
            self._candidates = self._gatherer.breed(tried, self._predicted_front(), rng)
            self._condition(kernels, tried, values)
        self._chances = self._feasible_chances(history)

    def _fitted(self, tried: Sequence[Key], values: Array) -> Kernel:
        """The kernel for these values, fitted again after every quarter more of them."""
        n_fitted = _scheduled(len(tried), self.n_start)
        indices = np.unique(np.linspace(0, n_fitted - 1, min(n_fitted, _MAX_FITTED)).round().astype(int))
        return self._kernel(tuple(tried[i] for i in indices), tuple(values[indices].tolist()))

    def _condition(self, kernels: Sequence[Kernel], tried: Sequence[Key], values: Array) -> None:
        columns = (values[:, index] for index in self._modelled)
        self._models = [self._process(*given, tried) for given in zip(kernels, columns, strict=True)]

    def _process(self, kernel: Kernel, values: Array, tried: Sequence[Key]) -> Process:
        """A model of `values` over the candidates, from the newest of the choices tried."""
        inputs = self._candidates.inputs
        newest = slice(-min(_MAX_POINTS, max(1, _MAX_ENTRIES // len(inputs))), None)
        indices = np.array([self._candidates.indices[key] for key in tried[newest]], dtype=np.intp)
        return Process(kernel, inputs, indices, values[newest])

    def _feasible_chances(self, history: Sequence[Point]) -> Array | None:
        """The probability (n,) of each candidate to be feasible; None if no point was infeasible unforeseen."""
        keys = [self.space.key(point.choice) for point in history]
        allowed = self._candidates.allowed
        surprising = [index for index, key in enumerate(keys) if allowed[self._candidates.indices[key]]]
        violations = np.array([history[index].violation for index in surprising])
        if not violations.any():
            return None
        tried = [keys[index] for index in surprising]
        model = self._process(self._fitted(tried, violations), violations, tried)
        threshold = 0.5 * violations[violations > 0].min()
        chances = ndtr((threshold - model.mean) / model.deviation(np.empty(0, dtype=np.intp)))
        return np.maximum(chances, _LEAST_CHANCE)

    def _predicted_front(self) -> list[Key]:
        """The candidates that may be tried and that no other one is predicted to dominate."""
        allowed = np.flatnonzero(self._candidates.allowed)
        best = pareto.front_mask(self._losses_predicted()[allowed], self._minimised)
        return [self._candidates.keys[index] for index in allowed[best]]

    def _losses_predicted(self) -> Array:
        """Losses (n, k) of all candidates: foreseen, or the models' means."""
        losses = np.empty((len(self._candidates.keys), len(self.problem.objectives)))
        for index, known in self._candidates.known.items():
            losses[:, index] = known
        for index, model in zip(self._modelled, self._models, strict=True):
            losses[:, index] = model.mean
        return losses

    def _fit_kernel(self, tried: tuple[Key, ...], values: tuple[float, ...]) -> Kernel:
        return fit_kernel(self._gatherer.encode(tried), np.array(values), math.sqrt(len(self.space.names)))

    def _losses(self, history: Sequence[Point]) -> Array:
        directions = [objective.direction for objective in self.problem.objectives]
        return pareto.losses([point.values for point in history], directions)

    def _best(
        self,
        history: Sequence[Point],
        waiting: NDArray[np.intp],
        free: NDArray[np.intp],
        deviations: list[Array],
    ) -> int:
        """The free choice of the greatest expected improvement; the most uncertain one if none can improve."""
        n_objectives = len(self.problem.objectives)
        known = self._candidates.known
        mean = self._losses_predicted()
        deviation = np.zeros_like(mean)
        for index, sigma in zip(self._modelled, deviations, strict=True):
            deviation[:, index] = sigma
        observed = self._losses(history)
        feasible = np.array([point.feasible for point in history])
        believed = mean[waiting[self._candidates.allowed[waiting]]]
        rows = np.concatenate([observed[feasible], believed])
        rows = rows[pareto.front_mask(rows, self._minimised)]
        low, high = observed.min(axis=0), observed.max(axis=0)
        for index, losses in known.items():
            low[index], high[index] = losses.min(), losses.max()
        reference = high + _MARGIN * (high - low)
        if n_objectives == 2:
            modelled = self._modelled[0]
            order = [next(iter(known)), modelled]
            gains = improvement_2d(
                rows[:, order], reference[order], mean[free][:, order], deviation[free, modelled]
            )
        else:
            gains = improvement(rows, low, reference, mean[free], deviation[free])
        if self._chances is not None:
            gains *= self._chances[free]
        if gains.max() > 0:
            return int(free[np.argmax(gains)])
        return int(free[np.argmax(deviation[free].sum(axis=1))])


def _scheduled(n: int, first: int) -> int:
    """The number of points that hyper-parameters were last fitted on: `first`, then a quarter more each time."""
    step = max(0, math.floor(math.log(n / first) / math.log(1.25) + 1e-9))
    return min(n, math.ceil(first * 1.25**step))
