"""The intervals hold the true value as often as they say, and ties are what they are defined as."""

import numpy as np
import pytest

from search.errors import SearchError
from search.problem import Case, Objective, Point
from search.uncertainty import Resamples, count_groups, find_ties, has_scores

QUALITY = Objective("quality", "maximize", "dB")
COST = Objective("cost", "minimize", "ms")
N_STUDIES = 400


def scored(number: int, scores: np.ndarray, cost: float = 1.0) -> Point:
    values = (float(scores.mean()), cost)
    return Point(number, {"level": number}, values, scores={"quality": tuple(scores.tolist())})


def cases(n: int, group_size: int = 1) -> list[Case]:
    return [Case(f"case {i}", f"group {i // group_size}" if group_size > 1 else "") for i in range(n)]


def coverage(n_groups: int, group_size: int) -> tuple[float, float]:
    """How often the intervals of a mean and of a difference hold the truth, on skewed scores of correlated cases."""
    held = np.zeros(2)
    n = n_groups * group_size
    for seed in range(N_STUDIES):
        rng = np.random.default_rng(seed)
        difficulty = np.repeat(rng.normal(0, 3, n_groups), group_size)
        gains = [np.repeat(rng.gamma(2, 0.05, n_groups), group_size) for _ in range(2)]
        noise = rng.normal(0, 0.02, (2, n))
        a, b = 30 + difficulty + gains[0] + noise[0], 30.05 + difficulty + gains[1] + noise[1]
        points = [scored(0, a), scored(1, b)]
        resamples = Resamples(points, QUALITY, cases(n, group_size), n_resamples=500, seed=seed)
        mean, difference = resamples.mean(0), resamples.difference(1, 0)
        held += (mean.low <= 30.1 <= mean.high, difference.low <= 0.05 <= difference.high)
    return tuple(held / N_STUDIES)


@pytest.mark.parametrize(("n_groups", "group_size"), [(8, 1), (24, 1), (12, 4)])
def test_95_percent_intervals_hold_the_truth_about_as_often(n_groups, group_size):
    # The share over 400 studies has a standard error of 1.1 %; skewed scores cost a little more.
    for share in coverage(n_groups, group_size):
        assert 0.91 <= share <= 0.985


def test_ignoring_groups_would_make_intervals_too_narrow():
    rng = np.random.default_rng(0)
    scores = np.repeat(rng.normal(30, 3, 10), 8)
    alone, grouped = (
        Resamples([scored(0, scores)], QUALITY, one).mean(0) for one in (cases(80), cases(80, 8))
    )
    assert grouped.high - grouped.low > 2 * (alone.high - alone.low)


def test_pairs_cancel_the_difficulty_of_cases():
    rng = np.random.default_rng(0)
    easy = rng.normal(30, 3, 24)
    points = [scored(0, easy), scored(1, easy + rng.normal(0.1, 0.01, 24))]
    resamples = Resamples(points, QUALITY, cases(24))
    difference, mean = resamples.difference(1, 0), resamples.mean(1)
    assert 0.09 < difference.low < 0.1 < difference.high < 0.11
    assert mean.high - mean.low > 1
    assert resamples.standard_error(1, 0) == pytest.approx(0.01 / 24**0.5, rel=0.3)
    assert resamples.standard_error(1, 1) == 0


def test_a_difference_is_minus_that_of_the_other_order():
    rng = np.random.default_rng(3)
    points = [scored(number, rng.normal(30, 1, 12)) for number in (4, 7)]
    resamples = Resamples(points, QUALITY, cases(12))
    one, other = resamples.difference(4, 7), resamples.difference(7, 4)
    assert (one.low, one.high) == pytest.approx((-other.high, -other.low))


def test_ties_are_points_that_a_cheaper_one_may_equal():
    rng = np.random.default_rng(0)
    base = rng.normal(30, 3, 24)
    front = [
        scored(3, base, 1.0),
        scored(8, base + rng.normal(0.001, 0.05, 24), 2.0),  # no better than 3
        scored(1, base + rng.normal(0.2, 0.05, 24), 3.0),
        scored(9, base + rng.normal(0.201, 0.05, 24), 4.0),  # no better than 1
    ]
    assert find_ties(front, (QUALITY, COST), cases(24)) == {8: 3, 9: 1}


def test_points_without_scores_have_no_ties():
    front = [Point(0, {"level": 0}, (1.0, 1.0)), Point(1, {"level": 1}, (2.0, 2.0))]
    assert not has_scores(front, QUALITY, cases(5))
    assert find_ties(front, (QUALITY, COST), cases(5)) == {}


def test_one_case_tells_nothing():
    point = Point(0, {"level": 0}, (1.0, 1.0), scores={"quality": (1.0, 1.0)})
    crops = [Case("a 0", "a"), Case("a 1", "a")]
    assert count_groups(crops) == 1
    assert not has_scores([point], QUALITY, crops)
    with pytest.raises(SearchError, match="1 independent case"):
        Resamples([point], QUALITY, crops)


def test_bad_input_is_named():
    points = [scored(0, np.arange(4.0))]
    with pytest.raises(SearchError, match=r"confidence is 95: .* 0\.95"):
        Resamples(points, QUALITY, cases(4), confidence=95)
    with pytest.raises(SearchError, match="n_resamples is 1: give at least 2"):
        Resamples(points, QUALITY, cases(4), n_resamples=1)
    with pytest.raises(SearchError, match="trial 0 has no scores of 'quality' on 5 cases"):
        Resamples(points, QUALITY, cases(5))
