"""Series of named points: places, order, names and refusals."""

import math

import pytest

from search.errors import SearchError
from search.report.figures.series_figure import NamedPoint, Series, SeriesData, series_figure
from search.report.html_page import series_page

WAYS = SeriesData(
    "latency (ms)",
    "PSNR (dB)",
    [
        Series("each trained", [NamedPoint("0.7", 7.0, 26.0, 0.5), NamedPoint("0.3", 3.0, 24.0)], named=True),
        Series("slices <of one>", [NamedPoint("trial 4", 5.0, 25.0, details={"MACs": "12 M"})], joined=False),
    ],
    level=17.0,
    level_name="their mean picture",
)


def test_points_are_joined_in_the_order_of_x_and_named():
    first, second = series_figure(WAYS).to_plotly_json()["data"]
    assert (list(first["x"]), list(first["y"])) == ([3.0, 7.0], [24.0, 26.0])
    assert list(first["text"]) == ["0.3", "0.7"]
    assert (first["mode"], second["mode"]) == ("lines+markers+text", "markers")
    assert (first["error_x"]["visible"], second["error_x"]["visible"]) == (True, False)
    assert second["name"] == "slices &lt;of one&gt; (1)"
    assert second["hovertext"][0] == "<b>trial 4</b><br>slices &lt;of one&gt;<br>MACs 12 M"


def test_a_level_is_a_line_with_its_name():
    layout = series_figure(WAYS).to_plotly_json()["layout"]
    assert layout["shapes"][0]["y0"] == 17.0
    assert layout["annotations"][0]["text"] == "their mean picture"


def test_the_page_holds_figure_and_notes():
    page = series_page(WAYS, "Two ways <here>", ["Measured in turn."])
    assert "<h1>Two ways &lt;here&gt;</h1>" in page
    assert "<p>Measured in turn.</p>" in page
    assert 'id="series"' in page


@pytest.mark.parametrize(
    ("series", "message"),
    [
        ([], "at least 1 point"),
        ([Series("empty", [])], "at least 1 point"),
        ([Series("one", [NamedPoint("a", math.nan, 1.0)])], "point 'a' of 'one' lies at"),
    ],
)
def test_nothing_to_draw_is_refused(series: list[Series], message: str):
    with pytest.raises(SearchError, match=message):
        series_figure(SeriesData("x", "y", series))
