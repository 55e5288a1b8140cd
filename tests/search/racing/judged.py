"""The ladders of the tests, their height judged on several cases with an error on each, so that they can be raced."""

import math
from functools import cache

import numpy as np

from search.problem import Case, Choice, Known, Problem
from tests.search.ladder import Ladder

N_CASES = 24


class Judged(Problem):
    """The height is the mean of scores that scatter by `noise`; cases differ by much more than ladders do."""

    choices = Ladder.choices
    objectives = Ladder.objectives
    known_choices = Ladder.known_choices
    cases = tuple(Case(f"judge {i}") for i in range(N_CASES))
    raced = ("height",)

    def __init__(self, noise: float = 0.5, max_cost: float | None = None) -> None:
        self.noise = noise
        self.max_cost = max_cost
        self.calls: list[tuple[list[Choice], list[int]]] = []
        self.before_call = lambda index: None

    def evaluate(self, batch):
        return self.conclude(batch, self.score_cases(batch, range(N_CASES)))

    def score_cases(self, batch, cases):
        self.before_call(len(self.calls))
        self.calls.append(([dict(choice) for choice in batch], list(cases)))
        return [{"height": [self.height_on(choice, case) for case in cases]} for choice in batch]

    def height_on(self, choice, case: int) -> float:
        steps = tuple(choice.values())
        height = sum(step / (1 + i) for i, step in enumerate(steps))
        return height + self.noise * _errors(steps)[case] + 10 * math.sin(case)

    def foresee(self, batch):
        return [self.known(list(choice.values())) for choice in batch]

    def known(self, steps):
        cost = float(sum(step * (1 + i % 3) for i, step in enumerate(steps)))
        limits = {} if self.max_cost is None else {"cost": cost - self.max_cost}
        return Known({"cost": cost}, {}, limits)

    def scored(self) -> int:
        """How many scores were asked for."""
        return sum(len(batch) * len(cases) for batch, cases in self.calls)


@cache
def _errors(steps: tuple[int, ...]) -> list[float]:
    return np.random.default_rng([7, *steps]).normal(size=N_CASES).tolist()


def build() -> Judged:
    return Judged()
