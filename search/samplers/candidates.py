"""The choices that a sampler scores: all of a space, or a pool bred for one generation of a large one."""

from __future__ import annotations

import math
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from search import pareto
from search.checking.answers import ask
from search.errors import SearchError
from search.problem import Known, Point, Problem, Value
from search.samplers.base import Key, Space

__all__ = ["POOL", "CandidatePool", "Candidates", "features_of", "generator_for"]

POOL = 10_000
"""How many choices of a large space are scored for each generation."""

_FEW = 100  # choices that break the foreseen constraints least are bred until they are allowed,
_IDLE_ROUNDS = 3  # or for so many rounds nothing has come of it
_MUTATED = 1.5  # values of a child, on average
_MAX_FEATURES = 64  # of one choice of the problem: one for each option would be the square of the options

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Candidates:
    """Choices and what is known of them.

    Attributes:
        keys: the choices.
        indices: the index of each of them.
        inputs: features (n, n_features).
        known: foreseen losses (n,) by the index of the objective.
        violations: sums (n,) of the foreseen constraints' positive values.
    """

    keys: list[Key]
    indices: dict[Key, int]
    inputs: Array
    known: dict[int, Array]
    violations: Array

    @property
    def allowed(self) -> NDArray[np.bool_]:
        """Which candidates (n,) are not foreseen to break a constraint."""
        return self.violations == 0


class CandidatePool:
    """Makes the candidates of a problem: of given keys, or a pool of a large space.

    An objective counts as known if it is foreseen for all of the first candidates.
    """

    def __init__(self, problem: Problem, space: Space) -> None:
        """Prepare to make candidates.

        Args:
            problem: the problem.
            space: its choices.
        """
        self._problem = problem
        self._space = space
        self._features = [features_of(options) for options in space.options]
        self._told: list[int] | None = None

    def describe(self, keys: list[Key]) -> Candidates:
        """Make candidates of given keys.

        Args:
            keys: the choices.

        Returns:
            The candidates.

        Raises:
            SearchError: a foreseen value is missing that the first candidates had, or is not a finite number.
        """
        foreseen = ask(self._problem, "foresee", [self._space.choice(key) for key in keys], Known)
        names = [objective.name for objective in self._problem.objectives]
        told = [index for index, name in enumerate(names) if all(name in f.values for f in foreseen)]
        if self._told is None:
            self._told = told
        known: dict[int, Array] = {}
        for index in self._told:
            name, direction = names[index], self._problem.objectives[index].direction
            if index not in told:
                untold = next(i for i, f in enumerate(foreseen) if name not in f.values)
                raise SearchError(
                    f"{name} is foreseen for other choices, not for {self._space.choice(keys[untold])}:"
                    " foresee it for every choice or for none"
                )
            values = np.array([[f.values[name]] for f in foreseen], dtype=np.float64)
            if not np.isfinite(values).all():
                wrong = int(np.argmin(np.isfinite(values[:, 0])))
                raise SearchError(
                    f"{name} is foreseen as {values[wrong, 0]} for {self._space.choice(keys[wrong])}:"
                    " foresee a finite number"
                )
            known[index] = pareto.losses(values, [direction])[:, 0]
        violations = np.array([sum(max(0.0, value) for value in f.constraints.values()) for f in foreseen])
        indices = {key: index for index, key in enumerate(keys)}
        return Candidates(keys, indices, self.encode(keys), known, violations)

    def encode(self, keys: Sequence[Key]) -> Array:
        """Compute the features of choices.

        Args:
            keys: the choices.

        Returns:
            A row for each choice (n, n_features).
        """
        columns = []
        for options, features, values in zip(
            self._space.options, self._features, zip(*keys, strict=True), strict=True
        ):
            index = {option: i for i, option in enumerate(options)}
            columns.append(features[[index[value] for value in values]])
        return np.concatenate(columns, axis=1)

    def gather(self, history: Sequence[Point], rng: np.random.Generator) -> Candidates:
        """Make a pool; if few choices are allowed, those that break the constraints least are bred.

        Args:
            history: finished trials.
            rng: the source of randomness.

        Returns:
            The pool.
        """
        tried = [self._space.key(point.choice) for point in history]
        elites = [key for key, point in zip(tried, history, strict=True) if point.feasible]
        candidates = self.breed(tried, elites, rng)
        before, n_idle = np.inf, 0
        while n_idle < _IDLE_ROUNDS:
            violations = candidates.violations[len(tried) :]  # of those that are not tried
            least = np.argsort(violations, kind="stable")[:_FEW]
            broken = violations[least].sum()
            if broken == 0:
                break
            n_idle = 0 if broken < before else n_idle + 1
            before = min(before, broken)
            elites = [candidates.keys[len(tried) + index] for index in least]
            candidates = self.breed(tried, elites, rng)
        return candidates

    def breed(self, tried: Sequence[Key], elites: Sequence[Key], rng: np.random.Generator) -> Candidates:
        """Make a pool: tried choices first, then elites, their children and uniform draws.

        Args:
            tried: choices of finished trials.
            elites: choices to breed from.
            rng: the source of randomness.

        Returns:
            The pool.
        """
        n_options = np.array([len(options) for options in self._space.options])
        drawn = rng.integers(n_options, size=(POOL, len(n_options)))
        if elites:
            parents = np.array(
                [[o.index(v) for o, v in zip(self._space.options, key, strict=True)] for key in elites]
            )
            n_children = POOL // 2
            first, second = parents[rng.integers(len(parents), size=(2, n_children))]
            child = np.where(rng.random(first.shape) < 0.5, first, second)
            mutated = rng.random(first.shape) < _MUTATED / len(n_options)
            drawn[:n_children] = np.where(mutated, drawn[:n_children], child)
        rows = (zip(self._space.options, row, strict=True) for row in drawn.tolist())
        drawn_keys = (tuple(options[i] for options, i in row) for row in rows)
        return self.describe(list(dict.fromkeys([*tried, *elites, *drawn_keys])))


def generator_for(tried: Sequence[Key]) -> np.random.Generator:
    """Make a random generator that depends on the tried choices only, so that a stopped search repeats its draws.

    Args:
        tried: the choices.

    Returns:
        The generator.
    """
    return np.random.default_rng(zlib.crc32(repr(list(tried)).encode()))


def features_of(options: Sequence[Value]) -> Array:
    """Compute the features of a choice's options: a step at each number but the least, or a column for each text.

    Of more than 64 options several numbers share a step, as a ramp, and texts have random codes that are about equally
    far apart.

    Args:
        options: the options.

    Returns:
        A row for each option (n_options, n_features).
    """
    n_options = len(options)
    if any(isinstance(option, str) for option in options):
        if n_options <= _MAX_FEATURES:
            return np.eye(n_options) / math.sqrt(2)
        codes = np.random.default_rng(0).standard_normal((n_options, _MAX_FEATURES))
        return codes / math.sqrt(2 * _MAX_FEATURES)
    rank = {number: index for index, number in enumerate(sorted(options))}
    n_steps = min(n_options - 1, _MAX_FEATURES)
    width = max(1.0, (n_options - 1) / _MAX_FEATURES)
    ranks = np.array([rank[number] for number in options], dtype=np.float64)
    return np.clip(ranks[:, None] / width - np.arange(n_steps), 0, 1) * math.sqrt(width)
