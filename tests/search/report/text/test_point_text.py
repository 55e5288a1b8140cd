import pytest

from search.problem import Objective, Point
from search.report.text.point_text import describe, format_value, shared_texts


def test_describe_in_order_with_units():
    objectives = [Objective("psnr_db", "maximize", "dB"), Objective("score", "minimize")]
    point = Point(7, {"trunk": 48, "kind": "a"}, (27.123456, 3.0), {"params": 551456, "kind": "b"}, False)
    assert list(describe(point, objectives).items()) == [
        ("trial", "7"),
        ("psnr_db (dB)", "27.1235"),
        ("score", "3"),
        ("trunk", "48"),
        ("kind", "a"),
        ("params", "551,456"),
        ("kind (attribute)", "b"),
        ("feasible", "no"),
    ]


@pytest.mark.parametrize(
    ("value", "text"),
    [(True, "true"), (None, "null"), (1234567, "1,234,567"), (0.1, "0.1"), ([1, "x"], '[1, "x"]')],
)
def test_format_value(value, text):
    assert format_value(value) == text


def test_texts_shared_by_all_points_are_facts_of_the_study():
    points = [
        Point(i, {"a": i}, (1.0,), {"hash": "abc", "size": 3, "note": f"n{i}"} | ({"late": "x"} if i else {}))
        for i in range(2)
    ]
    assert shared_texts(points) == {"hash": "abc"}
    assert shared_texts([]) == shared_texts(points[:1]) == {}
    rows = describe(points[1], (Objective("score", "maximize"),), omit=shared_texts(points))
    assert list(rows) == ["trial", "score", "a", "size", "note", "late"]


def test_names_that_are_labels_too_hide_nothing():
    objectives = [Objective("trial", "maximize"), Objective("loss", "minimize")]
    choice = {"feasible": "maybe", "loss ": 1, "kind": "a"}
    point = Point(7, choice, (1000.0, 2.0), {"trial": 3, "loss": 2.0}, feasible=False)
    assert describe(point, objectives) == {
        "trial": "7",
        "trial (objective)": "1000",
        "loss": "2",
        "feasible": "maybe",
        "loss ": "1",
        "kind": "a",
        "trial (attribute)": "3",
        "feasible (constraints)": "no",
    }
