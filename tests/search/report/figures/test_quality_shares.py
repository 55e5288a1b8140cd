"""Shares of the largest choice, by hand."""

from dataclasses import replace

import pytest

from search.errors import SearchError
from search.problem import Objective, Point
from search.report.figures.quality_shares import find_shares, largest_choice
from search.study import StudyRecord

SHARPNESS = Objective("sharpness", "maximize", "lp/mm", "Sharpness")
BLUR = Objective("blur", "minimize", "", "Blur")
WEIGHT = Objective("weight_g", "minimize", "g", "Weight")
VOLUME = Objective("volume_mm3", "minimize", "mm³", "Volume")
COSTS = (WEIGHT, VOLUME)


def study(quality: Objective, *trials: tuple[int, float, float, int], name: str = "lenses") -> StudyRecord:
    """A study of one choice, from (elements, quality, weight, volume); 4 elements are the most."""
    points = tuple(
        Point(number, {"elements": elements}, (value, weight), {"volume_mm3": volume})
        for number, (elements, value, weight, volume) in enumerate(trials)
    )
    return StudyRecord(name, (quality, WEIGHT), {"elements": (1, 2, 3, 4)}, {}, points)


SHARP = study(
    SHARPNESS, (4, 40.0, 200.0, 1000), (2, 38.0, 100.0, 700), (1, 20.0, 50.0, 100), (3, 42.0, 150.0, 800)
)


def test_a_quality_to_maximise_is_divided_by_the_largest_choices():
    shares = find_shares(SHARP, COSTS)
    assert shares.largest.number == 0
    assert shares.largest_values == (200.0, 1000.0)
    assert shares.kept == (1.0, 0.95, 0.5, 1.05)
    assert shares.shares == ((1.0, 0.5, 0.25, 0.75), (1.0, 0.7, 0.1, 0.8))
    assert shares.values == ((200.0, 100.0, 50.0, 150.0), (1000.0, 700.0, 100.0, 800.0))


def test_of_a_quality_to_minimise_what_lacks_to_one_is_divided():
    shares = find_shares(
        study(BLUR, (4, 0.2, 10.0, 10), (1, 0.6, 5.0, 4), (2, 0.0, 8.0, 8), (3, 1.0, 9.0, 9)), COSTS
    )
    assert shares.kept == (1.0, 0.5, 1.25, 0.0)


def test_the_front_and_the_cheapest_of_each_cost():
    shares = find_shares(SHARP, COSTS)
    assert [shares.points[row].number for row in shares.front(0)] == [
        2,
        1,
        3,
    ]  # trial 3 beats the largest choice
    assert [shares.cheapest(0, kept) for kept in (0.4, 0.95, 0.96, 1.05, 1.06)] == [2, 1, 3, 3, None]
    swapped = study(SHARPNESS, (4, 40.0, 200.0, 1000), (2, 38.0, 100.0, 900), (3, 39.0, 150.0, 800))
    assert [find_shares(swapped, COSTS).front(cost) for cost in (0, 1)] == [[1, 2, 0], [2, 0]]


def test_a_choice_counts_once_and_only_within_the_limits():
    again = replace(SHARP.points[1], number=9, values=(39.0, 100.0))
    beyond = [replace(SHARP.points[i], feasible=False, violation=1.0) for i in (0, 2)]
    record = replace(SHARP, points=(beyond[0], SHARP.points[1], beyond[1], SHARP.points[3], again))
    shares = find_shares(record, COSTS)
    assert shares.largest.number == 0  # it is what the shares are of, even if it is over a limit
    assert ([point.number for point in shares.points], shares.kept) == ([1, 3], (0.95, 1.05))
    empty = find_shares(replace(SHARP, points=beyond), COSTS)
    assert (empty.front(0), empty.cheapest(0, 0.5)) == ([], None)


def test_the_largest_choice():
    record = replace(SHARP, choices={"elements": (1, 4, 2), "scale": (0.5, 1, 0.75)})
    assert largest_choice(record) == {"elements": 4, "scale": 1}


@pytest.mark.parametrize(
    ("record", "message"),
    [
        (replace(SHARP, points=SHARP.points[1:]), r"has not evaluated its largest choice \(elements 4\)"),
        (replace(SHARP, points=()), "search again in a study of another name"),
        (
            replace(SHARP, choices={"glass": ("crown", 3)}),
            "'glass' has the option 'crown', so none is the",
        ),
        (study(SHARPNESS, (4, -1.0, 2.0, 3)), "'sharpness' of the largest choice is -1"),
        (study(BLUR, (4, 0.5, 2.0, 3), (1, 32.3, 1.0, 1)), "'blur' is minimised and reaches 32.3"),
        (study(BLUR, (4, -0.1, 2.0, 3)), "'blur' is minimised and reaches -0.1"),
        (study(BLUR, (4, 1.0, 2.0, 3)), "'blur' of the largest choice is 1, the worst"),
        (study(SHARPNESS, (4, 1.0, 0.0, 3)), "'weight_g' of the largest choice is 0"),
    ],
)
def test_what_has_no_shares_is_refused(record: StudyRecord, message: str):
    with pytest.raises(SearchError, match=message) as caught:
        find_shares(record, COSTS)
    assert "'lenses'" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("attributes", [{}, {"volume_mm3": "much"}, {"volume_mm3": True}])
def test_a_trial_without_a_cost_is_refused(attributes: dict):
    points = (*SHARP.points[:2], replace(SHARP.points[2], attributes=attributes))
    with pytest.raises(SearchError, match="trial 2 has no number 'volume_mm3'"):
        find_shares(replace(SHARP, points=points), COSTS)
