import itertools
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from search.errors import SearchError
from search.preference.comparisons import draw_comparisons, spread_points
from tests.search.preference.viewer import SCENES, front_study


@given(st.integers(2, 40), st.integers(5, 60), st.integers(0, 5))
def test_comparisons_of_any_front(n_points: int, n_comparisons: int, seed: int):
    record = front_study(n_points)
    points = spread_points(record.points, record.objectives, n_comparisons)
    found = draw_comparisons(points, SCENES, n_comparisons, seed)
    numbers = [point.number for point in points]
    assert (points[0], points[-1]) == (record.points[0], record.points[-1])
    assert len(found) == n_comparisons
    assert all(one.left != one.right and one.scene in SCENES for one in found)
    shown = Counter(number for one in found for number in (one.left, one.right))
    assert set(shown) == set(numbers)
    assert max(shown.values()) <= 3 * min(shown.values()) + 2
    pairs = {frozenset((one.left, one.right)) for one in found}
    assert all(frozenset(pair) in pairs for pair in itertools.pairwise(numbers))


def test_a_fifth_comes_again_with_sides_swapped():
    record = front_study()
    found = draw_comparisons(spread_points(record.points, record.objectives, 20), SCENES, 20)
    again = [one for i, one in enumerate(found) if one.swapped in found[:i]]
    assert len(again) == 4
    assert len(spread_points(record.points, record.objectives, 20)) == 8


def test_the_same_seed_draws_the_same():
    points = front_study().points
    one, same, other = (draw_comparisons(points, SCENES, 40, seed) for seed in (1, 1, 2))
    assert one == same != other
    sides = Counter(comparison.left < comparison.right for comparison in one)
    assert min(sides.values()) >= 10
    assert Counter(comparison.scene for comparison in one)[SCENES[0]] in range(16, 25)


def test_what_cannot_be_compared():
    record = front_study()
    with pytest.raises(SearchError, match="4 comparisons tell too little: make at least 5"):
        spread_points(record.points, record.objectives, 4)
    with pytest.raises(SearchError, match="there is 1 point to look at, and a comparison needs 2"):
        spread_points(record.points[:1], record.objectives, 20)
