"""What a search is about, as plain data: choices, objectives, evaluations and the points they make."""

from __future__ import annotations

import json
import math
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from search.errors import SearchError

__all__ = ["JSON", "Choice", "Evaluation", "Known", "Objective", "Point", "Problem", "Value"]
__all__ += ["check_choice", "check_facts", "check_problem", "count_choices"]

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

    Raises:
        SearchError: an empty name, or another direction.
    """

    name: str
    direction: Literal["maximize", "minimize"]
    unit: str = ""

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
        """The name followed by the unit in brackets, for axes and column heads."""
        return f"{self.name} ({self.unit})" if self.unit else self.name


@dataclass(frozen=True)
class Evaluation:
    """The result for one choice.

    A choice is feasible if every constraint is <= 0. A value or constraint that is not a finite number, or an
    attribute that JSON cannot hold, makes the evaluation faulty: a study fails that trial and goes on.

    Attributes:
        values: a number for each objective of the problem, in their order.
        attributes: facts to keep with the trial.
        constraints: numbers by name, met if <= 0.
    """

    values: tuple[float, ...]
    attributes: Mapping[str, JSON] = field(default_factory=dict)
    constraints: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        several = isinstance(self.values, Iterable) and not isinstance(self.values, (str, bytes))
        values: tuple[Any, ...] = tuple(self.values) if several else (self.values,)
        object.__setattr__(self, "values", tuple(map(_as_float, values)))
        constraints = {name: _as_float(value) for name, value in self.constraints.items()}
        object.__setattr__(self, "constraints", constraints)
        object.__setattr__(self, "attributes", dict(self.attributes))

    @property
    def fault(self) -> str | None:
        """Which value, constraint or attribute is not valid and why, or None if all are valid."""
        named = {f"value {i}": value for i, value in enumerate(self.values)}
        named |= {f"constraint {name!r}": value for name, value in self.constraints.items()}
        for what, value in named.items():
            if not _is_finite(value):
                return f"{what} of its evaluation is {value!r}, not a finite number"
        return _attribute_fault(self.attributes)

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
    """

    number: int
    choice: Choice
    values: tuple[float, ...]
    attributes: Mapping[str, JSON] = field(default_factory=dict)
    feasible: bool = True
    violation: float = 0.0


class Problem(ABC):
    """A space of discrete choices and the objectives to search it by.

    Derive a class from it, set `choices` and `objectives` as class attributes or in `__init__`, and write `evaluate`.
    The same choice must always have the same evaluation, because a study evaluates it once.

    Attributes:
        choices: the options of each choice by its name, each an int, a finite float or a str.
        objectives: one or more.
        known_choices: choices that are evaluated first.
    """

    choices: Mapping[str, Sequence[Value]]
    objectives: Sequence[Objective]
    known_choices: Sequence[Choice] = ()

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

    def identity(self) -> dict[str, str]:
        """Tell what the values depend on, such as hashes of weights, tables and data.

        Returns:
            Texts by name. A study is not continued with another identity.
        """
        return {}


def check_problem(problem: Problem) -> None:
    """Check that a study can be made of a problem.

    Args:
        problem: the problem.

    Raises:
        SearchError: its choices, objectives, known choices or identity are not what Problem asks for.
    """
    if not isinstance(problem, Problem):
        raise SearchError(f"{problem!r} is not a Problem: derive its class from search.problem.Problem")
    kind = type(problem).__name__
    for attribute in ("choices", "objectives"):
        if not getattr(problem, attribute, None):
            raise SearchError(f"{kind}.{attribute} is missing or empty: it needs at least one entry")
    for name, values in problem.choices.items():
        check_choice(name, values)
    for objective in problem.objectives:
        if not isinstance(objective, Objective):
            raise SearchError(f"{kind}.objectives holds {objective!r}: every entry must be an Objective")
    for choice in problem.known_choices:
        if set(choice) != set(problem.choices) or any(v not in problem.choices[n] for n, v in choice.items()):
            raise SearchError(f"{kind}.known_choices holds {choice!r}: give every choice one of its values")
    names = [*problem.choices, *(objective.name for objective in problem.objectives)]
    for name in names:
        if names.count(name) > 1:
            raise SearchError(f"the name {name!r} is used twice: choices and objectives need distinct names")
    for name, text in problem.identity().items():
        if not isinstance(name, str) or not isinstance(text, str):
            raise SearchError(f"{kind}.identity() holds {name!r}: {text!r}: both must be strings")


def count_choices(problem: Problem) -> int:
    """Count the distinct choices of a problem.

    Args:
        problem: the problem.

    Returns:
        The product of the numbers of options.
    """
    return math.prod(len(values) for values in problem.choices.values())


def check_facts(attributes: Mapping[str, JSON], constraints: Mapping[str, float]) -> None:
    """Check what can be kept with a trial.

    Args:
        attributes: facts by name.
        constraints: numbers by name.

    Raises:
        SearchError: a constraint is not a finite number, or JSON cannot hold an attribute.
    """
    fault = _attribute_fault(attributes)
    if fault is not None:
        raise SearchError(fault)
    for name, value in constraints.items():
        if not _is_finite(_as_float(value)):
            raise SearchError(f"constraint {name!r} is {value!r}: it must be a finite number")


def check_choice(name: str, values: Sequence[Value]) -> None:
    """Check a choice of a problem.

    Args:
        name: the choice's name.
        values: its options.

    Raises:
        SearchError: the name is empty, or the options are not distinct finite numbers and texts.
    """
    if not name or not isinstance(name, str):
        raise SearchError(f"the choice name {name!r} is not a non-empty string: rename it")
    if isinstance(values, str) or not isinstance(values, Sequence) or not values:
        raise SearchError(f"choice {name!r} has the values {values!r}: list at least one")
    for value in values:
        plain = type(value) in (int, float, str)
        if not plain or (isinstance(value, float) and not math.isfinite(value)):
            raise SearchError(f"choice {name!r} has the value {value!r}: use a finite int or float, or a str")
    if len(set(values)) < len(values):
        raise SearchError(f"choice {name!r} repeats a value in {list(values)!r}: list each once")


def _attribute_fault(attributes: Mapping[str, JSON]) -> str | None:
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
