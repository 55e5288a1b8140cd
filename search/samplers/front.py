"""Bayesian optimisation over whole spaces of choices, for problems that foresee some objectives of each choice."""

from __future__ import annotations

import math
import warnings
import zlib
from collections.abc import Container, Sequence
from dataclasses import dataclass
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
from search.problem import Point, Problem, Value, foresee
from search.samplers.base import Key, Sampler

MAX_CHOICES = 100_000
"""The largest space that is scored as a whole."""

POOL = 10_000
"""Of a larger one: how many choices are scored for each generation."""

_MAX_ENTRIES = 20_000_000  # of the matrix points x choices, 160 MB
_MAX_POINTS = 500
_MAX_FITTED = 200
_N_SAMPLES = 1024
_PER_SCALE = 3  # trials per feature before each feature gets a length scale of its own: fewer overfit
_MARGIN = 0.1
_SPREAD_AMONG = 2_000
_ROUNDS = 3  # of breeding from the predicted front
_FEW = 100  # choices that break the foreseen constraints least are bred until they are allowed,
_IDLE_ROUNDS = 3  # or for so many rounds nothing has come of it
_MUTATED = 1.5  # values of a child, on average
_LEAST_CHANCE = 1e-3
_MAX_FEATURES = 64  # of one choice of the problem: one for each option would be the square of the options

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
    constraint are drawn only when no others are left. Where others turn out to break one, how much they do is
    modelled too, and the expected improvement weighted by the chance to be feasible (Gardner et al., 2014).

    Of a space of more than MAX_CHOICES only POOL are scored, others for each generation: uniform draws and
    children of the predicted front, which is found by breeding and predicting in turn. Where foreseen constraints
    allow hardly any, those that break them least are bred first; what is allowed elsewhere may be overlooked.
    """

    def __init__(self, problem: Problem, generation: int = 5, n_start: int | None = None) -> None:
        """`n_start` is one trial per choice of the problem, and at least 10, where it is None.

        SearchError: no objective is foreseen for every choice, or all are.
        """
        super().__init__(problem)
        self._minimised = ["minimize"] * len(problem.objectives)
        self.generation = generation
        self.n_start = max(10, len(self.space.names)) if n_start is None else n_start
        for name, number, least in (("generation", generation, 1), ("n_start", self.n_start, 2)):
            if number < least:
                raise SearchError(f"{name} is {number}: it must be at least {least}")
        self._features = [_features(options) for options in self.space.options]
        self._modelled: list[int] = []
        self._whole = self.space.size <= MAX_CHOICES
        if self._whole:
            self._candidates = self._describe(list(self.space.grid()))
        else:
            self._candidates = self._gather((), _generator(()))
        self._modelled = self._check_objectives()
        self._kernel = lru_cache(maxsize=4 * len(self._modelled))(self._fit_kernel)
        self._seen: tuple[Point, ...] = ()
        self._models: list[_Process] = []
        self._chances: Array | None = None

    def draw(self, history: Sequence[Point], taken: Container[Key], rng: np.random.Generator) -> Key:
        """A free choice: spread out at first, then of the greatest expected hypervolume improvement."""
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
        tried = [self._candidates.places[self.space.key(point.choice)] for point in history]
        waiting = np.setdiff1d(np.flatnonzero(used), tried)
        deviations = [model.deviation(waiting) for model in self._models]
        return keys[self._best(history, waiting, np.flatnonzero(free), deviations)]

    def _check_objectives(self) -> list[int]:
        """The objectives that have to be modelled; SearchError where there are none, or nothing is known."""
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
        return [place for place in range(n_objectives) if place not in self._candidates.known]

    def _describe(self, keys: list[Key]) -> _Candidates:
        foreseen = foresee(self.problem, [self.space.choice(key) for key in keys])
        known: dict[int, Array] = {}
        for place, objective in enumerate(self.problem.objectives):
            if place in self._modelled:
                continue
            untold = next((i for i, f in enumerate(foreseen) if objective.name not in f.values), None)
            if untold is not None:
                if self._modelled:  # all of an earlier pool were told
                    raise SearchError(
                        f"{objective.name} is foreseen for other choices, not for"
                        f" {self.space.choice(keys[untold])}: foresee it for every choice or for none"
                    )
            else:
                values = [[f.values[objective.name]] for f in foreseen]
                known[place] = pareto.losses(values, [objective.direction])[:, 0]
        violations = np.array([sum(max(0.0, value) for value in f.constraints.values()) for f in foreseen])
        places = {key: place for place, key in enumerate(keys)}
        return _Candidates(keys, places, self._encode(keys), known, violations)

    def _encode(self, keys: Sequence[Key]) -> Array:
        """Rows of features (n, n_features)."""
        columns = []
        for options, features, values in zip(
            self.space.options, self._features, zip(*keys, strict=True), strict=True
        ):
            place = {option: i for i, option in enumerate(options)}
            columns.append(features[[place[value] for value in values]])
        return np.concatenate(columns, axis=1)

    def _gather(self, history: Sequence[Point], rng: np.random.Generator) -> _Candidates:
        """Candidates of a large space; where few are allowed, those that break the constraints least are bred."""
        tried = [self.space.key(point.choice) for point in history]
        elites = [key for key, point in zip(tried, history, strict=True) if point.feasible]
        candidates = self._describe(self._pool(tried, elites, rng))
        before, n_idle = np.inf, 0
        while n_idle < _IDLE_ROUNDS:
            violations = candidates.violations[len(tried) :]  # of those that are not tried
            least = np.argsort(violations, kind="stable")[:_FEW]
            broken = violations[least].sum()
            if broken == 0:
                break
            n_idle = 0 if broken < before else n_idle + 1
            before = min(before, broken)
            elites = [candidates.keys[len(tried) + place] for place in least]
            candidates = self._describe(self._pool(tried, elites, rng))
        return candidates

    def _pool(self, tried: Sequence[Key], elites: Sequence[Key], rng: np.random.Generator) -> list[Key]:
        """The tried choices first, then `elites`, their children and uniform draws."""
        n_options = np.array([len(options) for options in self.space.options])
        drawn = rng.integers(n_options, size=(POOL, len(n_options)))
        if elites:
            parents = np.array(
                [[o.index(v) for o, v in zip(self.space.options, key, strict=True)] for key in elites]
            )
            n_children = POOL // 2
            first, second = parents[rng.integers(len(parents), size=(2, n_children))]
            child = np.where(rng.random(first.shape) < 0.5, first, second)
            mutated = rng.random(first.shape) < _MUTATED / len(n_options)
            drawn[:n_children] = np.where(mutated, drawn[:n_children], child)
        rows = (zip(self.space.options, row, strict=True) for row in drawn.tolist())
        drawn_keys = (tuple(options[i] for options, i in row) for row in rows)
        return list(dict.fromkeys([*tried, *elites, *drawn_keys]))

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
        for place in used[-self.n_start * 4 :]:
            nearest = np.minimum(nearest, np.sum((position[among] - position[place]) ** 2, axis=1))
        return int(among[np.argmax(nearest)])

    def _learn(self, history: Sequence[Point]) -> None:
        """Candidates for this history, and models of the objectives that are not known once it is long enough."""
        if self._seen == tuple(history):
            return
        self._seen, self._models, self._chances = tuple(history), [], None
        tried = [self.space.key(point.choice) for point in history]
        values = self._losses(history)
        rng = _generator(tried)
        if not self._whole:
            self._candidates = self._gather(history, rng)
        if len(history) < self.n_start:
            return
        kernels = [self._fitted(tried, values[:, place]) for place in self._modelled]
        self._condition(kernels, tried, values)
        for _ in range(0 if self._whole else _ROUNDS):
            self._candidates = self._describe(self._pool(tried, self._predicted_front(), rng))
            self._condition(kernels, tried, values)
        self._chances = self._feasible_chances(history)

    def _fitted(self, tried: Sequence[Key], values: Array) -> Kernel:
        """The kernel for these values, fitted again after every quarter more of them."""
        n_fitted = _scheduled(len(tried), self.n_start)
        places = np.unique(np.linspace(0, n_fitted - 1, min(n_fitted, _MAX_FITTED)).round().astype(int))
        return self._kernel(tuple(tried[i] for i in places), tuple(values[places].tolist()))

    def _condition(self, kernels: Sequence[Kernel], tried: Sequence[Key], values: Array) -> None:
        columns = (values[:, place] for place in self._modelled)
        self._models = [self._process(*given, tried) for given in zip(kernels, columns, strict=True)]

    def _process(self, kernel: Kernel, values: Array, tried: Sequence[Key]) -> _Process:
        """A model of `values` over the candidates, from the newest of the choices tried."""
        inputs = self._candidates.inputs
        newest = slice(-min(_MAX_POINTS, max(1, _MAX_ENTRIES // len(inputs))), None)
        places = np.array([self._candidates.places[key] for key in tried[newest]], dtype=np.intp)
        return _Process(kernel, inputs, places, values[newest])

    def _feasible_chances(self, history: Sequence[Point]) -> Array | None:
        """Each candidate's chance (n,) to be feasible; None where all were that were not foreseen to be otherwise."""
        keys = [self.space.key(point.choice) for point in history]
        allowed = self._candidates.allowed
        surprising = [place for place, key in enumerate(keys) if allowed[self._candidates.places[key]]]
        violations = np.array([history[place].violation for place in surprising])
        if not violations.any():
            return None
        tried = [keys[place] for place in surprising]
        model = self._process(self._fitted(tried, violations), violations, tried)
        threshold = 0.5 * violations[violations > 0].min()
        chances = ndtr((threshold - model.mean) / model.deviation(np.empty(0, dtype=np.intp)))
        return np.maximum(chances, _LEAST_CHANCE)

    def _predicted_front(self) -> list[Key]:
        """The candidates that may be tried and that no other one is predicted to dominate."""
        allowed = np.flatnonzero(self._candidates.allowed)
        best = pareto.front_mask(self._losses_predicted()[allowed], self._minimised)
        return [self._candidates.keys[place] for place in allowed[best]]

    def _losses_predicted(self) -> Array:
        """Losses (n, k) of all candidates: foreseen, or the models' means."""
        losses = np.empty((len(self._candidates.keys), len(self.problem.objectives)))
        for place, known in self._candidates.known.items():
            losses[:, place] = known
        for place, model in zip(self._modelled, self._models, strict=True):
            losses[:, place] = model.mean
        return losses

    def _fit_kernel(self, tried: tuple[Key, ...], values: tuple[float, ...]) -> Kernel:
        inputs = self._encode(tried)
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
        waiting: NDArray[np.intp],
        free: NDArray[np.intp],
        deviations: list[Array],
    ) -> int:
        """The free choice of the greatest expected improvement; the most unsure where none can improve."""
        n_objectives = len(self.problem.objectives)
        known = self._candidates.known
        mean = self._losses_predicted()
        deviation = np.zeros_like(mean)
        for place, sigma in zip(self._modelled, deviations, strict=True):
            deviation[:, place] = sigma
        observed = self._losses(history)
        feasible = np.array([point.feasible for point in history])
        believed = mean[waiting[self._candidates.allowed[waiting]]]
        rows = np.concatenate([observed[feasible], believed])
        rows = rows[pareto.front_mask(rows, self._minimised)]
        low, high = observed.min(axis=0), observed.max(axis=0)
        for place, losses in known.items():
            low[place], high[place] = losses.min(), losses.max()
        reference = high + _MARGIN * (high - low)
        if n_objectives == 2:
            modelled = self._modelled[0]
            order = [next(iter(known)), modelled]
            gains = _improvement_2d(
                rows[:, order], reference[order], mean[free][:, order], deviation[free, modelled]
            )
        else:
            gains = _improvement(rows, low, reference, mean[free], deviation[free])
        if self._chances is not None:
            gains *= self._chances[free]
        if gains.max() > 0:
            return int(free[np.argmax(gains)])
        return int(free[np.argmax(deviation[free].sum(axis=1))])


@dataclass(frozen=True, eq=False)
class _Candidates:
    """Choices and what is known of them: features (n, n_features), foreseen losses (n,) by objective.

    `violations` (n,) are the sums of foreseen constraints' positive values.
    """

    keys: list[Key]
    places: dict[Key, int]
    inputs: Array
    known: dict[int, Array]
    violations: Array

    @property
    def allowed(self) -> NDArray[np.bool_]:
        """Which ones (n,) are not foreseen to break a constraint."""
        return self.violations == 0


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


def _generator(tried: Sequence[Key]) -> np.random.Generator:
    """The same for the same choices, for every draw of a generation and whenever it goes on."""
    return np.random.default_rng(zlib.crc32(repr(list(tried)).encode()))


def _features(options: Sequence[Value]) -> Array:
    """Rows (n_options, n_features): a step upwards at each number but the least, or one column for each text.

    Of more than _MAX_FEATURES several numbers share a step, as a ramp, and texts have codes by chance that are about
    as far apart.
    """
    n_options = len(options)
    if any(isinstance(option, str) for option in options):
        if n_options <= _MAX_FEATURES:
            return np.eye(n_options) / math.sqrt(2)
        codes = np.random.default_rng(0).standard_normal((n_options, _MAX_FEATURES))
        return codes / math.sqrt(2 * _MAX_FEATURES)
    rank = {number: place for place, number in enumerate(sorted(options))}
    n_steps = min(n_options - 1, _MAX_FEATURES)
    width = max(1.0, (n_options - 1) / _MAX_FEATURES)
    ranks = np.array([rank[number] for number in options], dtype=np.float64)
    return np.clip(ranks[:, None] / width - np.arange(n_steps), 0, 1) * math.sqrt(width)


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
