import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from search.errors import SearchError
from search.picking.limits import Limit, apply_limits, describe_limits
from search.problem import Objective, Point

OBJECTIVES = (Objective("psnr_db", "maximize", "dB"), Objective("latency_ms", "minimize", "ms"))
LATENCY = Limit("latency_ms", 20.0, option="--max-latency-ms")
GFLOPS = Limit("flops", 0.3, "GFLOPs", 1e9, "--max-gflops")


def point(number: int, psnr_db: float, latency_ms: float, flops: int = 300_000_000) -> Point:
    return Point(number, {"a": number}, (psnr_db, latency_ms), {"flops": flops, "name": "x", "known": True})


def numbers(points: list[Point], *limits: Limit) -> list[int]:
    return [one.number for one in apply_limits(points, OBJECTIVES, limits)]


def test_a_point_that_is_just_at_the_limits_is_admitted():
    points = [point(0, 30, 20.0), point(1, 30, 20.1), point(2, 30, 19, flops=300_000_001)]
    assert numbers(points, LATENCY, GFLOPS) == [0]
    assert numbers(points, LATENCY) == [0, 2]
    assert numbers(points, Limit("psnr_db", 30.0)) == [0, 1, 2]
    assert numbers(points) == [0, 1, 2]


def test_the_nearest_is_named_with_what_to_change():
    points = [point(3, 30, 21.36), point(4, 31, 90), point(5, 29, 19, flops=900_000_000)]
    with pytest.raises(SearchError) as caught:
        apply_limits(points, OBJECTIVES, [LATENCY, GFLOPS])
    assert str(caught.value) == (
        "no finished trial fits (under 20 ms and 0.3 GFLOPs): the nearest is trial 3: 21.4 ms; "
        "raise --max-latency-ms to 21.4"
    )
    floor = Limit("psnr_db", 40.0, option="--min-psnr-db")
    with pytest.raises(SearchError, match="is trial 4: 31 dB; lower --min-psnr-db to 31"):
        apply_limits(points, OBJECTIVES, [floor])
    with pytest.raises(SearchError, match=r"raise --max-latency-ms to 21\.4 and lower --min-psnr-db to 30"):
        apply_limits(points[:1], OBJECTIVES, [LATENCY, floor])


@given(
    st.lists(st.tuples(st.floats(1, 99), st.floats(1, 99)), min_size=1), st.floats(0.1, 99), st.floats(1, 99)
)
def test_what_an_error_tells_to_do_admits_the_nearest(values, ceiling, floor):
    points = [point(i, *one) for i, one in enumerate(values)]
    limits = {"latency_ms": ceiling, "psnr_db": floor}
    try:
        apply_limits(points, OBJECTIVES, [Limit(name, value, option=name) for name, value in limits.items()])
    except SearchError as error:
        named = re.search(r"the nearest is trial (\d+)", str(error))
        changes = re.findall(r"(?:raise|lower) (\w+) to (\S+)", str(error))
        assert named is not None
        assert changes
        limits |= {name: float(number) for name, number in changes}
        admitted = numbers(points, *(Limit(name, value) for name, value in limits.items()))
        assert int(named[1]) in admitted


@pytest.mark.parametrize("name", ["name", "known", "absent"])
def test_what_is_no_number_is_not_limited(name):
    with pytest.raises(SearchError, match=f"trial 0 has no number '{name}' to limit"):
        apply_limits([point(0, 30, 20)], OBJECTIVES, [Limit(name, 1.0)])


def test_in_words():
    limits = [LATENCY, Limit("psnr_db", 30), Limit("params", 30_000.0, "parameters")]
    assert describe_limits(limits, OBJECTIVES) == "under 20 ms and 30,000 parameters, with at least 30 dB"
    assert describe_limits([Limit("params", 5)], OBJECTIVES) == "under params 5"
    assert describe_limits([], OBJECTIVES) == ""
