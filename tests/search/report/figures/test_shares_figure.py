from search.report.figures.quality_shares import find_shares
from search.report.figures.shares_figure import shares_figure
from tests.search.report.figures.test_quality_shares import BLUR, COSTS, SHARP, study

BLURRED = study(BLUR, (4, 0.2, 10.0, 2_000_000), (1, 0.6, 5.0, 4), name="<b>blur</b>")


def test_each_study_is_a_line_and_the_largest_choices_are_marked():
    studies = [find_shares(record, COSTS) for record in (SHARP, BLURRED)]
    first, second, mark = shares_figure(studies, 0, "whole").to_dict()["data"]
    assert (list(first["x"]), list(first["y"])) == ([0.25, 0.5, 0.75], [0.5, 0.95, 1.05])
    assert (list(second["x"]), list(second["y"])) == ([0.5, 1.0], [0.5, 1.0])
    assert (list(mark["x"]), list(mark["y"]), mark["name"]) == ([1], [1], "whole")
    assert first["marker"]["symbol"] != second["marker"]["symbol"]
    assert first["line"]["color"] != second["line"]["color"]
    assert second["name"] == "&lt;b&gt;blur&lt;/b&gt; (2)"
    by_volume = shares_figure(studies, 1, "whole").to_dict()["data"][0]
    assert list(by_volume["x"]) == [0.1, 0.7, 0.8]


def test_a_mark_tells_its_trial_its_values_and_its_choice():
    studies = [find_shares(record, COSTS) for record in (SHARP, BLURRED)]
    first, second, _ = shares_figure(studies, 0, "whole").to_dict()["data"]
    assert first["hovertext"][1].split("<br>") == [
        "<b>lenses</b>, trial 1",
        "Sharpness 38 lp/mm: 95.0% kept",
        "Weight 100 g: 50.0%",
        "Volume 700 mm³: 70.0%",
        "elements 2",
    ]
    assert second["hovertext"][1].startswith(
        "<b>&lt;b&gt;blur&lt;/b&gt;</b>, trial 0<br>Blur 0.2: 100.0% kept"
    )


def test_the_axes_hold_all_points_and_the_largest_choice():
    studies = [find_shares(record, COSTS) for record in (SHARP, BLURRED)]
    layouts = [shares_figure(studies, cost, "whole").to_dict()["layout"] for cost in (0, 1)]
    assert layouts[0]["yaxis"]["range"] == layouts[1]["yaxis"]["range"]
    low, high = layouts[0]["yaxis"]["range"]
    assert low < 0.5
    assert high > 1.05
    assert layouts[0]["xaxis"]["title"]["text"] == "Share of weight"
    assert layouts[0]["yaxis"]["title"]["text"] == "Share of quality kept"
    assert layouts[1]["xaxis"]["range"][0] == 0.0  # nothing costs less than nothing
