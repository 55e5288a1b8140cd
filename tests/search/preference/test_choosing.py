"""Simulated viewers with a known eye: their answers lead to the cheapest point that looks as good to them."""

import pytest

from search.picking.limits import Limit
from search.preference.answers import Answers
from search.preference.choosing import JUST_NOTICEABLE, choose_by_eye
from tests.search.preference.viewer import compare_all, front_study, sees_better

RECORD = front_study()


def cheapest_as_good(just_noticeable: float) -> int:
    best = RECORD.points[-1]
    alike = [p for p in RECORD.points if sees_better(best, p, just_noticeable) < JUST_NOTICEABLE]
    return min(alike, key=lambda point: point.values[1]).number


@pytest.mark.parametrize("just_noticeable", [0.1, 0.3])
def test_a_viewers_answers_lead_to_what_they_cannot_tell_from_the_best(just_noticeable: float):
    answers = compare_all(RECORD, just_noticeable)
    found = choose_by_eye(RECORD, answers)
    assert abs(found.point.number - cheapest_as_good(just_noticeable)) <= 1
    assert found.reason.startswith(f"trial {found.point.number}: the cheapest that looks as good as trial ")
    n_alike, n_repeated = answers.count_consistent()
    assert found.reason.endswith(f"(20 answers, {n_alike} of {n_repeated} repetitions answered alike)")


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
def test_more_answers_serve_a_sharp_eye(seed: int):
    found = choose_by_eye(RECORD, compare_all(RECORD, 0.03, n=60, seed=seed))
    assert abs(found.point.number - cheapest_as_good(0.03)) <= 2


def test_who_sees_no_difference_gets_the_cheapest():
    found = choose_by_eye(RECORD, compare_all(RECORD, just_noticeable=100.0))
    assert found.point is RECORD.points[0]


def test_limits_restrict_what_is_picked_among():
    answers = compare_all(RECORD, just_noticeable=0.1)
    found = choose_by_eye(RECORD, answers, [Limit("cost", 0.3)])
    assert found.point.values[1] <= 0.3
    assert found.reason.startswith(f"trial {found.point.number}: the ")
    assert " under 0.3 ms" in found.reason
    (only,) = [point for point in RECORD.points if point.values[1] < 0.05]
    alone = choose_by_eye(RECORD, answers, [Limit("cost", 0.05)])
    assert alone.point is only
    assert "the one you would like best under 0.05 ms, and no cheaper one looks as good" in alone.reason


def test_who_prefers_the_cheap_pictures_gets_a_cheap_one():
    answers = compare_all(RECORD, just_noticeable=0.01)
    turned = {"left": "right", "right": "left", "neither": "neither"}
    fields = answers.model_dump()
    for one in fields["answers"]:
        one["better"] = turned[one["better"]]
    found = choose_by_eye(RECORD, Answers.model_validate(fields))
    assert found.point is RECORD.points[0]
