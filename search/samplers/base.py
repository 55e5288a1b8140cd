"""What every sampler is: it draws one choice after another for a study, never one that is taken."""

from __future__ import annotations

import itertools
import math
from abc import ABC, abstractmethod
from collections.abc import Container, Iterator, Mapping, Sequence
from typing import TypeAlias

import numpy as np

from search.problem import Choice, Point, Problem, Value

Key: TypeAlias = tuple[Value, ...]
"""A choice's values in the order of the space."""

_MAX_REDRAWS = 200


class Space:
    """The choices of a problem as an ordered grid of keys."""

    def __init__(self, choices: Mapping[str, Sequence[Value]]) -> None:
        self.names = tuple(choices)
        self.options = tuple(tuple(values) for values in choices.values())
        self._n_options = np.array([len(options) for options in self.options])

    @property
    def size(self) -> int:
        """How many keys there are."""
        return math.prod(map(len, self.options))

    def key(self, choice: Mapping[str, Value]) -> Key:
        """The key of a choice."""
        return tuple(choice[name] for name in self.names)

    def choice(self, key: Key) -> Choice:
        """The choice of a key."""
        return dict(zip(self.names, key, strict=True))

    def grid(self) -> Iterator[Key]:
        """Every key, the last value changing fastest."""
        return itertools.product(*self.options)

    def draw(self, rng: np.random.Generator) -> Key:
        """A uniform draw."""
        return tuple(options[rng.integers(len(options))] for options in self.options)

    def untaken(self, key: Key, taken: Container[Key], rng: np.random.Generator) -> Key:
        """`key`, or where it is taken one with values drawn anew, one after the other, until it is another.

        There must be a key left.
        """
        if key not in taken:
            return key
        values = list(key)
        places = np.resize(rng.permutation(len(values)), _MAX_REDRAWS)
        redraws = rng.integers(self._n_options[places])  # at once: late in a study most are taken
        for place, option in zip(places.tolist(), redraws.tolist(), strict=True):
            values[place] = self.options[place][option]
            if (drawn := tuple(values)) not in taken:
                return drawn
        return next(key for key in self.grid() if key not in taken)  # next to nothing is left


class Sampler(ABC):
    """Draws the choices of a study.

    Draw number i sees the first `generation` * (i // `generation`) finished trials, so it depends on those, on
    what is taken and on its own random state alone: a study that stops and continues goes the same way.
    `starts_known`: whether the problem's known choices come first.
    """

    generation: int = 1
    starts_known: bool = True

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.space = Space(problem.choices)

    @abstractmethod
    def draw(self, history: Sequence[Point], taken: Container[Key], rng: np.random.Generator) -> Key:
        """One key that is not in `taken`; there is one left.

        `history` has finished trials by number: one and the same object for all draws of a generation, so what is
        learnt from it is worth keeping.
        """
