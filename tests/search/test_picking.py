import re

import pytest

from search.errors import SearchError
from search.picking import pick
from search.problem import Objective, Point

OBJECTIVES = (Objective("psnr", "maximize", "dB"), Objective("latency", "minimize", "ms"))
POINTS = [
    Point(0, {"a": 1}, (20.0, 10.00004)),
    Point(3, {"a": 2}, (28.0, 20.0)),
    Point(4, {"a": 3}, (28.0, 19.0)),
    Point(5, {"a": 4}, (30.0, 90.0)),
    Point(9, {"a": 5}, (40.0, 5.0), feasible=False),
]


def test_by_trial():
    assert pick(POINTS, OBJECTIVES, trial=5).number == 5
    assert pick(POINTS, OBJECTIVES, trial=9).number == 9  # asked for by number, so given
    assert pick(POINTS, OBJECTIVES, trial=0).number == 0


def test_by_budget():
    assert pick(POINTS, OBJECTIVES, at_most=("latency", 90.0)).number == 5
    assert pick(POINTS, OBJECTIVES, at_most=("latency", 89.9)).number == 4  # equal to 3 and cheaper
    assert pick(POINTS, OBJECTIVES, at_most=("latency", 19)).number == 4
    lighter = [Objective("weight", "minimize", "g"), OBJECTIVES[1]]
    assert pick(POINTS, lighter, at_most=("latency", 50.0)).number == 0


def test_by_knee():
    assert pick(POINTS, OBJECTIVES, knee=True).number == 4


@pytest.mark.parametrize(
    ("criterion", "words"),
    [
        ({}, "pick by exactly one of"),
        ({"trial": 0, "knee": True}, "pick by exactly one of"),
        ({"trial": 7}, "trial 7 is not a finished trial: 5 finished, numbers 0 to 9"),
        ({"at_most": ("latency", 10.0)}, "latency of at most 10 ms: the smallest is 10.00004 ms; raise"),
        ({"at_most": ("latency", float("nan"))}, "the budget of latency is nan: give a number in ms"),
        ({"at_most": ("memory", 3.0)}, "no minimised objective 'memory' to limit: choose from ['latency']"),
        ({"at_most": ("psnr", 3.0)}, "no minimised objective 'psnr'"),
    ],
)
def test_refusals(criterion, words):
    with pytest.raises(SearchError, match=re.escape(words)):
        pick(POINTS, OBJECTIVES, **criterion)


@pytest.mark.parametrize("latency_ms", [10.00004, 12345.64321, 7.0, 19.700000000000003, 1 / 3])
def test_the_smallest_that_is_named_is_itself_enough(latency_ms):
    only = [Point(0, {"a": 1}, (20.0, latency_ms))]
    with pytest.raises(SearchError) as caught:
        pick(only, OBJECTIVES, at_most=("latency", 0.1))
    named = re.search(r"smallest is (\S+) ms", str(caught.value))
    assert named is not None
    assert pick(only, OBJECTIVES, at_most=("latency", float(named[1]))).number == 0


def test_nothing_to_pick_from():
    with pytest.raises(SearchError, match="trial 0 has not finished, nor has any other"):
        pick([], OBJECTIVES, trial=0)
    with pytest.raises(SearchError, match="none of the 1 finished trials is feasible"):
        pick(POINTS[-1:], OBJECTIVES, knee=True)
    with pytest.raises(SearchError, match="none of the 0 finished trials is feasible"):
        pick([], OBJECTIVES, at_most=("latency", 5.0))
