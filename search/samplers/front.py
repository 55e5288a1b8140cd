"""Bayesian optimisation that scores every choice: for problems that foresee some objectives of each choice."""

from __future__ import annotations

import math
import warnings
from collections.abc import Container, Sequence
from functools import lru_cache
from typing import cast

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_solve, cholesky, solve_triangular
from scipy.special import ndtr
from scipy.stats import qmc
from sklearn.exceptions import ConvergenceWarning
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import ConstantKernel, Kernel, Matern, WhiteKernel

from search import pareto
from search.errors import SearchError
from search.problem import Foreseen, Point, Problem, Value
from search.samplers.base import Key, Sampler

MAX_CHOICES = 100_000
"""The largest space that is scored as a whole."""

_MAX_ENTRIES = 20_000_000  # of the matrix points x choices, 160 MB
_MAX_POINTS = 500
_MAX_FITTED = 200
_N_SAMPLES = 1024
_PER_SCALE = 3  # trials per feature before each feature gets a length scale of its own: fewer overfit
_MARGIN = 0.1
_SPREAD_AMONG = 2_000

Array = NDArray[np.float64]


class Front(Sampler):
    """Spends trials where the front is expected to grow most.

    Objectives that the problem foresees for every choice are taken as known; each other one is modelled by a
    Gaussian process over the choices (Matern 5/2 kernel; texts one-hot, numbers as steps upwards; a length
    scale per feature once there are three trials for each). A draw is the choice of the greatest expected
    hypervolume improvement (Emmerich et al., 2006): in closed form where one of two objectives is known,
    else from samples of the volume. Earlier draws of the same generation count as evaluated at their
    predicted mean (kriging believer: Ginsbourger et al., 2010).

    The first `n_start` trials are spread over options and foreseen objectives. Choices foreseen to break a
    constraint are drawn only when no others are left; constraints that are not foreseen are not learned.
    """

    def __init__(self, problem: Problem, generation: int = 5, n_start: int | None = None) -> None:
        """`n_start` is one trial per choice of the problem, and at least 10, where it is None.

        SearchError: no objective is foreseen for every choice, or all are, or there are more than MAX_CHOICES.
        """
        super().__init__(problem)
        if self.space.size > MAX_CHOICES:
            raise SearchError(
                f"front scores every choice and there are {self.space.size:,}: the limit is {MAX_CHOICES:,};"
                " use nsga2"
            )
        self.generation = generation
        self.n_start = max(10, len(self.space.names)) if n_start is None else n_start
        for name, number, least in (("generation", generation, 1), ("n_start", self.n_start, 2)):
            if number < least:
                raise SearchError(f"{name} is {number}: it must be at least {least}")
        self._keys = list(self.space.grid())
        self._places = {key: place for place, key in enumerate(self._keys)}
        foreseen = problem.foresee([self.space.choice(key) for key in self._keys])
        self._known, self._modelled = self._split(foreseen)
        self._allowed = np.array([all(value <= 0 for value in f.constraints.values()) for f in foreseen])
        features = [_features(options) for options in self.space.options]
        grid = np.indices([len(options) for options in self.space.options]).reshape(len(features), -1)
        self._inputs = np.concatenate([f[i] for f, i in zip(features, grid, strict=True)], axis=1)
        self._kernel = lru_cache(maxsize=4 * len(self._modelled))(self._fit_kernel)
        self._seen: tuple[Point, ...] = ()
        self._models: list[_Process] = []

    def draw(self, history: Sequence[Point], taken: Container[Key], rng: np.random.Generator) -> Key:
        """A free choice: spread out at first, then of the greatest expected hypervolume improvement."""
        used = np.array([key in taken for key in self._keys])
        free = ~used & self._allowed
        if not free.any():
            free = ~used
        tried = np.array([self._places[self.space.key(point.choice)] for point in history], dtype=np.intp)
        if len(history) < self.n_start:
            return self._keys[self._spread(np.flatnonzero(free), np.flatnonzero(used), rng)]
        models = self._condition(history, tried)
        waiting = np.setdiff1d(np.flatnonzero(used), tried)
        deviations = [model.deviation(waiting) for model in models]
        means = [model.mean for model in models]
        return self._keys[self._best(history, tried, waiting, np.flatnonzero(free), means, deviations)]

    def _split(self, foreseen: Sequence[Foreseen]) -> tuple[dict[int, Array], list[int]]:
        """Known losses (n,) by objective and the objectives that have to be modelled."""
        known: dict[int, Array] = {}
        for place, objective in enumerate(self.problem.objectives):
            if all(objective.name in f.values for f in foreseen):
                values = [[f.values[objective.name]] for f in foreseen]
                known[place] = pareto.losses(values, [objective.direction])[:, 0]
        names = ", ".join(objective.name for objective in self.problem.objectives)
        if not known:
            raise SearchError(
                f"front needs an objective that is foreseen for every choice, of {names}: use nsga2"
            )
        if len(known) == len(self.problem.objectives):
            raise SearchError(
                f"front has nothing to learn, as {names} are foreseen for every choice: use nsga2"
            )
        return known, [place for place in range(len(self.problem.objectives)) if place not in known]

    def _spread(self, free: NDArray[np.intp], used: NDArray[np.intp], rng: np.random.Generator) -> int:
        """The free choice that is farthest from those used, among some: options and foreseen objectives."""
        among = rng.choice(free, min(len(free), _SPREAD_AMONG), replace=False)
        if len(used) == 0:
            return int(among[0])
        losses = np.stack(list(self._known.values()), axis=1)
        scaled = (losses - losses.min(axis=0)) / np.maximum(np.ptp(losses, axis=0), 1e-300)
        position = np.concatenate([self._inputs, scaled * math.sqrt(len(self.space.names))], axis=1)
        nearest = np.full(len(among), np.inf)
        for place in used[-self.n_start * 4 :]:
            nearest = np.minimum(nearest, np.sum((position[among] - position[place]) ** 2, axis=1))
        return int(among[np.argmax(nearest)])

    def _condition(self, history: Sequence[Point], tried: NDArray[np.intp]) -> list[_Process]:
        """Models of the objectives that are not known, given the history; the same while it is."""
        if self._seen != tuple(history):
            values = self._losses(history)
            newest = slice(-min(_MAX_POINTS, max(1, _MAX_ENTRIES // len(self._keys))), None)
            n_fitted = _scheduled(len(history), self.n_start)
            fitted = np.unique(np.linspace(0, n_fitted - 1, min(n_fitted, _MAX_FITTED)).round().astype(int))
            self._models = []
            for place in self._modelled:
                kernel = self._kernel(tuple(tried[fitted].tolist()), tuple(values[fitted, place].tolist()))
                self._models.append(_Process(kernel, self._inputs, tried[newest], values[newest, place]))
            self._seen = tuple(history)
        return self._models

    def _fit_kernel(self, tried: tuple[int, ...], values: tuple[float, ...]) -> Kernel:
        inputs = self._inputs[list(tried)]
        n_scales = inputs.shape[1] if len(inputs) >= _PER_SCALE * inputs.shape[1] else 1
        scales = np.full(n_scales, math.sqrt(len(self.space.names)))
        signal = ConstantKernel(1.0, (1e-2, 1e3)) * Matern(scales, (0.3, 30.0), nu=2.5)  # pyright: ignore[reportArgumentType]
        process = GaussianProcessRegressor(signal + WhiteKernel(1e-3, (1e-6, 1.0)), alpha=1e-10)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # length scales at their bounds
            process.fit(inputs, _standard(np.array(values)))
        return cast(Kernel, process.kernel_)

    def _losses(self, history: Sequence[Point]) -> Array:
        directions = [objective.direction for objective in self.problem.objectives]
        return pareto.losses([point.values for point in history], directions)

    def _best(
        self,
        history: Sequence[Point],
        tried: NDArray[np.intp],
        waiting: NDArray[np.intp],
        free: NDArray[np.intp],
        means: list[Array],
        deviations: list[Array],
    ) -> int:
        """The free choice of the greatest expected improvement; the most unsure where none can improve."""
        n_objectives = len(self.problem.objectives)
        mean, deviation = np.empty((2, len(self._keys), n_objectives))
        for place, losses in self._known.items():
            mean[:, place], deviation[:, place] = losses, 0.0
        for place, losses, sigma in zip(self._modelled, means, deviations, strict=True):
            mean[:, place], deviation[:, place] = losses, sigma
        observed = self._losses(history)
        feasible = np.array([point.feasible for point in history])
        believed = mean[waiting[self._allowed[waiting]]]
        rows = np.concatenate([observed[feasible], believed])
        rows = rows[pareto.front_mask(rows, ["minimize"] * n_objectives)]
        low, high = observed.min(axis=0), observed.max(axis=0)
        for place, losses in self._known.items():
            low[place], high[place] = losses.min(), losses.max()
        reference = high + _MARGIN * (high - low)
        if n_objectives == 2:
            known, modelled = next(iter(self._known)), self._modelled[0]
            order = [known, modelled]
            gains = _improvement_2d(
                rows[:, order], reference[order], mean[free][:, order], deviation[free, modelled]
            )
        else:
            gains = _improvement(rows, low, reference, mean[free], deviation[free])
        if gains.max() > 0:
            return int(free[np.argmax(gains)])
        return int(free[np.argmax(deviation[free].sum(axis=1))])


class _Process:
    """A Gaussian process conditioned on the losses of some choices; `mean` (n,) is in the losses' unit."""

    def __init__(self, kernel: Kernel, inputs: Array, tried: NDArray[np.intp], values: Array) -> None:
        self._signal, noise = kernel.k1, kernel.k2.noise_level  # type: ignore[attr-defined]
        self._noise = float(noise) + 1e-10
        self._inputs = inputs
        self._centre, self._scale = float(values.mean()), float(values.std()) or 1.0
        covariance = self._signal(inputs[tried]) + self._noise * np.eye(len(tried))
        lower = cholesky(covariance, lower=True)
        across = self._signal(inputs[tried], inputs)
        weights = cho_solve((lower, True), (values - self._centre) / self._scale)
        self.mean = self._centre + self._scale * (weights @ across)
        self._explained = solve_triangular(lower, across, lower=True)
        self._variance = self._signal.diag(inputs) - np.sum(self._explained**2, axis=0)

    def deviation(self, waiting: NDArray[np.intp]) -> Array:
        """Standard deviations (n,) once the choices `waiting` are observed as well."""
        variance = self._variance
        if len(waiting):
            across = self._signal(self._inputs[waiting], self._inputs)
            across -= self._explained[:, waiting].T @ self._explained
            lower = cholesky(across[:, waiting] + self._noise * np.eye(len(waiting)), lower=True)
            variance = variance - np.sum(solve_triangular(lower, across, lower=True) ** 2, axis=0)
        return self._scale * np.sqrt(np.maximum(variance, 1e-12))


def _features(options: Sequence[Value]) -> Array:
    """Rows (n_options, n_features): a step upwards at each number but the least, or one column for each text."""
    numbers = [option for option in options if not isinstance(option, str)]
    if len(numbers) < len(options):
        return np.eye(len(options)) / math.sqrt(2)
    return np.array([[float(number >= step) for step in sorted(numbers)[1:]] for number in numbers])


def _standard(values: Array) -> Array:
    return (values - values.mean()) / (values.std() or 1.0)


def _scheduled(n: int, first: int) -> int:
    """The number of points that hyper-parameters were last fitted on: `first`, then a quarter more each time."""
    step = max(0, math.floor(math.log(n / first) / math.log(1.25) + 1e-9))
    return min(n, math.ceil(first * 1.25**step))


def _improvement_2d(rows: Array, reference: Array, mean: Array, deviation: Array) -> Array:
    """Expected hypervolume improvement (n,) in closed form; the first loss is known, the second is modelled.

    Beyond a first loss of t, `rows` reach some best second loss f(t); the improvement is the integral of
    max(0, f(t) - y) over t from the choice's own first loss to the reference.
    """
    rows = rows[np.all(rows < reference, axis=1)]
    rows = rows[np.lexsort((rows[:, 1], rows[:, 0]))]
    best = np.minimum.accumulate(np.append(reference[1], rows[:, 1]))
    starts = np.append(-np.inf, rows[:, 0])
    ends = np.append(rows[:, 0], reference[0])
    widths = np.maximum(0.0, ends - np.maximum(starts, mean[:, :1]))  # (n, segments)
    kept = widths.any(axis=0)
    gap = best[kept] - mean[:, 1:]
    z = gap / deviation[:, None]
    density = np.exp(-0.5 * z**2) / math.sqrt(2 * math.pi)
    return np.sum(widths[:, kept] * np.maximum(0.0, gap * ndtr(z) + deviation[:, None] * density), axis=1)


def _improvement(rows: Array, low: Array, reference: Array, mean: Array, deviation: Array) -> Array:
    """Expected hypervolume improvement (n,): the integral of P(a choice dominates z) over z not yet dominated.

    z are quasi-random samples (Sobol) of the box between what can be hoped for and the reference.
    """
    unit = qmc.Sobol(len(reference), scramble=False).random(_N_SAMPLES)
    low = np.minimum(low, mean.min(axis=0) - deviation.max(axis=0))
    samples = low + unit * (reference - low)
    dominated = np.zeros(len(samples), dtype=np.bool_)
    for row in rows:
        dominated |= np.all(row <= samples, axis=1)
    gains = np.zeros(len(mean))
    sure = np.maximum(deviation, 1e-12)
    for sample in samples[~dominated]:
        gains += np.prod(ndtr((sample - mean) / sure), axis=1)
    return gains * np.prod(reference - low) / len(samples)
