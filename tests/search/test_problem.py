import math
import re

import numpy as np
import pytest

from search.checking.problems import check_problem
from search.errors import SearchError
from search.problem import Evaluation, Objective, Problem
from tests.search.toy import Lens


def test_toy_is_valid():
    check_problem(Lens())


@pytest.mark.parametrize(
    ("choices", "words"),
    [
        ({}, "choices is missing or empty"),
        ({"a": ()}, "choice 'a' has the values ()"),
        ({"a": "abc"}, "choice 'a' has the values 'abc'"),
        ({"a": (1, 2, 1)}, "choice 'a' repeats a value in [1, 2, 1]"),
        ({"a": (1, 1.0)}, "choice 'a' repeats a value"),
        ({"a": (1, None)}, "choice 'a' has the value None"),
        ({"a": (True,)}, "choice 'a' has the value True"),
        ({"a": ([1],)}, "choice 'a' has the value [1]"),
        ({"a": (math.nan,)}, "choice 'a' has the value nan"),
        ({"": (1,)}, "the choice name ''"),
        ({"weight": (1,)}, "the name 'weight' is used twice"),
    ],
)
def test_bad_choices(choices, words):
    lens = Lens()
    lens.choices = choices
    with pytest.raises(SearchError, match=re.escape(words)):
        check_problem(lens)


@pytest.mark.parametrize(
    ("objectives", "words"),
    [
        ((), "objectives is missing or empty"),
        (("weight",), "holds 'weight'"),
        ((Objective("a", "minimize"), Objective("a", "maximize")), "the name 'a' is used twice"),
    ],
)
def test_bad_objectives(objectives, words):
    lens = Lens()
    lens.objectives = objectives
    with pytest.raises(SearchError, match=re.escape(words)):
        check_problem(lens)


def test_problem_without_attributes():
    class Bare(Problem):
        def evaluate(self, batch):
            return []

    with pytest.raises(SearchError, match=r"Bare\.choices is missing"):
        check_problem(Bare())
    with pytest.raises(SearchError, match="is not a Problem"):
        check_problem("lens")  # type: ignore[arg-type]


def test_bad_identity():
    lens = Lens(maker=3)  # type: ignore[arg-type]
    with pytest.raises(SearchError, match=r"identity\(\) holds 'maker': 3"):
        check_problem(lens)


def test_bad_objective():
    with pytest.raises(SearchError, match="direction 'max'"):
        Objective("psnr", "max")  # type: ignore[arg-type]
    with pytest.raises(SearchError, match="name is ''"):
        Objective("", "maximize")


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, None, "fast", "1.5", 10**400, [1.0]])
def test_what_is_no_finite_number_is_a_fault(value):
    assert Evaluation((1.0, value)).fault == f"value 1 of its evaluation is {value!r}, not a finite number"
    limited = Evaluation((1.0,), constraints={"ms": value})
    assert limited.fault == f"constraint 'ms' of its evaluation is {value!r}, not a finite number"
    assert Evaluation((1, np.float64(2)), {"n": 1}, {"ms": -1}).fault is None


@pytest.mark.parametrize("values", [None, 7j, "12", b"12"])
def test_values_that_are_no_sequence_are_a_fault(values):
    assert str(Evaluation(values).fault).startswith("value 0 of its evaluation is")


@pytest.mark.parametrize("attribute", [math.nan, {1, 2}, object])
def test_an_attribute_that_json_cannot_hold_is_a_fault(attribute):
    assert str(Evaluation((1.0,), {"fact": attribute}).fault).startswith("attribute 'fact' is")


def test_feasible_at_the_limit():
    assert Evaluation((1,), constraints={"ms": 0.0, "mb": -1}).feasible
    assert not Evaluation((1,), constraints={"ms": -1.0, "mb": 1e-9}).feasible
    assert Evaluation((1,)).feasible
