"""The data of the page of shares."""

import json
from dataclasses import replace

from search.report.page.shares import shares_json
from tests.search.report.figures.test_quality_shares import BLUR, COSTS, SHARP, study

BLURRED = study(BLUR, (4, 0.25, 10.0, 2_000_000), (1, 0.29, 5.0, 1_000_000), name="<blur>")


def test_a_figure_for_each_cost():
    data = json.loads(shares_json([SHARP, BLURRED], COSTS))
    assert [one["title"] for one in data["figures"]] == ["Weight", "Volume"]
    assert data["figures"][0]["data"][0]["x"] == [0.25, 0.5, 0.75]
    assert [one["name"] for one in data["studies"]] == ["lenses", "<blur>"]
    assert data["refresh_s"] is None


def test_the_table_tells_the_largest_choice_and_the_cheapest_that_keeps_a_share():
    data = json.loads(shares_json([SHARP, BLURRED], COSTS).replace("\N{NO-BREAK SPACE}", " "))
    assert data["heads"] == ["Quality kept", "Weight", "Volume"]
    first, second = data["groups"]
    assert (first["name"], first["quality"]) == ("lenses", "Sharpness 40 lp/mm")
    assert first["rows"] == [
        [["largest choice", "trial 0"], ["200 g", ""], ["1,000 mm³", ""]],
        [["≥ 99%", ""], ["75.0%", "150 g, trial 3"], ["80.0%", "800 mm³, trial 3"]],
        [["≥ 95%", ""], ["50.0%", "100 g, trial 1"], ["70.0%", "700 mm³, trial 1"]],
        [["≥ 90%", ""], ["50.0%", "100 g, trial 1"], ["70.0%", "700 mm³, trial 1"]],
    ]
    assert second["quality"] == "Blur 0.250"
    assert [row[1][0] for row in second["rows"]] == [
        "10 g",
        "100.0%",
        "100.0%",
        "50.0%",
    ]  # 0.71 / 0.75 = 94.7%


def test_a_level_that_no_network_keeps_has_no_figure():
    points = (replace(SHARP.points[0], feasible=False), SHARP.points[2])
    data = json.loads(shares_json([replace(SHARP, points=points)], COSTS))
    assert data["groups"][0]["rows"][1][1:] == [["–", ""], ["–", ""]]


def test_the_page_says_how_shares_are_made():
    text = " ".join(json.loads(shares_json([SHARP, BLURRED], COSTS, ["a note"]))["paragraphs"])
    assert "Share kept of Sharpness (lenses): value / the largest choice's." in text
    assert "Share kept of Blur (<blur>): (1 − value) / (1 − the largest choice's)" in text
    assert "1% of one quality is not 1% of another" in text
    assert text.endswith("a note")
    alone = " ".join(json.loads(shares_json([SHARP, SHARP], COSTS))["paragraphs"])
    assert "is not 1% of another" not in alone


def test_nothing_in_a_study_ends_the_element_of_the_data():
    assert "<" not in shares_json([BLURRED], COSTS, ["</script>"])
