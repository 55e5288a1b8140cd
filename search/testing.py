"""What every Problem promises, as tests: derive a class from ProblemContract and override one fixture.

The only file of `search` that imports pytest.
"""

from __future__ import annotations

import copy
import json
import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from search.checking.answers import ask, conclude_batch, score_batch
from search.checking.problems import check_problem
from search.problem import Choice, Evaluation, Known, Problem, count_choices
from search.samplers.base import Space
from search.study import StudyRecord, load, run

__all__ = ["ProblemContract", "assert_json"]

_ADDRESS = re.compile(r" at 0x[0-9a-f]+", re.IGNORECASE)


class ProblemContract:
    """Tests that any Problem passes; name the derived class `Test...`, so that pytest collects it.

    `n_choices` are evaluated: known ones, then random ones; give fewer where evaluations are slow.
    Two evaluations of one choice may differ by `tolerance`, absolute or relative, in every number.
    """

    n_choices: int = 10
    tolerance: float = 0.0

    @pytest.fixture
    def problem(self) -> Problem:
        """The problem to test, created for each test."""
        raise NotImplementedError(f"{type(self).__name__} must override the fixture `problem`")

    def test_it_can_make_a_study(self, problem: Problem) -> None:
        """Choices, objectives, known choices and identity are those of a Problem."""
        check_problem(problem)
        keys = [Space(problem.choices).key(choice) for choice in problem.known_choices]
        assert len(set(keys)) == len(keys), f"known_choices repeats a choice: {problem.known_choices!r}"

    def test_it_evaluates_each_choice(self, problem: Problem) -> None:
        """One Evaluation a choice, with a finite value for each objective."""
        batch = self._choices(problem)
        for choice, result in zip(batch, self._evaluate(problem, batch), strict=True):
            n_values, n_objectives = len(result.values), len(problem.objectives)
            assert n_values == n_objectives, f"{choice} got {n_values} values for {n_objectives} objectives"
            numbers = (*result.values, *result.constraints.values())
            assert all(map(math.isfinite, numbers)), f"{choice} got a number that is not finite: {result!r}"
            assert_json(result.attributes, f"the attributes of {choice}")

    def test_an_evaluation_depends_on_the_choice_alone(self, problem: Problem) -> None:
        """Alone, in any batch and order, and again: values, constraints and attributes are the same."""
        batch = self._choices(problem)
        first = self._evaluate(problem, batch)
        ways = {
            "alone": [self._evaluate(problem, [choice])[0] for choice in batch],
            "in the opposite order": self._evaluate(problem, batch[::-1])[::-1],
            "with half of the others": self._evaluate(problem, batch[::2]),
        }
        for way, results in ways.items():
            step = 2 if len(results) < len(batch) else 1
            for choice, result, before in zip(batch[::step], results, first[::step], strict=True):
                agree = self._agree(vars(result), vars(before))
                assert agree, f"{choice} evaluated {way} gives {result!r}, before {before!r}"

    def test_it_leaves_its_input_alone(self, problem: Problem) -> None:
        """Neither `foresee` nor `evaluate` changes its batch, nor the problem's choices and known choices."""
        batch = self._choices(problem)
        facts = copy.deepcopy((dict(problem.choices), list(problem.known_choices)))
        for name in ("foresee", "evaluate"):
            given = copy.deepcopy(batch)
            getattr(problem, name)(given)
            assert given == batch, f"{name} changed its batch"
            kept = (dict(problem.choices), list(problem.known_choices))
            assert kept == facts, f"{name} changed choices or known_choices"

    def test_what_is_foreseen_comes_true(self, problem: Problem) -> None:
        """A foreseen value names an objective, and evaluation says the same; so do constraints and attributes."""
        batch = self._choices(problem)
        names = [objective.name for objective in problem.objectives]
        results = self._evaluate(problem, batch)
        for choice, known, result in zip(batch, self._foresee(problem, batch), results, strict=True):
            assert_json(known.attributes, f"the foreseen attributes of {choice}")
            for part, said, found in (
                ("value", known.values, dict(zip(names, result.values, strict=True))),
                ("constraint", known.constraints, result.constraints),
                ("attribute", known.attributes, result.attributes),
            ):
                for name, value in said.items():
                    assert name in found, f"foresee gives the {part} {name!r}, evaluate does not"
                    assert self._agree(value, found[name]), (
                        f"the {part} {name!r} of {choice} is foreseen as {value!r}, evaluated to {found[name]!r}"
                    )
            (again,) = self._foresee(problem, [choice])
            assert self._agree(vars(again), vars(known)), f"{choice} is foreseen otherwise alone: {again!r}"

    def test_it_foresees_the_same_of_every_choice(self, problem: Problem) -> None:
        """The objectives, constraints and attributes that are known of one choice are known of all."""
        kinds = {
            (frozenset(known.values), frozenset(known.constraints), frozenset(known.attributes))
            for known in self._foresee(problem, self._choices(problem))
        }
        assert len(kinds) == 1, f"foresee tells more of some choices than of others: {kinds}"

    def test_scoring_case_by_case_gives_the_same(self, problem: Problem) -> None:
        """For a problem that can be raced: cases in parts, in another order, while choices leave the batch."""
        if not problem.raced:
            return
        batch = self._choices(problem)
        order = list(reversed(range(len(problem.cases))))
        scores: list[dict[str, dict[int, float]]] = [{name: {} for name in problem.raced} for _ in batch]
        half = len(order) // 2
        for cases, some in ((order[:half], slice(None)), (order[half:], slice(None, None, 2))):
            for kept, found in zip(scores[some], score_batch(problem, batch[some], cases), strict=True):
                assert not isinstance(found, str), found
                for name, column in found.items():
                    kept[name].update(zip(cases, column, strict=True))
        columns = [{name: [c[i] for i in sorted(c)] for name, c in one.items()} for one in scores[::2]]
        whole = self._evaluate(problem, batch)[::2]
        for choice, result, before in zip(
            batch[::2], conclude_batch(problem, batch[::2], columns), whole, strict=True
        ):
            assert not isinstance(result, str), result
            agree = self._agree(vars(result), vars(before))
            assert agree, f"{choice} scored case by case gives {result!r}, evaluated {before!r}"

    def test_its_identity_is_stable(self, problem: Problem) -> None:
        """The same texts each time, after evaluations too, and in another process."""
        before = problem.identity()
        check_problem(problem)
        self._evaluate(problem, self._choices(problem)[:2])
        assert problem.identity() == before, "identity() changed"
        assert_json(before, "the identity")
        for name, text in before.items():
            assert not _ADDRESS.search(text), f"identity() {name!r} tells an address in memory: {text}"

    def test_a_study_runs_and_continues(self, problem: Problem, tmp_path: Path) -> None:
        """On a real storage: no choice twice, and what is read back is what was evaluated."""
        storage = str(tmp_path / "study.db")
        n_trials = min(self.n_choices, count_choices(problem))
        for stop in (max(1, n_trials // 2), n_trials):
            run(problem, storage, "contract", stop, population=max(2, n_trials // 3))
            record = load(storage, "contract")
            assert record.n_trials == record.n_unique_trials == stop
        self._assert_recorded(problem, record)

    def _assert_recorded(self, problem: Problem, record: StudyRecord) -> None:
        results = self._evaluate(problem, [point.choice for point in record.points])
        for point, result in zip(record.points, results, strict=True):
            assert self._agree(point.values, result.values), f"trial {point.number} has {point.values}"
            stored = json.loads(json.dumps(dict(result.attributes)))
            assert self._agree(point.attributes, stored), f"trial {point.number} has {point.attributes}"
            assert point.feasible == result.feasible, f"trial {point.number}: feasible is {point.feasible}"

    def _evaluate(self, problem: Problem, batch: Sequence[Choice]) -> list[Evaluation]:
        return ask(problem, "evaluate", [dict(choice) for choice in batch], Evaluation)

    def _foresee(self, problem: Problem, batch: Sequence[Choice]) -> list[Known]:
        return ask(problem, "foresee", [dict(choice) for choice in batch], Known)

    def _choices(self, problem: Problem) -> list[Choice]:
        """Distinct choices: known ones, and random ones."""
        space, rng = Space(problem.choices), np.random.default_rng(0)
        known = [space.key(choice) for choice in problem.known_choices][: max(1, self.n_choices // 2)]
        keys = list(dict.fromkeys(known))
        while len(keys) < min(self.n_choices, space.size):
            keys.append(space.untaken(space.draw(rng), set(keys), rng))
        return [space.choice(key) for key in keys]

    def _agree(self, one: Any, other: Any) -> bool:
        if isinstance(one, Mapping) and isinstance(other, Mapping):
            return one.keys() == other.keys() and all(self._agree(one[name], other[name]) for name in one)
        if isinstance(one, (int, float)) and isinstance(other, (int, float)):
            return math.isclose(one, other, rel_tol=self.tolerance, abs_tol=self.tolerance)
        if isinstance(one, (list, tuple)) and isinstance(other, (list, tuple)):
            return len(one) == len(other) and all(map(self._agree, one, other))
        return one == other


def assert_json(facts: Mapping[str, Any], what: str) -> None:
    """Assert that facts can be written to JSON with the names that they have.

    Args:
        facts: the facts by name.
        what: what they are, for the message.
    """
    assert all(isinstance(name, str) for name in facts), f"{what} have a name that is no text: {facts!r}"
    try:
        json.dumps(facts, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise AssertionError(f"{what} cannot be written to JSON ({error}): {facts!r}") from None
