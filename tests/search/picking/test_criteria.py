import re

import pytest

from search.errors import SearchError
from search.picking import choose, pick
from search.picking.limits import Limit
from search.problem import Case, Objective, Point

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
        (
            {"at_most": ("latency", 10.0)},
            "(under 10 ms): the nearest is trial 0: 10.1 ms; raise the limit on",
        ),
        ({"at_most": ("latency", float("nan"))}, "the limit on latency is nan: give a number in ms"),
        ({"at_most": ("memory", 3.0)}, "no minimised objective 'memory' to limit: choose from ['latency']"),
        ({"at_most": ("psnr", 3.0)}, "no minimised objective 'psnr'"),
    ],
)
def test_refusals(criterion, words):
    with pytest.raises(SearchError, match=re.escape(words)):
        pick(POINTS, OBJECTIVES, **criterion)


@pytest.mark.parametrize("latency_ms", [10.00004, 12345.64321, 7.0, 19.700000000000003, 1 / 3])
def test_the_budget_that_an_error_names_is_itself_enough(latency_ms):
    only = [Point(0, {"a": 1}, (20.0, latency_ms))]
    with pytest.raises(SearchError) as caught:
        pick(only, OBJECTIVES, at_most=("latency", 0.1))
    named = re.search(r"raise the limit on latency to (\S+)$", str(caught.value))
    assert named is not None
    assert pick(only, OBJECTIVES, at_most=("latency", float(named[1]))).number == 0


def test_nothing_to_pick_from():
    with pytest.raises(SearchError, match="trial 0 has not finished, nor has any other"):
        pick([], OBJECTIVES, trial=0)
    with pytest.raises(SearchError, match="none of the 1 finished trials is feasible"):
        pick(POINTS[-1:], OBJECTIVES, knee=True)
    with pytest.raises(SearchError, match="none of the 0 finished trials is feasible"):
        pick([], OBJECTIVES, at_most=("latency", 5.0))


QUALITY = Objective("psnr_db", "maximize", "dB", "PSNR-Y")
COST = Objective("latency_ms", "minimize", "ms", "Latency")
CASES = [Case(f"photo {i}") for i in range(8)]
EASE = (20.0, 22.0, 25.0, 28.0, 30.0, 33.0, 35.0, 39.0)


def scored(number: int, latency_ms: float, *gains: float) -> Point:
    """A point that gains so many dB on every photo in turn."""
    scores = tuple(ease + gains[i % len(gains)] for i, ease in enumerate(EASE))
    values = (sum(scores) / len(scores), latency_ms)
    return Point(number, {"a": number}, values, {"params": 100 * number}, scores={"psnr_db": scores})


FRONT = [
    scored(1, 10.0, 0.0),
    scored(2, 15.0, 0.9, 0.7),
    scored(3, 20.0, 0.5, 1.2),  # 0.05 dB better in the mean, now better and now worse
    scored(4, 30.0, 2.0),
    scored(5, 60.0, 2.1),
]


def reason(points: list[Point] = FRONT, **criterion) -> str:
    return choose(points, (QUALITY, COST), cases=CASES, **criterion).reason


def test_the_reason_of_a_budget_compares_with_the_next_better_one():
    assert (
        reason(limits=[Limit("latency_ms", 20)])
        == "trial 3: best PSNR-Y under 20 ms, 1.1 dB (0.89 to 1.4) below the next"
    )
    assert reason(limits=[Limit("latency_ms", 60.5)]) == (
        "trial 5: best PSNR-Y under 60.5 ms, the best PSNR-Y of all"
    )


def test_several_limits_hold_at_once():
    limits = [Limit("latency_ms", 60), Limit("params", 350, "parameters")]
    assert reason(limits=limits).startswith("trial 3: best PSNR-Y under 60 ms and 350 parameters, ")
    limits += [Limit("psnr_db", 29.82)]
    assert "trial 3: best PSNR-Y under 60 ms and 350 parameters, with at least 29.82 dB" in reason(
        limits=limits
    )


def test_a_floor_alone_gives_the_cheapest_above_it():
    assert reason(limits=[Limit("psnr_db", 29.82)]) == (
        "trial 3: best Latency with at least 29.82 dB, 5 ms above the next"
    )


def test_limits_restrict_what_the_knee_is_picked_among():
    assert reason(knee=True).startswith("trial 4: knee of the front, 0.1 dB (0.1 to 0.1) below the next")
    under = reason(knee=True, limits=[Limit("latency_ms", 20)])
    assert under.startswith("trial 2: knee of the front under 20 ms, 0.05 dB (")


def test_weights_count_in_shares_of_the_whole_fronts_range():
    def lowest(**weights: float) -> int:
        # Losses: (2.1 - gain) / 2.1 and (latency - 10) / 50.
        losses = {
            p.number: weights["psnr_db"] * (2.1 - (p.values[0] - 29)) / 2.1
            + weights["latency_ms"] * (p.values[1] - 10) / 50
            for p in FRONT
        }
        return min(losses, key=losses.__getitem__)

    for weights in ({"psnr_db": 1.0, "latency_ms": 0.05}, {"psnr_db": 1.0, "latency_ms": 1.0}):
        assert choose(FRONT, (QUALITY, COST), weights=weights).point.number == lowest(**weights)
    assert reason(weights={"latency_ms": 2}).startswith("trial 1: lowest weighted loss (Latency 2), ")
    # A ceiling that the pick keeps does not change it, as it would if the range were that of what is left.
    weights = {"psnr_db": 1.0, "latency_ms": 1.0}
    assert reason(weights=weights, limits=[Limit("latency_ms", 30)]).startswith(
        "trial 4: lowest weighted loss (PSNR-Y 1, Latency 1) under 30 ms, "
    )


def test_one_standard_error_is_that_of_the_paired_difference():
    # Means differ by 0.05 dB under 20 ms, the paired standard error is about 0.16 dB, that of a mean over 2 dB: with
    # the latter, trial 1 would do for the best of all.
    found = choose(
        FRONT, (QUALITY, COST), one_standard_error=True, limits=[Limit("latency_ms", 20)], cases=CASES
    )
    assert found.point.number == 2
    assert found.reason.startswith("trial 2: cheapest within one standard error (0.")
    assert ") of trial 3, the best PSNR-Y under 20 ms: 0.05 dB (-" in found.reason
    assert found.reason.endswith(") below it")
    assert (
        reason(one_standard_error=True)
        == "trial 5: best PSNR-Y, and no cheaper one is within one standard error of it"
    )


def test_one_standard_error_needs_scores():
    plain = [Point(0, {"a": 1}, (20.0, 1.0)), Point(1, {"a": 2}, (21.0, 2.0))]
    with pytest.raises(
        SearchError, match=r"the study keeps no scores of its cases: search again in a new study"
    ):
        choose(plain, (QUALITY, COST), one_standard_error=True)
    with pytest.raises(SearchError, match="was scored on 1 independent case"):
        choose(plain, (QUALITY, COST), one_standard_error=True, cases=[Case("a")])
    with pytest.raises(SearchError, match="has trials without scores of PSNR-Y"):
        choose(
            [*FRONT, Point(9, {"a": 9}, (40.0, 70.0))], (QUALITY, COST), one_standard_error=True, cases=CASES
        )


def test_without_scores_the_reason_has_no_interval():
    assert choose(POINTS, OBJECTIVES, knee=True).reason == "trial 4: knee of the front, 2 dB below the next"


@pytest.mark.parametrize(
    ("criterion", "words"),
    [
        ({}, "pick by exactly one of"),
        ({"knee": True, "weights": {"psnr": 1.0}}, "pick by exactly one of"),
        ({"trial": 0, "limits": [Limit("latency", 3.0)]}, "picked by its number is not limited"),
        ({"weights": {"psnr": -1.0}}, "the weights are {'psnr': -1.0}: give numbers of at least 0"),
        ({"weights": {"psnr": 0.0}}, "one of them above it"),
        ({"weights": {"beauty": 1.0}}, "no objective 'beauty' to weigh: choose from ['psnr', 'latency']"),
    ],
)
def test_refused_criteria(criterion, words):
    with pytest.raises(SearchError, match=re.escape(words)):
        choose(POINTS, OBJECTIVES, **criterion)
