import numpy as np
import pytest
from scipy import stats

from search.problem import Known, Objective, Point
from search.racing.rule import Rivals, lower_bound

HEIGHT, COST = Objective("height", "maximize"), Objective("cost", "minimize")


def point(number: int, heights: list[float], cost: float, **options) -> Point:
    scores = {"height": tuple(heights)}
    return Point(number, {"step": number}, (float(np.mean(heights)), cost), scores=scores, **options)


def test_the_bound_of_an_infinite_set_is_students():
    differences = [0.3, -0.1, 0.6, 0.2, 0.9]
    expected = stats.ttest_1samp(differences, 0).confidence_interval(0.9).low  # two-sided: 0.05 on each side
    assert lower_bound(differences, range(5), 10**7, 0.05) == pytest.approx(expected, abs=1e-5)


def test_the_bound_of_all_cases_is_their_mean():
    assert lower_bound([1.0, 4.0, 1.0], [2, 0, 1], 3, 0.01) == pytest.approx(2.0)


@pytest.mark.parametrize("strength", [None, 0.0, 3.0])
@pytest.mark.parametrize("error", [0.01, 0.1])
def test_the_bound_errs_as_rarely_as_it_says(error, strength):
    """With a pattern, also one that has nothing to do with the differences."""
    rng = np.random.default_rng(0)
    n_wrong, n_draws = 0, 4000
    for _ in range(n_draws):
        pattern = rng.normal(size=24)
        population = rng.normal(size=24) + (strength or 0.0) * pattern
        cases = rng.permutation(24)[:6].tolist()
        given = None if strength is None else pattern
        n_wrong += lower_bound(population[cases], cases, 24, error, given) > population.mean()
    assert n_wrong / n_draws == pytest.approx(error, abs=4 * (error / n_draws) ** 0.5)


def test_a_pattern_that_tells_the_differences_makes_the_bound_narrow():
    rng = np.random.default_rng(1)
    pattern = rng.normal(size=24)
    population = 1 + pattern + 0.01 * rng.normal(size=24)
    cases = list(range(5))
    bounds = [lower_bound(population[cases], cases, 24, 0.01, one) for one in (None, pattern)]
    assert bounds[0] < bounds[1] - 0.5
    assert bounds[1] == pytest.approx(population.mean(), abs=0.05)


def test_the_pattern_is_what_points_differ_by():
    rng = np.random.default_rng(2)
    pattern = np.array([0.5, -0.1, 0.7, 0.5])
    points = [point(i, list(rng.normal() * pattern + 0.01 * rng.normal(size=4)), float(i)) for i in range(30)]
    for n, expected in ((19, 0), (30, 1)):
        rivals = Rivals(points[:n], (HEIGHT, COST), ["height"], 4)
        found = [one for one in rivals._patterns if one is not None]
        assert len(found) == expected
        assert all(abs(one @ pattern) > 0.999 for one in found)


def test_the_rival_is_the_best_of_those_as_cheap():
    points = [point(0, [1, 2], 1.0), point(1, [5, 4], 2.0), point(2, [3, 3], 2.0), point(3, [9, 9], 4.0)]
    rivals = Rivals(points, (HEIGHT, COST), ["height"], 2)
    assert [one.number for one in rivals.of(Known({"cost": 2.0}))] == [1]
    assert [one.number for one in rivals.of(Known({"cost": 1.5}))] == [0]
    assert [one.number for one in rivals.of(Known({"cost": 9.0}))] == [3]
    assert rivals.of(Known({"cost": 0.5})) == []


def test_points_that_are_infeasible_or_not_scored_on_all_cases_are_no_rivals():
    points = [
        point(0, [5, 5], 1.0, feasible=False),
        point(1, [5], 1.0),
        Point(2, {"step": 2}, (5.0, 1.0)),
    ]
    rivals = Rivals(points, (HEIGHT, COST), ["height"], 2)
    assert rivals.of(Known({"cost": 2.0})) == []
    assert rivals.any() is None


def test_an_objective_to_minimise():
    loss = Objective("height", "minimize")
    rivals = Rivals([point(0, [1.0, 1.1, 1.2, 9.0], 1.0)], (loss, COST), ["height"], 4)
    (rival,) = rivals.of(Known({"cost": 1.0}))
    assert rivals.beats(rival, {"height": [2.0, 2.11, 2.2]}, [0, 1, 2], 0.05)
    assert not rivals.beats(rival, {"height": [0.0, 0.11, 0.2]}, [0, 1, 2], 0.05)
    estimate = rivals.estimate(rival, {"height": [2.0, 2.1, 2.2]}, [0, 1, 2])
    assert estimate == pytest.approx({"height": 3.075 + 1.0})


def test_with_two_scored_objectives_one_rival_must_win_both():
    objectives = (HEIGHT, Objective("shine", "maximize"), COST)

    def scored(number: int, height: float, shine: float) -> Point:
        scores = {
            name: tuple(v + e for e in (0.0, 0.1, 0.2)) for name, v in (("height", height), ("shine", shine))
        }
        return Point(number, {"step": number}, (height + 0.1, shine + 0.1, 1.0), scores=scores)

    rivals = Rivals([scored(0, 5, 1), scored(1, 1, 5), scored(2, 1, 1)], objectives, ["height", "shine"], 3)
    found = rivals.of(Known({"cost": 1.0}))
    assert [one.number for one in found] == [0, 1]  # trial 2 is worse than both

    def is_beaten(height: float, shine: float) -> bool:
        scores = {"height": [height, height + 0.11], "shine": [shine, shine + 0.11]}
        return any(rivals.beats(one, scores, [0, 1], 0.05) for one in found)

    assert is_beaten(0, 0)
    assert is_beaten(4, 0)
    assert not is_beaten(4, 4)  # each rival wins one of the two
