"""Asks a problem about choices, and checks what it answers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Literal, TypeVar

from search.errors import SearchError
from search.problem import Choice, Evaluation, Known, Problem

__all__ = ["Answer", "ask", "describe_choice", "evaluate_batch"]

Answer = TypeVar("Answer", Evaluation, Known)


def ask(
    problem: Problem, method: Literal["evaluate", "foresee"], batch: Sequence[Choice], kind: type[Answer]
) -> list[Answer]:
    """Call a method of a problem and check what it returns.

    Args:
        problem: the problem.
        method: the method's name.
        batch: the choices to call it with.
        kind: the class of its results: Evaluation or Known.

    Returns:
        One result for each choice.

    Raises:
        SearchError: another number of results, or one of another class.
        Exception: what the method raises, with a note that names the choices.
    """
    answers = _call(problem, method, batch)
    for answer in answers:
        if not isinstance(answer, kind):
            name = f"{type(problem).__name__}.{method}"
            raise SearchError(f"{name} returned {answer!r:.80}: return one {kind.__name__} for each choice")
    return answers


def evaluate_batch(problem: Problem, batch: Sequence[Choice]) -> list[Evaluation | str]:
    """Evaluate choices and tell valid results from others.

    Args:
        problem: the problem.
        batch: distinct choices.

    Returns:
        For each choice its evaluation, or a text that says why it has no valid one.

    Raises:
        SearchError: `evaluate` did not return as many results as there are choices.
        Exception: what `evaluate` raises, with a note that names the choices.
    """
    results: list[Evaluation | str] = []
    for answer in _call(problem, "evaluate", batch):
        returned = f"{type(problem).__name__}.evaluate returned {answer!r:.80}"
        n_objectives = len(problem.objectives)
        if not isinstance(answer, Evaluation):
            results.append(f"{returned}: return one Evaluation for each choice")
        elif len(answer.values) != n_objectives:
            results.append(f"{returned}: return Evaluations of {n_objectives} values")
        else:
            results.append(answer.fault or _scores_fault(problem, answer) or answer)
    return results


def _scores_fault(problem: Problem, evaluation: Evaluation) -> str | None:
    """Why the scores of a valid evaluation are not those of the problem's cases, or None if they are."""
    values = dict(zip((objective.name for objective in problem.objectives), evaluation.values, strict=True))
    for name, column in evaluation.scores.items():
        if name not in values:
            return f"its evaluation has scores of {name!r}, which is no objective"
        if len(column) != len(problem.cases) or not column:
            return f"its evaluation has {len(column)} scores of {name!r} for {len(problem.cases)} cases"
        mean = math.fsum(column) / len(column)
        if not math.isclose(mean, values[name], rel_tol=1e-6, abs_tol=1e-9):
            return f"the mean of its scores of {name!r} is {mean!r} and the value {values[name]!r}: both must agree"
    return None


def describe_choice(choice: Choice) -> str:
    """Name a choice in a message.

    Args:
        choice: the choice.

    Returns:
        Such as `choice {'level': 9}`.
    """
    return f"choice {choice!r}"


def _call(problem: Problem, method: str, batch: Sequence[Choice]) -> list[Any]:
    name = f"{type(problem).__name__}.{method}"
    try:
        answers = list(getattr(problem, method)(batch) or ())
    except Exception as error:
        shown = ", ".join(repr(choice) for choice in batch[:3])
        more = f" and {len(batch) - 3} more" if len(batch) > 3 else ""
        error.add_note(f"raised by {name} for {shown}{more}")
        raise
    if len(answers) != len(batch):
        raise SearchError(f"{name} returned {len(answers)} results for {len(batch)} choices: return one each")
    return answers
