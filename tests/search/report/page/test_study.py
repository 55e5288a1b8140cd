from dataclasses import replace

import pytest

from search.description import StudyDescription
from search.errors import SearchError
from search.problem import Case, Objective, Point
from search.report.page.columns import NumberColumn, TextColumn
from search.report.page.study import ChoiceColumn, Gain, Peer, Shown, StudyView, view_study
from search.study import StudyRecord
from tests.search.report.lenses import study


@pytest.fixture
def record() -> StudyRecord:
    return StudyRecord(
        name="phones <2025>",
        objectives=(Objective("psnr", "maximize", "dB"), Objective("latency", "minimize", "ms", "Latency")),
        choices={"width": (32, 16), "kind": ("a", "b")},
        identity={"table": "sha256 <0123>"},
        points=(
            Point(0, {"width": 16, "kind": "b"}, (20.0, 1.0), {"maker": "us"}),
            Point(1, {"width": 32, "kind": "b"}, (19.0, 2.0), {"maker": "us"}),
            Point(2, {"width": 32, "kind": "a"}, (30.5, 9.0), {"maker": "us", "params": 1200}),
            Point(5, {"width": 16, "kind": "b"}, (20.0, 1.0), {"maker": "us"}),
            Point(6, {"width": 16, "kind": "c"}, (50.0, 0.1), {"maker": "us"}, False),
        ),
    )


def test_a_study_as_plain_data(record: StudyRecord):
    description = StudyDescription(titles={"kind": "Kind of thing"}, notes=["from the problem"])
    exact = [[20.0, 1.0], [19.0, 5.0], [31.0, 8.0]]
    shown = Shown(record, description, picked=record.points[3], exact=exact, peers=[Peer("x", (1.0, 2.0))])
    assert view_study(shown, ["first"]) == StudyView(
        name="phones <2025>",
        summary="2 on the front",
        counts="5 finished trials of 4 distinct choices, 1 over a limit",
        trials=[0, 1, 2, 6],
        kinds="fdfi",
        objectives=[
            NumberColumn("psnr", "psnr (dB)", "dB", 1.0, 1, [20, 19, 30.5, 50]),
            NumberColumn("latency", "Latency (ms)", "ms", 1.0, 0, [1, 2, 9, 0.1]),
        ],
        directions=["maximize", "minimize"],
        intervals=[[], []],
        choices=[
            ChoiceColumn("width", "Width", ["16", "32"], [16.0, 32.0], [0, 1, 1, 0]),
            ChoiceColumn("kind", "Kind of thing", ["a", "b", "c"], None, [1, 1, 0, 2]),
        ],
        attributes=[NumberColumn("params", "Parameters", "", 1.0, 0, [None, None, 1200, None])],
        front=[0, 2],
        ties={},
        gains={},
        knee=0,
        picked=0,
        exact=[[20.0, 1.0], [31.0, 8.0]],
        peers=[Peer("x", (1.0, 2.0))],
        facts=[("Table", "sha256 <0123>"), ("Maker", "us")],
        notes=["first", "from the problem"],
    )


def test_a_fact_of_the_trials_does_not_hide_one_about_the_study(record: StudyRecord):
    points = tuple(replace(point, attributes={"table": "other"}) for point in record.points)
    view = view_study(Shown(replace(record, points=points)))
    assert view.facts == [("Table", "sha256 <0123>")]
    assert view.attributes == [TextColumn("table", "Table", ["other"], [0, 0, 0, 0])]


def test_an_empty_study(record: StudyRecord):
    view = view_study(Shown(replace(record, points=())))
    assert (view.summary, view.counts) == ("0 on the front", "0 finished trials of 0 distinct choices")
    assert (view.front, view.knee, view.picked, view.kinds) == ([], None, None, "")


def test_scores_give_intervals_and_ties():
    scores = [[10.0, 12.0, 14.0, 16.0], [11.0, 13.0, 15.0, 17.0], [10.9, 13.2, 14.8, 17.2]]
    points = tuple(
        Point(i, {"width": i}, (sum(row) / 4, float(i)), scores={"psnr": tuple(row)})
        for i, row in enumerate(scores)
    )
    objectives = (Objective("psnr", "maximize", "dB"), Objective("latency", "minimize"))
    cases = tuple(Case(f"image {i}") for i in range(4))
    view = view_study(Shown(StudyRecord("s", objectives, {"width": (0, 1, 2)}, {}, points, cases=cases)))
    assert view.summary == "3 on the front, 2 of them distinguishable"
    assert view.ties == {2: 1}
    assert view.gains[1] == Gain(0, 1.0, 1.0, 1.0)
    tie = view.gains[2]
    assert (tie.cheaper, tie.value) == (1, 0.025)
    assert tie.low < 0 < tie.high
    low, high = view.intervals[0][1] or (0.0, 0.0)
    assert low < 14 < high
    assert view.intervals[1] == []


def test_points_without_scores_have_no_interval():
    record = study(30)
    points = (replace(record.points[0], scores={}), *record.points[1:])
    intervals = view_study(Shown(replace(record, points=points))).intervals[0]
    assert intervals[0] is None
    assert all(ends is not None for ends in intervals[1:])


def test_refusals(record: StudyRecord):
    with pytest.raises(SearchError, match=r"study 'phones <2025>' has one objective"):
        view_study(Shown(replace(record, objectives=record.objectives[:1])))
    with pytest.raises(SearchError, match=r"the exact values have the shape \(1, 3\)"):
        view_study(Shown(record, exact=[[1.0, 2.0, 3.0]]))


def test_trials_dropped_early_are_shown_but_never_on_the_front(record: StudyRecord):
    pruned = (
        Point(7, {"width": 32, "kind": "c"}, (99.0, 0.5)),
        Point(8, {"width": 32, "kind": "c"}, (98.0, 0.5)),
        Point(9, {"width": 16, "kind": "b"}, (97.0, 0.5)),
    )
    plain, raced = (view_study(Shown(one)) for one in (record, replace(record, pruned=pruned)))
    assert (raced.trials, raced.kinds) == ([0, 1, 2, 6, 7], "fdfip")
    assert raced.counts == "8 finished trials of 5 distinct choices, 1 over a limit, 1 dropped early"
    assert (raced.front, raced.knee, raced.summary) == (plain.front, plain.knee, plain.summary)
    assert raced.objectives[0].numbers[-1] == 99
