import itertools
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from search import pareto
from search.errors import SearchError
from search.problem import Objective, Point

OBJECTIVES = (Objective("gain", "maximize"), Objective("cost", "minimize"))
DIRECTIONS = [objective.direction for objective in OBJECTIVES]


def points(*values: tuple[float, ...], **options) -> list[Point]:
    return [Point(number, {"a": number}, value, **options) for number, value in enumerate(values)]


def small_grid(columns: int):
    """Values from a small range of integers, so that ties and duplicates are common."""
    return st.lists(st.tuples(*[st.integers(0, 6).map(float)] * columns), max_size=12)


def directions(columns: int):
    return st.lists(st.sampled_from(["maximize", "minimize"]), min_size=columns, max_size=columns)


def is_dominated(value, others, senses) -> bool:
    """By the definition, one number at a time."""
    for other in others:
        pairs = [(b, a) if s == "maximize" else (a, b) for a, b, s in zip(value, other, senses, strict=True)]
        if all(theirs <= mine for mine, theirs in pairs) and any(theirs < mine for mine, theirs in pairs):
            return True
    return False


def test_dominates():
    assert pareto.dominates((2, 1), (1, 1), DIRECTIONS)
    assert pareto.dominates((2, 0), (1, 1), DIRECTIONS)
    assert not pareto.dominates((1, 1), (1, 1), DIRECTIONS)
    assert not pareto.dominates((2, 2), (1, 1), DIRECTIONS)
    assert not pareto.dominates((1, 1), (2, 1), DIRECTIONS)


@pytest.mark.parametrize("columns", [1, 2, 3])
def test_front_mask_against_brute_force(columns):
    @given(small_grid(columns), directions(columns))
    def check(values, senses):
        expected = [not is_dominated(value, values, senses) for value in values]
        assert pareto.front_mask(np.reshape(values, (-1, columns)), senses).tolist() == expected

    check()


def test_front_is_sorted_feasible_and_without_repeated_choices():
    tried = [
        Point(5, {"a": 1}, (3.0, 3.0)),
        Point(2, {"a": 1}, (3.0, 3.0)),  # the same choice, earlier
        Point(3, {"a": 2}, (3.0, 3.0)),  # another choice with equal values
        Point(4, {"a": 3}, (1.0, 1.0)),
        Point(6, {"a": 4}, (0.5, 2.0)),  # dominated by 4
        Point(7, {"a": 5}, (9.0, 0.5), feasible=False),  # would dominate all
    ]
    assert [point.number for point in pareto.front(tried, OBJECTIVES)] == [4, 2, 3]
    assert pareto.front([], OBJECTIVES) == []
    assert pareto.front(points((1.0, 1.0), feasible=False), OBJECTIVES) == []


def test_front_of_a_whole_space():
    rng = np.random.default_rng(0)
    values = rng.integers(0, 200, (6561, 2)).astype(float)
    tried = points(*map(tuple, values.tolist()))
    best = pareto.front(tried, OBJECTIVES)
    costs = [point.values[1] for point in best]
    assert costs == sorted(costs)
    distinct = set(map(tuple, values.tolist()))
    assert {p.values for p in best} == {v for v in distinct if not is_dominated(v, distinct, DIRECTIONS)}


def count_cells(values, senses, reference) -> int:
    """Unit cells of the integer grid that some value covers."""
    signs = [-1 if sense == "maximize" else 1 for sense in senses]
    rows = [[int(v * s) for v, s in zip(value, signs, strict=True)] for value in values]
    corner = [int(r * s) for r, s in zip(reference, signs, strict=True)]
    lowest = [min([row[i] for row in rows] + [corner[i]]) for i in range(len(corner))]
    cells = itertools.product(*(range(low, high) for low, high in zip(lowest, corner, strict=True)))
    return sum(any(all(r <= c for r, c in zip(row, cell, strict=True)) for row in rows) for cell in cells)


@pytest.mark.parametrize("columns", [1, 2, 3])
def test_hypervolume_against_counted_cells(columns):
    @given(small_grid(columns), directions(columns), st.tuples(*[st.integers(0, 7)] * columns))
    def check(values, senses, reference):
        volume = pareto.hypervolume(np.reshape(values, (-1, columns)), senses, reference)
        assert volume == count_cells(values, senses, reference)

    check()


def test_hypervolume_by_hand():
    values = [(3.0, 1.0), (4.0, 2.0), (3.5, 5.0)]  # the last is dominated, but inside
    assert pareto.hypervolume(values, DIRECTIONS, (0.0, 10.0)) == 3 * 9 + 1 * 8
    assert pareto.hypervolume(values, DIRECTIONS, (4.0, 10.0)) == 0
    assert pareto.hypervolume([], DIRECTIONS, (0.0, 10.0)) == 0


def test_knee():
    bulging = points((0.0, 0.0), (8.0, 2.0), (9.0, 6.0), (10.0, 10.0))
    assert pareto.knee(bulging, OBJECTIVES).number == 1
    assert pareto.knee(bulging[::-1], OBJECTIVES).number == 1
    scaled = points((0.0, 0.0), (8e6, 2e-6), (9e6, 6e-6), (1e7, 1e-5))
    assert pareto.knee(scaled, OBJECTIVES).number == 1


def test_knee_of_a_hollow_front_is_its_cheap_end():
    assert pareto.knee(points((0.0, 0.0), (1.0, 8.0), (10.0, 10.0)), OBJECTIVES).number == 0


def test_knee_of_few_points():
    assert pareto.knee(points((5.0, 5.0)), OBJECTIVES).number == 0
    assert pareto.knee(points((9.0, 9.0), (5.0, 5.0)), OBJECTIVES).number == 1
    assert pareto.knee(points((5.0, 5.0), (5.0, 5.0)), OBJECTIVES).number == 0


def test_knee_refuses():
    with pytest.raises(SearchError, match=re.escape("the front is empty")):
        pareto.knee([], OBJECTIVES)
    with pytest.raises(SearchError, match="a knee needs 2 objectives and there are 3"):
        pareto.knee(points((1.0, 1.0, 1.0)), [*OBJECTIVES, Objective("c", "minimize")])
