"""The evolutionary search of once-for-all networks, for comparison only."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from search.benchmarks.tabular import TabularProblem
from search.errors import SearchError
from search.pareto import losses

__all__ = ["BUDGETS", "MUTATION", "PARENTS", "POPULATION", "evolve"]

POPULATION = 100
PARENTS = 25
MUTATION = 0.1
BUDGETS = (0.1, 0.3, 0.5, 0.7, 0.9)
"""Shares of all choices that are within a budget: the search runs once under each."""


def evolve(problem: TabularProblem, n_trials: int, rng: np.random.Generator) -> list[int]:
    """Search a table as once-for-all networks are searched.

    After Cai et al., Once-for-all (ICLR 2020), section 3.4 and its published description: one objective is optimised
    under a budget on another, known one. From a random population of 100 the best 25 become parents; half of the next
    100 are mutants of them (each value is redrawn with probability 0.1), half are crossings of two. Children over the
    budget are rejected, which costs no evaluation. One budget gives one point of a front, so here five budgets take
    turns and share the trials.

    Args:
        problem: a table of two objectives, exactly one of them foreseen.
        n_trials: evaluations, repeated choices included.
        rng: the source of all draws.

    Returns:
        The rows of the table in the order in which they are evaluated.

    Raises:
        SearchError: not exactly one of two objectives is foreseen.
    """
    names = [objective.name for objective in problem.objectives]
    if len(names) != 2 or len(problem.names_foreseen) != 1:
        raise SearchError(
            f"ofa-evolution needs two objectives, one of them foreseen, and there are {', '.join(names)},"
            f" foreseen {', '.join(problem.names_foreseen) or 'none'}: leave it out"
        )
    known = names.index(problem.names_foreseen[0])
    table = losses(problem.values, [objective.direction for objective in problem.objectives])
    cost, loss = table[:, known], table[:, 1 - known]
    shape = tuple(len(options) for options in problem.space.options)
    first = [problem.row(choice) for choice in problem.known_choices]
    runs = [
        _under_budget(cost <= np.quantile(cost, share), loss, shape, first, generator)
        for share, generator in zip(BUDGETS, rng.spawn(len(BUDGETS)), strict=True)
    ]
    return [next(runs[trial % len(runs)]) for trial in range(n_trials)]


def _under_budget(
    allowed: NDArray[np.bool_],
    loss: NDArray[np.float64],
    shape: tuple[int, ...],
    first: Sequence[int],
    rng: np.random.Generator,
) -> Iterator[int]:
    """Yield rows forever; `allowed` and `loss` are (n,) over the table's rows."""

    def accepted(propose: Callable[[], int]) -> int:
        while not allowed[row := propose()]:
            pass
        return row

    population = [row for row in first if allowed[row]]
    yield from population
    while len(population) < POPULATION:
        population.append(accepted(lambda: int(rng.integers(len(allowed)))))
        yield population[-1]
    parents: list[int] = []

    def gene(row: int) -> NDArray[np.intp]:
        return np.array(np.unravel_index(row, shape))

    def mutant() -> int:
        kept = rng.random(len(shape)) >= MUTATION
        child = np.where(kept, gene(parents[rng.integers(PARENTS)]), rng.integers(0, shape))
        return int(np.ravel_multi_index(tuple(child), shape))

    def crossing() -> int:
        one, other = (gene(parents[index]) for index in rng.integers(PARENTS, size=2))
        child = np.where(rng.random(len(shape)) < 0.5, one, other)
        return int(np.ravel_multi_index(tuple(child), shape))

    while True:
        parents[:] = sorted(population, key=lambda row: loss[row])[:PARENTS]
        population = list(parents)
        for number in range(POPULATION):
            population.append(accepted(mutant if number < POPULATION // 2 else crossing))
            yield population[-1]
