"""The ways to draw the choices of a study, by name."""

from __future__ import annotations

from search.errors import SearchError
from search.problem import Problem
from search.samplers.base import Sampler

NAMES = ("nsga2", "front", "tpe", "random", "exhaustive")


def default_trials(name: str) -> int | None:
    """How many trials a search by this sampler has where nothing is said; None: every choice."""
    return None if name == "exhaustive" else 200


def make_sampler(name: str, problem: Problem, population: int = 10) -> Sampler:
    """The sampler of this name; `population` is the size of NSGA-II's generations. SearchError for other names."""
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

        return Random(problem) if name == "random" else Exhaustive(problem)
    raise SearchError(f"sampler {name!r} is not known: choose from {', '.join(NAMES)}")
