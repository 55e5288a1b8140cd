"""Asks a problem about choices, and checks what it answers."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypeVar

from search.errors import SearchError
from search.problem import Choice, Evaluation, Known, Problem

__all__ = ["Answer", "ask", "conclude_batch", "describe_choice", "evaluate_batch", "score_batch"]

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
    answers = _call(problem, method, batch, batch)
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
    return _checked(problem, "evaluate", _call(problem, "evaluate", batch, batch))


def score_batch(
    problem: Problem, batch: Sequence[Choice], cases: Sequence[int]
) -> list[Mapping[str, Sequence[float]] | str]:
    """Score choices on some cases and tell valid results from others.

    Args:
        problem: a problem that can be raced.
        batch: distinct choices.
        cases: indices of the problem's cases.

    Returns:
        For each choice its scores by the names in `Problem.raced`, or a text that says why they are not valid.

    Raises:
        SearchError: `score_cases` did not return as many results as there are choices.
        Exception: what `score_cases` raises, with a note that names the choices.
    """
    results: list[Mapping[str, Sequence[float]] | str] = []
    for answer in _call(problem, "score_cases", batch, batch, cases):
        returned = f"{type(problem).__name__}.score_cases returned {answer!r:.80}"
        if not isinstance(answer, Mapping) or set(answer) != set(problem.raced):
            results.append(f"{returned}: return the scores of {', '.join(problem.raced)} for each choice")
        elif any(len(column) != len(cases) for column in answer.values()):
            results.append(f"{returned}: return a score on each of {len(cases)} cases")
        else:
            columns = {name: [float(score) for score in column] for name, column in answer.items()}
            faulty = [n for n, column in columns.items() if not all(map(math.isfinite, column))]
            results.append(f"{returned}: a score of {faulty[0]!r} is no finite number" if faulty else columns)
    return results


def conclude_batch(
    problem: Problem, batch: Sequence[Choice], scores: Sequence[Mapping[str, Sequence[float]]]
) -> list[Evaluation | str]:
    """Make the evaluations of choices from their scores on all cases, and tell valid results from others.

    Args:
        problem: a problem that can be raced.
        batch: distinct choices.
        scores: the scores of each, as `score_batch` returns them for all cases.

    Returns:
        For each choice its evaluation, or a text that says why it has no valid one.

    Raises:
        SearchError: `conclude` did not return as many results as there are choices.
        Exception: what `conclude` raises, with a note that names the choices.
    """
    return _checked(problem, "conclude", _call(problem, "conclude", batch, batch, scores))


def _checked(problem: Problem, method: str, answers: Sequence[Any]) -> list[Evaluation | str]:
    """The valid evaluations among a method's answers, and what is wrong with the others."""
    results: list[Evaluation | str] = []
    for answer in answers:
        returned = f"{type(problem).__name__}.{method} returned {answer!r:.80}"
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


def _call(problem: Problem, method: str, batch: Sequence[Choice], *arguments: Any) -> list[Any]:
    """What a method of a problem returns for a batch, as a list of the same length."""
    name = f"{type(problem).__name__}.{method}"
    try:
        answers = list(getattr(problem, method)(*arguments) or ())
    except Exception as error:
        shown = ", ".join(repr(choice) for choice in batch[:3])
        more = f" and {len(batch) - 3} more" if len(batch) > 3 else ""
        error.add_note(f"raised by {name} for {shown}{more}")
        raise
    if len(answers) != len(batch):
        raise SearchError(f"{name} returned {len(answers)} results for {len(batch)} choices: return one each")
    return answers
