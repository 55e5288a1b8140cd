from search.problem import Choice, Objective, Point, Value
from search.report.figures.parallel_figure import (
    MOST_FRONT_LINES,
    MOST_OTHER_LINES,
    ParallelAxis,
    ParallelData,
    ParallelLine,
    parallel_data,
    parallel_figure,
)

OBJECTIVES = (Objective("psnr", "maximize", "dB", "PSNR"), Objective("latency", "minimize", "ms"))
CHOICES: dict[str, tuple[Value, ...]] = {"width": (48, 16, 24), "glass": ("flint", "crown")}
POINTS = [
    Point(0, {"width": 16, "glass": "crown"}, (20.0, 1.0)),
    Point(1, {"width": 24, "glass": "flint"}, (18.0, 2.0)),
    Point(2, {"width": 48, "glass": "flint"}, (30.0, 9.0)),
    Point(3, {"width": 48, "glass": "crown"}, (40.0, 0.5), feasible=False),
    Point(4, {"width": 16, "glass": "crown"}, (20.0, 1.0)),
]


def hover(number: int, psnr: int, latency: int, width: int, glass: str) -> str:
    rows = {"trial": number, "PSNR (dB)": psnr, "latency (ms)": latency, "width": width, "glass": glass}
    return "<br>".join(f"<b>{label}</b> {text}" for label, text in rows.items())


def test_figure_data():
    """Numbers in order, texts as listed; lines of one option side by side; infeasible and repeated trials left out."""
    data = parallel_data(POINTS, OBJECTIVES, CHOICES, {"width": "Trunk"})
    assert data == ParallelData(
        axes=[
            ParallelAxis("Trunk", [(0.0, "16"), (0.5, "24"), (1.0, "48")]),
            ParallelAxis("glass", [(0.0, "flint"), (1.0, "crown")]),
            ParallelAxis("PSNR (dB)", [(0.0, "18"), (0.25, "21"), (0.5, "24"), (0.75, "27"), (1.0, "30")]),
            ParallelAxis("latency (ms)", [(0.0, "1"), (0.25, "3"), (0.5, "5"), (0.75, "7"), (1.0, "9")]),
        ],
        front=[
            ParallelLine([0.0, 1.0, 0.1667, 0.0], 20.0, hover(0, 20, 1, 16, "crown")),
            ParallelLine([1.1, 0.1, 1.0, 1.0], 30.0, hover(2, 30, 9, 48, "flint")),
        ],
        dominated=[ParallelLine([0.4, -0.1, 0.0, 0.125], 18.0, hover(1, 18, 2, 24, "flint"))],
        n_front=2,
        n_dominated=1,
        value_title="PSNR (dB)",
    )


def many(n: int) -> list[Point]:
    """Every second point is on the front."""
    return [Point(i, {"step": i}, (float(i - 10 * (i % 2)), float(i))) for i in range(n)]


def test_of_many_lines_some_are_drawn_from_end_to_end():
    points = many(1000)
    data = parallel_data(points, OBJECTIVES, {"step": range(1000)})
    assert (data.n_front, data.n_dominated) == (500, 500)
    assert (len(data.front), len(data.dominated)) == (MOST_FRONT_LINES, MOST_OTHER_LINES)
    assert (data.front[0].value, data.front[-1].value) == (0, 998)
    assert (data.dominated[0].value, data.dominated[-1].value) == (-9, 989)
    assert len(data.axes[0].ticks) <= 15
    traces = parallel_figure(data).to_dict()["data"]
    assert [trace["name"] for trace in traces if trace.get("showlegend") is not False] == [
        "dominated (200 of 500)",
        "Pareto front (60 of 500)",
    ]
    assert len(str(traces)) < 100_000


def test_a_study_of_the_choice_of_nothing_and_an_empty_one():
    points = [Point(0, {"only": "x"}, (1.0, 2.0))]
    data = parallel_data(points, OBJECTIVES, {"only": ("x",)})
    assert data.axes[0].ticks == [(0.5, "x")]
    assert data.axes[1].ticks == [(0.5, "1")]
    assert len(parallel_figure(data).to_dict()["data"]) == 2  # the line and the bar of colours
    empty = parallel_data([], OBJECTIVES, CHOICES)
    assert (empty.front, empty.dominated, empty.n_front, len(empty.axes)) == ([], [], 0, 4)
    assert parallel_figure(empty).to_dict()["data"] == []


def test_texts_are_escaped():
    choice: Choice = {"<b>": "<img src=x>"}
    objectives = (Objective("<q>", "maximize"), OBJECTIVES[1])
    point = Point(0, choice, (1.0, 2.0), {"a&b": "<i>"})
    data = parallel_data([point], objectives, {"<b>": ("<img src=x>",)}, {"<b>": "<u>"})
    drawn = parallel_figure(data).to_dict()
    assert drawn["layout"]["xaxis"]["ticktext"] == ["&lt;u&gt;", "&lt;q&gt;", "latency<br>(ms)"]
    assert drawn["layout"]["annotations"][0]["text"] == "&lt;img src=x&gt;"
    assert "<b>&lt;b&gt;</b> &lt;img src=x&gt;<br><b>a&amp;b</b> &lt;i&gt;" in drawn["data"][0]["text"]
    assert drawn["data"][1]["marker"]["colorbar"]["title"]["text"] == "&lt;q&gt;"
