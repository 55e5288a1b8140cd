"""Problems that are scored case by case, on the toy of priced problems."""

from collections.abc import Sequence

import pytest

from mfagan.latency.priced_problem import LATENCY, Measured, Target
from mfagan.latency.scored_problem import ScoredProblem, mean_of_cases
from search.problem import Case, Choice, Objective
from search.testing import ProblemContract
from tests.latency.test_priced_problem import SIZE, WIDTHS, Candidate, list_blocks, make_table


class Scored(ScoredProblem[Candidate]):
    """Three convolutions in a row, whose quality on a case is their widths' sum times the case's number."""

    choices = dict.fromkeys(("first", "second", "third"), WIDTHS)
    objectives: Sequence[Objective] = (Objective("quality", "maximize"), LATENCY)
    cases = tuple(Case(f"case {number}") for number in range(5))
    raced = ("quality",)

    def as_candidate(self, choice: Choice) -> Candidate:
        return tuple(int(choice[name]) for name in self.choices)

    def blocks(self, candidate: Candidate):
        return list_blocks(candidate)

    def all_blocks(self) -> list[str]:
        return []

    def score(self, candidates: Sequence[Candidate], cases: Sequence[int] | None = None) -> list[Measured]:
        chosen = range(len(self.cases)) if cases is None else cases
        return [mean_of_cases({"quality": [sum(one) * case for case in chosen]}) for one in candidates]


class TestScored(ProblemContract):
    @pytest.fixture
    def problem(self) -> Scored:
        return Scored(Target(make_table(), SIZE, "build it"))


def test_means_are_over_cases_and_other_values_join_them():
    found = mean_of_cases({"quality": [1.0, 2.0, 6.0]}, {"kid": 0.5})
    assert found == Measured({"quality": 3.0, "kid": 0.5}, {}, {"quality": [1.0, 2.0, 6.0]})
