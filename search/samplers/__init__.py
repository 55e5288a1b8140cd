"""Samplers: the ways to draw the choices of a study."""

from __future__ import annotations

from search.errors import SearchError
from search.problem import Problem
from search.samplers.base import Sampler

__all__ = ["NAMES", "default_trials", "make_sampler"]

NAMES = ("nsga2", "front", "tpe", "random", "exhaustive")


def default_trials(name: str) -> int | None:
    """Return how many trials a search has by default.

    Args:
        name: the sampler.

    Returns:
        The number of trials, or None for every choice.
    """
    return None if name == "exhaustive" else 200


def make_sampler(name: str, problem: Problem, population: int = 10, *, scattered: bool = False) -> Sampler:
    """Make a sampler by its name.

    Args:
        name: one of `NAMES`.
        problem: the problem.
        population: trials of one generation of `nsga2`.
        scattered: whether `exhaustive` goes through its generations in a random order, always the same: a race learns
            from the first ones what the others are worth.

    Returns:
        The sampler.

    Raises:
        SearchError: an unknown name, or a problem that the sampler cannot search.
    """
    if name == "nsga2":
        from search.samplers.nsga2 import NSGA2

        return NSGA2(problem, population)
    if name == "front":
        from search.samplers.front import Front

        return Front(problem)
    if name == "tpe":
        from search.samplers.tpe import TPE

        return TPE(problem)
    if name in ("random", "exhaustive"):
        from search.samplers.random_exhaustive import Exhaustive, Random

        return Random(problem) if name == "random" else Exhaustive(problem, scattered=scattered)
    raise SearchError(f"sampler {name!r} is not known: choose from {', '.join(NAMES)}")
