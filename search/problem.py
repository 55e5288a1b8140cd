"""What a search is about, as plain data: choices, objectives, evaluations and the points they make."""

from __future__ import annotations

import json
import math
from abc import ABC, abstractmethod
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias, TypeVar

from search.errors import SearchError

Value: TypeAlias = int | float | str
"""One option of a choice."""

Choice: TypeAlias = dict[str, Value]
"""One candidate: a value for every named choice of the problem."""

JSON: TypeAlias = "str | int | float | bool | Sequence[JSON] | Mapping[str, JSON] | None"
"""What can be written to JSON."""


@dataclass(frozen=True)
class Objective:
    """One number to maximise or minimise; `unit` (`dB`, `ms`; empty for a ratio) labels axes and tables."""

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
        """The name with its unit in brackets, for axes and column heads."""
        return f"{self.name} ({self.unit})" if self.unit else self.name


@dataclass(frozen=True)
class Evaluation:
    """The result for one choice.

    `values` follow the order of the problem's objectives; `attributes` are facts kept with the trial;
    a choice is feasible when every value of `constraints` is <= 0.

    A value or constraint that is not a finite number makes it faulty (`fault`): a study fails that trial and goes
    on. Raises SearchError for an attribute that JSON cannot hold.
    """

    values: tuple[float, ...]
    attributes: Mapping[str, JSON] = field(default_factory=dict)
    constraints: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        check_attributes(self.attributes)
        object.__setattr__(self, "values", tuple(map(_as_float, self.values)))
        constraints = {name: _as_float(value) for name, value in self.constraints.items()}
        object.__setattr__(self, "constraints", constraints)
        object.__setattr__(self, "attributes", dict(self.attributes))

    @property
    def fault(self) -> str | None:
        """Which value or constraint is not a finite number, or None if all are."""
        named = {f"value {i}": value for i, value in enumerate(self.values)}
        named |= {f"constraint {name!r}": value for name, value in self.constraints.items()}
        for what, value in named.items():
            if not isinstance(value, float) or not math.isfinite(value):
                return f"{what} of its evaluation is {value!r}, not a finite number"
        return None

    @property
    def feasible(self) -> bool:
        """Whether every constraint is met."""
        return all(value <= 0 for value in self.constraints.values())


@dataclass(frozen=True)
class Known:
    """What is known of a choice before it is evaluated.

    `values` holds objectives by name, in the same unit as in the evaluation; `attributes` and `constraints` are
    as in an Evaluation. None of them is a guess: the evaluation says the same.
    """

    values: Mapping[str, float] = field(default_factory=dict)
    attributes: Mapping[str, JSON] = field(default_factory=dict)
    constraints: Mapping[str, float] = field(default_factory=dict)


Answer = TypeVar("Answer", Evaluation, Known)


@dataclass(frozen=True)
class Point:
    """A finished trial; `number` is its trial number in the study, `values` follow the objectives.

    `violation` is the sum of the constraints' positive values, 0 where it is feasible.
    """

    number: int
    choice: Choice
    values: tuple[float, ...]
    attributes: Mapping[str, JSON] = field(default_factory=dict)
    feasible: bool = True
    violation: float = 0.0


class Problem(ABC):
    """A space of discrete choices and the objectives to search it by.

    Set `choices` (name -> its values, each an int, float or str) and `objectives` as class attributes or in
    `__init__`, and write `evaluate`. The same choice must always get the same evaluation: a study evaluates
    it once. `known_choices` are evaluated first, as members of the first generation.
    """

    choices: Mapping[str, Sequence[Value]]
    objectives: Sequence[Objective]
    known_choices: Sequence[Choice] = ()

    @abstractmethod
    def evaluate(self, batch: Sequence[Choice]) -> Sequence[Evaluation]:
        """Score distinct choices: one Evaluation each, in the order of `batch`."""

    def foresee(self, batch: Sequence[Choice]) -> Sequence[Known]:
        """What is known of choices without evaluating them, in the order of `batch`; it must be cheap.

        The `front` sampler needs it for every objective but those that it has to learn.
        """
        return [Known()] * len(batch)

    def identity(self) -> dict[str, str]:
        """What the values depend on (hashes of weights, tables, data): a study refuses another identity."""
        return {}


def check_problem(problem: Problem) -> None:
    """Raise SearchError where the problem's choices, objectives or identity cannot make a study."""
    if not isinstance(problem, Problem):
        raise SearchError(f"{problem!r} is not a Problem: derive its class from search.problem.Problem")
    kind = type(problem).__name__
    for attribute in ("choices", "objectives"):
        if not getattr(problem, attribute, None):
            raise SearchError(f"{kind}.{attribute} is missing or empty: it needs at least one entry")
    for name, values in problem.choices.items():
        _check_choice(name, values)
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


def ask(
    problem: Problem, method: Literal["evaluate", "foresee"], batch: Sequence[Choice], kind: type[Answer]
) -> list[Answer]:
    """What the problem answers for a batch; SearchError unless it is one of `kind` each."""
    answers: list[Answer] = list(getattr(problem, method)(batch) or ())
    name = f"{type(problem).__name__}.{method}"
    if len(answers) != len(batch):
        raise SearchError(f"{name} returned {len(answers)} results for {len(batch)} choices: return one each")
    for answer in answers:
        if not isinstance(answer, kind):
            raise SearchError(f"{name} returned {answer!r:.80}: return one {kind.__name__} for each choice")
    return answers


def count_choices(problem: Problem) -> int:
    """How many distinct choices the problem has."""
    return math.prod(len(values) for values in problem.choices.values())


def describe(point: Point, objectives: Sequence[Objective], omit: Container[str] = ()) -> dict[str, str]:
    """Rows of text, label -> value, in the order trial, objectives, choice, attributes but those in `omit`."""
    rows = {"trial": str(point.number)}
    for objective, value in zip(objectives, point.values, strict=True):
        rows[objective.label] = format_value(value)
    for name, value in point.choice.items():
        rows.setdefault(name, str(value))
    for name, value in point.attributes.items():
        if name not in omit:
            rows.setdefault(name, format_value(value))
    if not point.feasible:
        rows.setdefault("feasible", "no")
    return rows


def shared_texts(points: Sequence[Point]) -> dict[str, str]:
    """Attributes that are one and the same text in every point, such as hashes: facts about the whole study."""
    if len(points) < 2:
        return {}
    first = {name: text for name, text in points[0].attributes.items() if isinstance(text, str)}
    return {name: text for name, text in first.items() if all(p.attributes.get(name) == text for p in points)}


def format_value(value: JSON) -> str:
    """Text for people: six significant digits, thousands separated in whole numbers, text as it is."""
    if isinstance(value, bool) or value is None:
        return json.dumps(value)
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:.6g}"
    return value if isinstance(value, str) else json.dumps(value)


def check_facts(attributes: Mapping[str, JSON], constraints: Mapping[str, float]) -> dict[str, float]:
    """The constraints as floats; SearchError for one that is not a finite number, or as `check_attributes`."""
    check_attributes(attributes)
    return {name: _finite(f"constraint {name!r}", value) for name, value in constraints.items()}


def check_attributes(attributes: Mapping[str, JSON]) -> None:
    """SearchError for an attribute that JSON cannot hold."""
    for name, attribute in attributes.items():
        try:
            json.dumps(attribute, allow_nan=False)
        except (TypeError, ValueError) as error:
            raise SearchError(
                f"attribute {name!r} is {attribute!r}, which JSON cannot hold ({error}): use plain data"
            ) from None


def _check_choice(name: str, values: Sequence[Value]) -> None:
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


def _as_float(value: float) -> float:
    """The value as a float, or as it is if it is not a number."""
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError):
        return value


def _finite(what: str, value: float) -> float:
    number = _as_float(value)
    if not isinstance(number, float) or not math.isfinite(number):
        raise SearchError(f"{what} is {value!r}: it must be a finite number")
    return number
