"""The samplers that learn nothing: by rng, and all choices in turn."""

from __future__ import annotations

from collections.abc import Container, Iterator, Sequence

import numpy as np

from search.problem import Point, Problem
from search.samplers.base import Key, Sampler

_BATCH = 256


class Random(Sampler):
    """Uniform draws without repetition, to compare others with: known choices are nothing special."""

    generation = 50
    starts_known = False

    def draw(self, history: Sequence[Point], taken: Container[Key], rng: np.random.Generator) -> Key:
        """A uniform draw; where it is taken, some of its values are drawn anew."""
        return self.space.untaken(self.space.draw(rng), taken, rng)


class Exhaustive(Sampler):
    """Every choice, in the order of the grid, whose last value changes fastest.

    A generation is all choices with the same first values: those that share most of their work.
    """

    starts_known = False

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem)
        self.generation = 1
        for options in reversed(self.space.options):
            if self.generation > 1 and self.generation * len(options) > _BATCH:
                break
            self.generation *= len(options)
        self._start = -1
        self._keys: Iterator[Key] = iter(())

    def draw(self, history: Sequence[Point], taken: Container[Key], rng: np.random.Generator) -> Key:
        """The first key of the grid that is not taken."""
        if self._start != len(history):  # what was taken may be free again: look from the beginning
            self._start, self._keys = len(history), self.space.grid()
        found = next((key for key in self._keys if key not in taken), None)
        if found is None:
            self._keys = self.space.grid()
            found = next(key for key in self._keys if key not in taken)
        return found
