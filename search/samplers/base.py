"""The interface of samplers, and the choices of a problem as an ordered grid."""

from __future__ import annotations

import itertools
import math
from abc import ABC, abstractmethod
from collections.abc import Container, Iterator, Mapping, Sequence
from typing import TypeAlias

import numpy as np

from search.problem import Choice, Point, Problem, Value

__all__ = ["Key", "Sampler", "Space"]

Key: TypeAlias = tuple[Value, ...]
"""A choice's values in the order of the space."""

_MAX_REDRAWS = 200


class Space:
    """The choices of a problem as an ordered grid of keys.

    Attributes:
        names: the names of the choices.
        options: the options of each of them.
    """

    def __init__(self, choices: Mapping[str, Sequence[Value]]) -> None:
        """Take the choices of a problem.

        Args:
            choices: the options of each choice by its name.
        """
        self.names = tuple(choices)
        self.options = tuple(tuple(values) for values in choices.values())
        self._n_options = np.array([len(options) for options in self.options])

    @property
    def size(self) -> int:
        """Number of keys."""
        return math.prod(map(len, self.options))

    def key(self, choice: Mapping[str, Value]) -> Key:
        """Turn a choice into its key.

        Args:
            choice: a value for each name.

        Returns:
            The values in the order of `names`.
        """
        return tuple(choice[name] for name in self.names)

    def choice(self, key: Key) -> Choice:
        """Turn a key into its choice.

        Args:
            key: values in the order of `names`.

        Returns:
            The values by name.
        """
        return dict(zip(self.names, key, strict=True))

    def grid(self) -> Iterator[Key]:
        """Iterate over all keys, the last value changing fastest."""
        return itertools.product(*self.options)

    def draw(self, rng: np.random.Generator) -> Key:
        """Draw a key uniformly.

        Args:
            rng: the source of randomness.

        Returns:
            The key.
        """
        return tuple(options[rng.integers(len(options))] for options in self.options)

    def untaken(self, key: Key, taken: Container[Key], rng: np.random.Generator) -> Key:
        """Redraw values of a key, one after the other, until it is not taken.

        Args:
            key: the key.
            taken: keys that are not returned; not all of them.
            rng: the source of randomness.

        Returns:
            `key` itself if it is not taken, else one near it.
        """
        if key not in taken:
            return key
        values = list(key)
        indices = np.resize(rng.permutation(len(values)), _MAX_REDRAWS)
        redraws = rng.integers(self._n_options[indices])  # all at once: late in a study most are taken
        for index, option in zip(indices.tolist(), redraws.tolist(), strict=True):
            values[index] = self.options[index][option]
            if (drawn := tuple(values)) not in taken:
                return drawn
        return next(key for key in self.grid() if key not in taken)  # hardly any is left


class Sampler(ABC):
    """Draws the choices of a study.

    Draw number i sees the first `generation` * (i // `generation`) finished trials. It depends on those, on what is
    taken and on its own random state only, so a study that stops and continues makes the same trials.

    Attributes:
        generation: draws that see the same trials.
        starts_known: whether the problem's known choices come first.
        problem: the problem.
        space: its choices.
    """

    generation: int = 1
    starts_known: bool = True

    def __init__(self, problem: Problem) -> None:
        """Prepare to draw.

        Args:
            problem: the problem.
        """
        self.problem = problem
        self.space = Space(problem.choices)

    @abstractmethod
    def draw(self, history: Sequence[Point], taken: Container[Key], rng: np.random.Generator) -> Key:
        """Draw a choice; there must be one that is not taken.

        Args:
            history: finished trials by number, the same object for all draws of a generation.
            taken: choices that are not drawn.
            rng: the source of randomness.

        Returns:
            A choice that is not taken.
        """
