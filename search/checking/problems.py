"""Checks of a problem and of what it says of choices, before anything is stored."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from search.errors import SearchError
from search.problem import JSON, Objective, Problem, Value, attribute_fault

__all__ = ["check_choice", "check_facts", "check_problem"]


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
    for method, texts in (("identity", problem.identity()), ("sources", problem.sources())):
        for name, text in texts.items():
            if not isinstance(name, str) or not isinstance(text, str):
                raise SearchError(f"{kind}.{method}() holds {name!r}: {text!r}: both must be strings")
    cases = [case.name for case in problem.cases]
    if len(set(cases)) < len(cases):
        raise SearchError(
            f"{kind}.cases holds {max(cases, key=cases.count)!r} twice: give each case its own name"
        )


def check_facts(attributes: Mapping[str, JSON], constraints: Mapping[str, float]) -> None:
    """Check what can be kept with a trial.

    Args:
        attributes: facts by name.
        constraints: numbers by name.

    Raises:
        SearchError: a constraint is not a finite number, or JSON cannot hold an attribute.
    """
    fault = attribute_fault(attributes)
    if fault is not None:
        raise SearchError(fault)
    for name, value in constraints.items():
        if type(value) not in (int, float) or not math.isfinite(value):
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
