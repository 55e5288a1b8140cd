import pytest

from search.errors import SearchError
from search.problem import Case, Objective, Point
from search.report.figures.front_gains import Gains
from search.report.figures.pareto_figure import FrontData, Note, Series, front_data, pareto_figure

OBJECTIVES = (Objective("psnr", "maximize", "dB"), Objective("latency", "minimize", "ms"))
POINTS = [
    Point(0, {"width": 16}, (20.0, 1.0)),
    Point(1, {"width": 24}, (18.0, 2.0)),
    Point(2, {"width": 32}, (30.0, 9.0), {"params": 1000}),
    Point(3, {"width": 48}, (40.0, 0.5), feasible=False),
    Point(4, {"width": 16}, (20.0, 1.0)),
]
HOVER_0 = "<b>trial</b> 0<br><b>psnr (dB)</b> 20<br><b>latency (ms)</b> 1<br><b>width</b> 16"
HOVER_2 = (
    "<b>trial</b> 2<br><b>psnr (dB)</b> 30<br><b>latency (ms)</b> 9<br><b>width</b> 32<br><b>params</b> 1,000"
)


def test_figure_data():
    data = front_data(POINTS, OBJECTIVES, picked=POINTS[2])
    hover_1, hover_4 = (
        f"<b>trial</b> {n}<br><b>psnr (dB)</b> {v}<br><b>latency (ms)</b> {t}<br><b>width</b> {w}"
        for n, v, t, w in ((1, 18, 2, 24), (4, 20, 1, 16))
    )
    hover_3 = "<br>".join(
        f"<b>{label}</b> {text}"
        for label, text in zip(
            ("trial", "psnr (dB)", "latency (ms)", "width", "feasible"), (3, 40, 0.5, 48, "no"), strict=True
        )
    )
    assert data == FrontData(
        x_title="latency (ms)",
        y_title="psnr (dB)",
        dominated=Series([2.0, 1.0], [18.0, 20.0], [hover_1, hover_4]),
        infeasible=Series([0.5], [40.0], [hover_3]),
        front=Series([1.0, 9.0], [20.0, 30.0], [HOVER_0, HOVER_2]),
        picked=Series([9.0], [30.0], [HOVER_2]),
        connected=True,
        notes=[Note(9.0, 30.0, "picked: trial 2<br>30 dB"), Note(1.0, 20.0, "1 ms", above=False)],
    )


def test_data_of_an_empty_study():
    data = front_data([], OBJECTIVES)
    nothing = Series([], [], [])
    assert data == FrontData("latency (ms)", "psnr (dB)", nothing, nothing, nothing, nothing, True, [])
    assert len(pareto_figure(data).data) == 0  # type: ignore[arg-type]


def test_hover_and_labels_are_escaped():
    point = Point(0, {"<b>": "</script>"}, (1.0, 2.0), {"a&b": "<i>"})
    data = front_data([point], (Objective("p", "maximize", "<u>"), Objective("<q>", "minimize")))
    assert "<b>&lt;b&gt;</b> &lt;/script&gt;" in data.front.hover[0]
    assert "<b>a&amp;b</b> &lt;i&gt;" in data.front.hover[0]
    assert data.notes == [Note(2.0, 1.0, "1 &lt;u&gt;<br>2")]
    assert pareto_figure(data).to_dict()["layout"]["xaxis"]["title"]["text"] == "&lt;q&gt;"


def test_drawing():
    drawn = pareto_figure(front_data(POINTS, OBJECTIVES, picked=POINTS[2])).to_dict()
    traces = {trace["name"]: trace for trace in drawn["data"]}
    assert list(traces) == ["dominated (2)", "infeasible (1)", "Pareto front (2)", "picked"]
    line = traces["Pareto front (2)"]
    assert (line["mode"], list(line["x"]), list(line["y"])) == ("lines+markers", [1.0, 9.0], [20.0, 30.0])
    assert list(line["hovertext"]) == [HOVER_0, HOVER_2]
    shapes = {name: trace["marker"].get("symbol") for name, trace in traces.items()}
    assert shapes["infeasible (1)"] != shapes["dominated (2)"]
    assert drawn["layout"]["xaxis"]["title"]["text"] == "latency (ms)"
    assert drawn["layout"]["yaxis"]["title"]["text"] == "psnr (dB)"
    assert [note["text"] for note in drawn["layout"]["annotations"]] == ["picked: trial 2<br>30 dB", "1 ms"]


def test_three_objectives_are_projected():
    objectives = (*OBJECTIVES, Objective("memory", "minimize", "MB"))
    data = front_data([Point(0, {"a": 1}, (1.0, 2.0, 3.0))], objectives)
    assert not data.connected
    assert pareto_figure(data).to_dict()["data"][0]["mode"] == "markers"


def test_one_objective_is_refused():
    with pytest.raises(SearchError, match="needs 2 objectives"):
        front_data([], OBJECTIVES[:1])


def scored(number: int, cost: float, scores: tuple[float, ...]) -> Point:
    return Point(number, {"width": number}, (sum(scores) / len(scores), cost), scores={"psnr": scores})


CASES = [Case(f"photo {i}") for i in range(6)]
EASY = (20.0, 25.0, 30.0, 22.0, 27.0, 35.0)
"""A front: trial 1 is better than trial 0 on each photo, trial 2 than trial 1 on average alone."""
SCORED = [
    scored(0, 1.0, EASY),
    scored(1, 2.0, tuple(score + 1 + 0.01 * i for i, score in enumerate(EASY))),
    scored(2, 3.0, tuple(score + 1.1 + 0.9 * (-1) ** i for i, score in enumerate(EASY))),
]


def test_ties_are_hollow_and_bars_are_gains_over_a_cheaper_point():
    data = front_data(SCORED, OBJECTIVES, cases=CASES)
    assert data.gains.tied == [2]
    cheapest, better, tied = data.gains.intervals
    assert cheapest is None
    assert better is not None
    assert tied is not None
    assert SCORED[0].values[0] < better[0] < SCORED[1].values[0] < better[1]
    assert tied[0] < SCORED[1].values[0] < SCORED[2].values[0] < tied[1]
    drawn = pareto_figure(data).to_dict()
    front, legend = drawn["data"]
    assert front["marker"]["symbol"] == ["circle", "circle", "circle-open"]
    tops = [y + up for y, up in zip(front["y"], front["error_y"]["array"], strict=True)]
    assert tops == pytest.approx([SCORED[0].values[0], better[1], tied[1]])
    assert legend["name"] == "can't be told from a cheaper one (1)"
    low, high = drawn["layout"]["yaxis"]["range"]
    assert low < SCORED[0].values[0] < SCORED[2].values[0] < high < tied[1]  # long bars do not set the scale


def test_a_front_of_maximised_costs_has_its_intervals_in_its_own_order():
    objectives = (OBJECTIVES[0], Objective("speed", "maximize", "1/s"))
    points = [scored(point.number, -point.values[1], point.scores["psnr"]) for point in SCORED]
    data = front_data(points, objectives, cases=CASES)
    assert data.front.x == [-3.0, -2.0, -1.0]
    assert data.gains.tied == [0]
    assert data.gains.intervals == front_data(SCORED, OBJECTIVES, cases=CASES).gains.intervals[::-1]


def test_without_scores_nothing_is_hollow():
    assert front_data(POINTS, OBJECTIVES, cases=CASES).gains == Gains()
    assert front_data(SCORED, OBJECTIVES).gains == Gains()
    assert front_data(SCORED[:1], OBJECTIVES, cases=CASES).gains == Gains()
