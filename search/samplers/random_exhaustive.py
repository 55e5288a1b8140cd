"""The samplers that learn nothing: uniform draws, and all choices in turn."""

from __future__ import annotations

import itertools
from collections.abc import Container, Iterator, Sequence

import numpy as np

from search.problem import Point, Problem
from search.samplers.base import Key, Sampler

__all__ = ["Exhaustive", "Random"]

_BATCH = 256
_SCATTERED_BATCH = 100


class Random(Sampler):
    """Uniform draws without repetition, as a baseline: known choices do not come first."""

    generation = 50
    starts_known = False

    def draw(self, history: Sequence[Point], taken: Container[Key], rng: np.random.Generator) -> Key:
        """Draw uniformly; values of a choice that is taken are redrawn.

        Args:
            history: finished trials by number, the same object for all draws of a generation.
            taken: choices that are not drawn.
            rng: the source of randomness.

        Returns:
            A choice that is not taken.
        """
        return self.space.untaken(self.space.draw(rng), taken, rng)


class Exhaustive(Sampler):
    """Every choice, in the order of the grid, whose last value changes fastest.

    A generation is all choices with the same first values: those that share most of their work. Scattered generations
    are smaller and come in a random order.
    """

    starts_known = False

    def __init__(self, problem: Problem, *, scattered: bool = False) -> None:
        """Prepare to draw.

        Args:
            problem: the problem.
            scattered: whether generations are small and come in a random order, always the same, instead of that of the
                grid: a race compares choices with earlier generations.
        """
        super().__init__(problem)
        self.generation = 1
        self._n_first = len(self.space.options)  # choices that are the same within a generation
        self._scattered = scattered
        most = _SCATTERED_BATCH if scattered else _BATCH
        for options in reversed(self.space.options):
            if self.generation > 1 and self.generation * len(options) > most:
                break
            self.generation *= len(options)
            self._n_first -= 1
        self._start = -1
        self._keys: Iterator[Key] = iter(())

    def draw(self, history: Sequence[Point], taken: Container[Key], rng: np.random.Generator) -> Key:
        """Return the first choice of the grid that is not taken.

        Args:
            history: finished trials by number, the same object for all draws of a generation.
            taken: choices that are not drawn.
            rng: the source of randomness.

        Returns:
            A choice that is not taken.
        """
        if self._start != len(history):  # what was taken may be free again: look from the beginning
            self._start, self._keys = len(history), self._walk()
        found = next((key for key in self._keys if key not in taken), None)
        if found is None:
            self._keys = self._walk()
            found = next(key for key in self._keys if key not in taken)
        return found

    def _walk(self) -> Iterator[Key]:
        if not self._scattered:
            return self.space.grid()
        first, last = self.space.options[: self._n_first], self.space.options[self._n_first :]
        prefixes = list(itertools.product(*first))
        order = np.random.default_rng(0).permutation(len(prefixes)).tolist()
        return ((*prefixes[i], *rest) for i in order for rest in itertools.product(*last))
