"""Trials that are not this package's: left by other scripts, enqueued by hand, or without finite values."""

import logging
import math
from collections.abc import Sequence
from pathlib import Path

import optuna
import pytest
from optuna.distributions import CategoricalDistribution, IntDistribution
from optuna.study import Study
from optuna.trial import TrialState

from search.errors import SearchError
from search.problem import Choice, Evaluation
from search.study import load, run
from tests.search.toy import Lens, searched


def opened(storage: Path) -> Study:
    return optuna.load_study(study_name="toy", storage=f"sqlite:///{storage}")


LEFT = {
    "asked": lambda study: study.ask(),
    "asked in part": lambda study: study.ask({"elements": CategoricalDistribution((1, 2, 3, 4, 5, 6))}),
    "asked of another space": lambda study: study.ask({"another": IntDistribution(0, 99)}),
    "told": lambda study: study.tell(study.ask(), (1.0, 2.0)),
    "told of a whole choice": lambda study: study.tell(
        study.ask(
            {name: CategoricalDistribution(tuple(options)) for name, options in Lens().choices.items()}
        ),
        (1e9, 0.0),
    ),
    "failed": lambda study: study.tell(study.ask(), state=TrialState.FAIL),
    "pruned": lambda study: study.tell(study.ask(), state=TrialState.PRUNED),
}


@pytest.mark.parametrize("kind", LEFT)
def test_trials_of_other_scripts_are_neither_counted_nor_touched(tmp_path: Path, kind: str):
    storage = tmp_path / "s.db"
    searched(storage, 10, population=5)
    LEFT[kind](opened(storage))
    before = opened(storage).trials[-1]
    record = searched(storage, 20, population=5, lease_s=1)
    assert record.n_trials == record.n_unique_trials == 20
    assert before.number not in {point.number for point in record.points}
    after = opened(storage).trials[before.number]
    assert (after.state, after.params, after.values) == (before.state, before.params, before.values)


def test_an_enqueued_choice_is_evaluated_next_as_the_trial_that_waits(tmp_path: Path):
    storage = tmp_path / "s.db"
    searched(storage, 10, population=5)
    tried = [dict(point.choice) for point in load(str(storage), "toy").points]
    new = next(choice for choice in every_choice() if choice not in tried)
    opened(storage).enqueue_trial(new)
    problem = Lens()
    record = searched(storage, 12, problem, population=5)
    assert problem.batches[0][0] == new
    assert [point.choice for point in record.points if point.number == 10] == [new]
    assert opened(storage).trials[10].state == TrialState.COMPLETE
    assert record.points[10].attributes == Lens().score(new).attributes


def test_what_an_enqueued_trial_leaves_open_is_drawn(tmp_path: Path):
    storage = tmp_path / "s.db"
    searched(storage, 5, population=5)
    opened(storage).enqueue_trial({"elements": 6, "glass": "flint"})
    (point,) = [point for point in searched(storage, 8, population=5).points if point.number == 5]
    assert (point.choice["elements"], point.choice["glass"]) == (6, "flint")


@pytest.mark.parametrize(
    ("fixed", "reason"),
    [
        (
            {"elements": 7, "diameter_mm": 10.0, "glass": "flint"},
            "its parameters are no choice of this problem",
        ),
        ({"colour": "red"}, "its parameters are no choice of this problem"),
        (None, "its choice is evaluated, or being evaluated, already"),
    ],
)
def test_enqueued_trials_that_cannot_be_run_fail_and_are_reported(
    tmp_path: Path, fixed: dict | None, reason: str, caplog: pytest.LogCaptureFixture
):
    storage = tmp_path / "s.db"
    tried = searched(storage, 10, population=5).points[0].choice
    opened(storage).enqueue_trial(tried if fixed is None else fixed)
    with caplog.at_level(logging.WARNING, "search"):
        assert searched(storage, 12, population=5).n_trials == 12
    assert f"the enqueued trial 10 is not run: {reason}" in caplog.text
    assert opened(storage).trials[10].state == TrialState.FAIL


def every_choice() -> list[Choice]:
    lens = Lens()
    return [
        {"elements": elements, "diameter_mm": diameter, "glass": glass}
        for elements in lens.choices["elements"]
        for diameter in lens.choices["diameter_mm"]
        for glass in lens.choices["glass"]
    ]


class Cracked(Lens):
    """Some lenses cannot be measured."""

    bad: object = math.nan

    def is_bad(self, choice: Choice) -> bool:
        return choice["elements"] == 3 and choice["glass"] == "flint"

    def evaluate(self, batch: Sequence[Choice]) -> list[Evaluation]:
        found = super().evaluate(batch)
        return [
            Evaluation((one.values[0], self.bad)) if self.is_bad(choice) else one  # type: ignore[arg-type]
            for choice, one in zip(batch, found, strict=True)
        ]


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf, None, "fast"])
@pytest.mark.parametrize("sampler", ["nsga2", "exhaustive"])
def test_a_value_that_is_no_number_fails_its_own_trial_alone(
    tmp_path: Path, bad: object, sampler: str, caplog: pytest.LogCaptureFixture
):
    storage, problem = tmp_path / "s.db", Cracked()
    problem.bad = bad
    with caplog.at_level(logging.WARNING, "search"):
        record = searched(storage, 90, problem, sampler=sampler)  # type: ignore[arg-type]
    assert record.n_trials == record.n_unique_trials == 85
    assert not any(problem.is_bad(point.choice) for point in record.points)
    for diameter in problem.choices["diameter_mm"]:
        choice = {"elements": 3, "diameter_mm": diameter, "glass": "flint"}
        assert caplog.text.count(f"choice {choice!r}: value 1 of its evaluation is {bad!r}") == 1
    again = Cracked()
    searched(storage, 90, again)
    assert again.batches == []  # nothing is drawn again, by another worker either
    states = [trial.state for trial in opened(storage).trials]
    assert (states.count(TrialState.COMPLETE), states.count(TrialState.FAIL)) == (85, 5)


def test_a_constraint_that_is_no_number_fails_its_trial(tmp_path: Path):
    class Unlimited(Lens):
        def score(self, choice: Choice) -> Evaluation:
            found = super().score(choice)
            limit = math.nan if choice["elements"] == 1 else -1.0
            return Evaluation(found.values, constraints={"limit": limit})

    assert searched(tmp_path / "s.db", 90, Unlimited()).n_trials == 75


def test_values_that_are_never_numbers_are_the_problem_s_fault(tmp_path: Path):
    class Broken(Lens):
        def score(self, choice: Choice) -> Evaluation:
            return Evaluation((math.nan, 1.0))

    storage = str(tmp_path / "s.db")
    with pytest.raises(SearchError, match=r"and so it is for all 10 choices .*: correct Broken.evaluate"):
        run(Broken(), storage, "toy", 20)
    run(Lens(), storage, "toy", 90)  # no choice is lost
    assert load(storage, "toy").n_trials == 90
