"""What a search is about, as plain data: choices, objectives, evaluations and the points they make."""

from __future__ import annotations

import json
import math
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from search.errors import SearchError

if TYPE_CHECKING:
    from search.description import StudyDescription

__all__ = ["JSON", "Case", "Choice", "Evaluation", "Known", "Objective", "Point", "Problem", "Value"]
__all__ += ["attribute_fault", "count_choices"]

Value: TypeAlias = int | float | str
"""One option of a choice."""

Choice: TypeAlias = dict[str, Value]
"""One candidate: a value for every named choice of the problem."""

JSON: TypeAlias = "str | int | float | bool | Sequence[JSON] | Mapping[str, JSON] | None"
"""What can be written to JSON."""


@dataclass(frozen=True)
class Objective:
    """A number to maximise or minimise.

    Attributes:
        name: a non-empty name.
        direction: `maximize` or `minimize`.
        unit: such as `dB` or `ms`, for axes and tables; empty for a ratio.
        title: what people read instead of the name, such as `Latency`; empty for the name. Two objectives that differ
            in the title alone are equal.

    Raises:
        SearchError: an empty name, or another direction.
    """

    name: str
    direction: Literal["maximize", "minimize"]
    unit: str = ""
    title: str = field(default="", compare=False)

    def __post_init__(self) -> None:
        if not self.name or not isinstance(self.name, str):
            raise SearchError(f"an objective's name is {self.name!r}: give it a non-empty string")
        if self.direction not in ("maximize", "minimize"):
            raise SearchError(
                f"objective {self.name!r} has the direction {self.direction!r}:"
                " write 'maximize' or 'minimize'"
            )

    @property
    def label(self) -> str:
        """The title, or else the name, followed by the unit in brackets, for axes and column heads."""
        shown = self.title or self.name
        return f"{shown} ({self.unit})" if self.unit else shown


@dataclass(frozen=True)
class Case:
    """One of the things that every choice is scored on, such as an image or a crop of one.

    Attributes:
        name: a name, distinct among the cases of a problem.
        group: cases of one group, such as the crops of one image, are not independent of each other; empty for a case
            that stands alone.
    """

    name: str
    group: str = ""


@dataclass(frozen=True)
class Evaluation:
    """The result for one choice.

    A choice is feasible if every constraint is <= 0. A value or constraint that is not a finite number, or an
    attribute that JSON cannot hold, makes the evaluation faulty: a study fails that trial and goes on.

    Attributes:
        values: a number for each objective of the problem, in their order.
        attributes: facts to keep with the trial.
        constraints: numbers by name, met if <= 0.
        scores: the score on each of the problem's cases, in their order, of objectives whose value is the mean of
            such scores, by their names.
    """

    values: tuple[float, ...]
    attributes: Mapping[str, JSON] = field(default_factory=dict)
    constraints: Mapping[str, float] = field(default_factory=dict)
    scores: Mapping[str, Sequence[float]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        several = isinstance(self.values, Iterable) and not isinstance(self.values, (str, bytes))
        values: tuple[Any, ...] = tuple(self.values) if several else (self.values,)
        object.__setattr__(self, "values", tuple(map(_as_float, values)))
        constraints = {name: _as_float(value) for name, value in self.constraints.items()}
        object.__setattr__(self, "constraints", constraints)
        object.__setattr__(self, "attributes", dict(self.attributes))
        scores = {name: tuple(map(_as_float, column)) for name, column in self.scores.items()}
        object.__setattr__(self, "scores", scores)

    @property
    def fault(self) -> str | None:
        """Which value, constraint, score or attribute is not valid and why, or None if all are valid."""
        named = {f"value {i}": value for i, value in enumerate(self.values)}
        named |= {f"constraint {name!r}": value for name, value in self.constraints.items()}
        for name, column in self.scores.items():
            named |= {f"score {i} of {name!r}": value for i, value in enumerate(column)}
        for what, value in named.items():
            if not _is_finite(value):
                return f"{what} of its evaluation is {value!r}, not a finite number"
        return attribute_fault(self.attributes)

    @property
    def feasible(self) -> bool:
        """Whether every constraint is met."""
        return all(value <= 0 for value in self.constraints.values())


@dataclass(frozen=True)
class Known:
    """What is known of a choice before it is evaluated: facts, not guesses, which the evaluation repeats.

    Attributes:
        values: some or all objectives by name, in the same unit as in the evaluation.
        attributes: facts to keep with the trial.
        constraints: numbers by name, met if <= 0.
    """

    values: Mapping[str, float] = field(default_factory=dict)
    attributes: Mapping[str, JSON] = field(default_factory=dict)
    constraints: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Point:
    """A finished trial.

    Attributes:
        number: the trial's number in the study, from 0.
        choice: what was evaluated.
        values: a number for each objective, in their order.
        attributes: facts that were kept with the trial.
        feasible: whether every constraint is met.
        violation: the sum of the constraints' positive values, 0 if the point is feasible.
        scores: the score on each case by the objective's name, as in `Evaluation`; empty if none were kept.
        cases: of a trial that a race dropped, the indices of the cases that it was scored on; its values are estimates
            then, and its scores are those on these cases. Empty for a trial that was evaluated as a whole.
    """

    number: int
    choice: Choice
    values: tuple[float, ...]
    attributes: Mapping[str, JSON] = field(default_factory=dict)
    feasible: bool = True
    violation: float = 0.0
    scores: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    cases: tuple[int, ...] = ()


class Problem(ABC):
    """A space of discrete choices and the objectives to search it by.

    Derive a class from it, set `choices` and `objectives` as class attributes or in `__init__`, and write `evaluate`.
    The same choice must always have the same evaluation, because a study evaluates it once.

    Attributes:
        choices: the options of each choice by its name, each an int, a finite float or a str.
        objectives: one or more.
        known_choices: choices that are evaluated first.
        cases: what choices are scored on, if evaluations hold scores.
        raced: the names of the objectives that `score_cases` tells case by case; all others must be foreseen
            then. Empty if choices are only evaluated as a whole.
    """

    choices: Mapping[str, Sequence[Value]]
    objectives: Sequence[Objective]
    known_choices: Sequence[Choice] = ()
    cases: Sequence[Case] = ()
    raced: Sequence[str] = ()

    @abstractmethod
    def evaluate(self, batch: Sequence[Choice]) -> Sequence[Evaluation]:
        """Evaluate distinct choices together, so that they can share work.

        Args:
            batch: the choices.

        Returns:
            One Evaluation for each choice, in the order of `batch`.
        """

    def foresee(self, batch: Sequence[Choice]) -> Sequence[Known]:
        """Tell what is known of choices without evaluating them; this must be cheap.

        The sampler `front` needs it, for every objective except those that it has to learn.

        Args:
            batch: the choices.

        Returns:
            One Known for each choice, in the order of `batch`.
        """
        return [Known()] * len(batch)

    def score_cases(
        self, batch: Sequence[Choice], cases: Sequence[int]
    ) -> Sequence[Mapping[str, Sequence[float]]]:
        """Score choices on some of the cases, so that a race can drop some of them before the others are scored.

        A score must depend on its choice and case alone.

        Args:
            batch: distinct choices.
            cases: indices of `cases`.

        Returns:
            For each choice the scores of every objective in `raced`, by its name, in the order of `cases`.
        """
        raise NotImplementedError(f"{type(self).__name__}.score_cases: write it, or leave `raced` empty")

    def conclude(
        self, batch: Sequence[Choice], scores: Sequence[Mapping[str, Sequence[float]]]
    ) -> Sequence[Evaluation]:
        """Make the evaluations of choices that have been scored on all cases: the same that `evaluate` returns.

        Args:
            batch: distinct choices.
            scores: the scores of each, as `score_cases` returns them for all cases in their order.

        Returns:
            One Evaluation for each choice; by default the mean scores and what `foresee` tells.
        """
        evaluations = []
        for known, found in zip(self.foresee(batch), scores, strict=True):
            values = {name: math.fsum(column) / len(column) for name, column in found.items()} | dict(
                known.values
            )
            evaluations.append(
                Evaluation(
                    tuple(values[objective.name] for objective in self.objectives),
                    known.attributes,
                    known.constraints,
                    found,
                )
            )
        return evaluations

    def identity(self) -> dict[str, str]:
        """Tell what the values depend on, such as hashes of weights, tables and data.

        Returns:
            Texts by name. A study is not continued with another identity.
        """
        return {}

    def sources(self) -> dict[str, str]:
        """Tell where the inputs of the values are kept, so that the problem can be built again from a study.

        Returns:
            Texts by name, such as the paths of files. Unlike the identity they may change while a study goes on.
        """
        return {}

    def describe(self, points: Sequence[Point]) -> StudyDescription:
        """Describe finished trials for people: pictures, the parts of a value, a drawing, commands.

        Args:
            points: those to describe, such as the front.

        Returns:
            The description; by default an empty one.
        """
        from search.description import StudyDescription

        return StudyDescription()


def count_choices(problem: Problem) -> int:
    """Count the distinct choices of a problem.

    Args:
        problem: the problem.

    Returns:
        The product of the numbers of options.
    """
    return math.prod(len(values) for values in problem.choices.values())


def attribute_fault(attributes: Mapping[str, JSON]) -> str | None:
    """Find an attribute that JSON cannot hold.

    Args:
        attributes: facts by name.

    Returns:
        Which and why, or None if there is none.
    """
    for name, attribute in attributes.items():
        try:
            json.dumps({name: attribute}, allow_nan=False)
        except (TypeError, ValueError, RecursionError) as error:
            return (
                f"attribute {name!r} is {attribute!r:.80}, which JSON cannot hold ({error}): use plain data"
            )
    return None


def _as_float(value: float) -> float:
    """The value as a float, or as it is if it is not a number."""
    if isinstance(value, (str, bytes)):
        return value  # a text is no number, even if it looks like one
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError):
        return value


def _is_finite(value: float) -> bool:
    return isinstance(value, float) and math.isfinite(value)
