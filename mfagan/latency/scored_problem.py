"""A priced problem whose candidates are scored case by case, so that a race can drop them early."""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import TypeVar

from mfagan.latency.priced_problem import Measured, PricedProblem
from search.problem import Choice, Evaluation, Known

__all__ = ["ScoredProblem", "mean_of_cases"]

Candidate = TypeVar("Candidate")


class ScoredProblem(PricedProblem[Candidate]):
    """A `PricedProblem` whose `measure` and race come from one function, `score`.

    A subclass sets `cases`, such as images, and `raced`, the objectives that are means over them.
    """

    @abstractmethod
    def score(self, candidates: Sequence[Candidate], cases: Sequence[int] | None = None) -> list[Measured]:
        """Score candidates, which may share work.

        Args:
            candidates: The candidates of one batch.
            cases: Indices of the cases, in this order; None for all.

        Returns:
            What was measured of each candidate, with a score for each of these cases.
        """

    def as_measured(self, scores: Mapping[str, Sequence[float]]) -> Measured:
        """What was measured of a candidate, from its scores on all cases.

        Args:
            scores: By the objectives' names.
        """
        return mean_of_cases(scores)

    def measure(self, candidates: Sequence[Candidate], known: Sequence[Known]) -> Sequence[Measured]:
        """As `PricedProblem.measure`, on all cases.

        Args:
            candidates: The candidates of one batch.
            known: Not used.
        """
        return self.score(candidates)

    def score_cases(self, batch: Sequence[Choice], cases: Sequence[int]) -> list[dict[str, Sequence[float]]]:
        """Scores on some of the cases, as `Problem.score_cases`.

        Args:
            batch: Choices.
            cases: Indices of the cases.
        """
        found = self.score([self.as_candidate(choice) for choice in batch], cases)
        return [dict(one.scores) for one in found]

    def conclude(
        self, batch: Sequence[Choice], scores: Sequence[Mapping[str, Sequence[float]]]
    ) -> list[Evaluation]:
        """The evaluations of choices that have been scored on all cases.

        Args:
            batch: Choices.
            scores: What `score_cases` found of each, in the order of the cases.
        """
        return self.join(self.foresee(batch), [self.as_measured(one) for one in scores])


def mean_of_cases(
    scores: Mapping[str, Sequence[float]], values: Mapping[str, float] | None = None
) -> Measured:
    """Objectives that are means of scores, and others.

    Args:
        scores: On each case, by the objectives' names.
        values: Of objectives that are not.
    """
    means = {name: sum(of_cases) / len(of_cases) for name, of_cases in scores.items()}
    return Measured({**means, **(values or {})}, {}, scores)
