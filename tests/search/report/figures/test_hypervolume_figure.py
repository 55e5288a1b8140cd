import pytest

from search.errors import SearchError
from search.pareto import hypervolume
from search.problem import Objective, Point
from search.report.figures.hypervolume_figure import HypervolumeData, hypervolume_data, hypervolume_figure

OBJECTIVES = (Objective("psnr", "maximize", "dB"), Objective("latency", "minimize", "ms"))
VALUES = [(20.0, 4.0), (22.0, 2.0), (21.0, 3.0), (30.0, 9.0), (10.0, 10.0)]
POINTS = [
    *(Point(i, {"width": i}, values) for i, values in enumerate(VALUES)),
    Point(5, {"width": 5}, (90.0, 0.1), feasible=False),
]


def test_figure_data():
    """Against the worst of each objective, (10, 10): 10 * 6, then 12 * 8, then 8 * 1 more."""
    data = hypervolume_data(POINTS[::-1], OBJECTIVES)
    assert data == HypervolumeData([1, 2, 4, 6], [60.0, 96.0, 104.0, 104.0], False, [10.0, 10.0], "dB · ms")


def test_share_of_the_exact_front():
    exact = [(30.0, 2.0), (20.0, 1.0), (5.0, 11.0)]  # the last is dominated, and the worst of all
    whole = hypervolume(exact, ["maximize", "minimize"], [5.0, 11.0])
    data = hypervolume_data(POINTS, OBJECTIVES, exact)
    assert data.reference == [5.0, 11.0]
    assert data.is_share
    assert data.hypervolume[0] == pytest.approx(15 * 7 / whole)
    full = hypervolume_data([Point(i, {"i": i}, row) for i, row in enumerate(exact)], OBJECTIVES, exact)
    assert full.hypervolume[-1] == pytest.approx(1)


@pytest.mark.parametrize("exact", [None, [(1.0, 1.0)]])
def test_without_volume(exact):
    assert hypervolume_data([], OBJECTIVES, exact).n_trials == []
    infeasible = hypervolume_data(POINTS[5:], OBJECTIVES, exact)
    assert (infeasible.n_trials, infeasible.hypervolume) == ([1], [0.0])
    one = hypervolume_data([Point(0, {"i": 0}, (1.0, 1.0))], OBJECTIVES, exact)
    assert (one.n_trials, one.hypervolume) == ([1], [0.0])
    hypervolume_figure(one)


def test_drawing():
    drawn = hypervolume_figure(hypervolume_data(POINTS, OBJECTIVES)).to_dict()
    (line,) = drawn["data"]
    assert (line["x"], line["y"], line["line"]["shape"]) == ([1, 2, 4, 6], [60.0, 96.0, 104.0, 104.0], "hv")
    assert drawn["layout"]["yaxis"]["title"]["text"] == "Hypervolume (dB · ms)"
    assert "shapes" not in drawn["layout"]
    share = hypervolume_figure(hypervolume_data(POINTS, OBJECTIVES, VALUES)).to_dict()["layout"]
    assert share["yaxis"]["title"]["text"] == "Share of the exact front&#x27;s hypervolume"
    assert [shape["y0"] for shape in share["shapes"]] == [1]


def test_units_are_escaped():
    objectives = (Objective("a", "maximize", "<b>"), Objective("b", "minimize"))
    title = hypervolume_figure(hypervolume_data([], objectives)).to_dict()["layout"]["yaxis"]["title"]["text"]
    assert title == "Hypervolume (&lt;b&gt;)"


def test_refusals():
    with pytest.raises(SearchError, match="needs 2 objectives"):
        hypervolume_data([], OBJECTIVES[:1])
    with pytest.raises(SearchError, match=r"shape \(2, 3\): give a row of 2"):
        hypervolume_data([], OBJECTIVES, [(1, 2, 3), (1, 2, 3)])
