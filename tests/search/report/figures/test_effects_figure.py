from search.problem import Objective, Point, Value
from search.report.figures.effects_figure import EffectPanel, EffectsData, effects_data, effects_figure

OBJECTIVES = (Objective("psnr", "maximize", "dB", "PSNR"), Objective("latency", "minimize", "ms"))
CHOICES: dict[str, tuple[Value, ...]] = {"width": (48, 16, 24), "glass": ("flint", "crown")}
POINTS = [
    Point(0, {"width": 16, "glass": "crown"}, (20.0, 1.0)),
    Point(1, {"width": 16, "glass": "flint"}, (22.0, 3.0)),
    Point(2, {"width": 48, "glass": "flint"}, (30.0, 8.0), feasible=False),
    Point(3, {"width": 16, "glass": "crown"}, (20.0, 1.0)),
]


def test_figure_data():
    """The repeated trial counts once; the width 24 was not tried."""
    assert effects_data(POINTS, OBJECTIVES, CHOICES, {"width": "Trunk"}) == EffectsData(
        choice=["Trunk", "Trunk", "glass", "glass"],
        option=["16", "48", "flint", "crown"],
        n_trials=[2, 1, 2, 1],
        panels=[
            EffectPanel("PSNR (dB)", [21.0, 30.0, 26.0, 20.0], [1.0, 0.0, 4.0, 0.0], 24.0),
            EffectPanel("latency (ms)", [2.0, 8.0, 5.5, 1.0], [1.0, 0.0, 2.5, 0.0], 4.0),
        ],
    )


def test_drawing():
    drawn = effects_figure(effects_data(POINTS, OBJECTIVES, CHOICES)).to_dict()
    psnr, latency = drawn["data"]
    assert psnr["x"] == [21.0, 30.0, None, 26.0, 20.0]  # no line from one choice to the next
    assert psnr["y"] == latency["y"] == [1, 2, None, 4, 5]
    assert psnr["error_x"]["array"] == [1.0, 0.0, 0.0, 4.0, 0.0]
    axis = drawn["layout"]["yaxis"]
    assert dict(zip(axis["tickvals"], axis["ticktext"], strict=True)) == {
        0: "<b>width</b>", 1: "16", 2: "48", 3: "<b>glass</b>", 4: "flint", 5: "crown"
    }  # fmt: skip
    assert psnr["hovertext"][0] == "<b>width</b> 16<br>PSNR (dB) 21 ± 1<br>2 trials"
    assert [shape["x0"] for shape in drawn["layout"]["shapes"]] == [24.0, 4.0]


def test_an_empty_study():
    data = effects_data([], OBJECTIVES, CHOICES)
    assert data == EffectsData(
        [], [], [], [EffectPanel("PSNR (dB)", [], [], None), EffectPanel("latency (ms)", [], [], None)]
    )
    effects_figure(data)


def test_texts_are_escaped():
    objective = Objective("<q>", "maximize")
    point = Point(0, {"<b>": "<img>"}, (1.0,))
    text = effects_figure(effects_data([point], [objective], {"<b>": ("<img>",)}, {"<b>": "<u>"})).to_dict()
    assert text["layout"]["yaxis"]["ticktext"] == ["<b>&lt;u&gt;</b>", "&lt;img&gt;"]
    assert text["data"][0]["hovertext"] == ["<b>&lt;u&gt;</b> &lt;img&gt;<br>&lt;q&gt; 1 ± 0<br>1 trials"]
    assert text["layout"]["xaxis"]["title"]["text"] == "&lt;q&gt;"
