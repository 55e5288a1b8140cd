import math

import pytest

from search.errors import SearchError
from search.report.charts.bubble_figure import Bubble, BubbleData, BubbleSeries, bubble_data, bubble_figure
from search.report.html_page import bubble_page

BUBBLES = [
    Bubble("big <b>", 4.0, 30.0, 100.0, details={"FLOPs": "100 G", "a&b": "<i>"}),
    Bubble("quarter", 1.0, 29.0, 25.0),
    Bubble("old", 2.0, 28.0, 1e-9, hollow=True),
]


def data() -> BubbleData:
    return bubble_data(BUBBLES, "memory (GB)", "PSNR <dB>", "FLOPs", levels={"bic&ubic": 27.5})


def test_figure_data():
    assert data() == BubbleData(
        x_title="memory (GB)",
        y_title="PSNR <dB>",
        size_title="FLOPs",
        filled=BubbleSeries(
            x=[4.0, 1.0],
            y=[30.0, 29.0],
            diameter_px=[70.0, 35.0],
            label=["big &lt;b&gt;", "quarter"],
            hover=["<b>big &lt;b&gt;</b><br>FLOPs 100 G<br>a&amp;b &lt;i&gt;", "<b>quarter</b>"],
        ),
        hollow=BubbleSeries([2.0], [28.0], [6.0], ["old"], ["<b>old</b>"]),
        filled_name="measured",
        hollow_name="quoted",
        levels=[(27.5, "bic&amp;ubic")],
    )


def test_drawing():
    drawn = bubble_figure(data()).to_dict()
    filled, hollow = drawn["data"]
    assert (filled["name"], list(filled["x"]), list(filled["y"])) == ("measured", [4.0, 1.0], [30.0, 29.0])
    assert list(filled["marker"]["size"]) == [70.0, 35.0]
    assert filled["marker"]["sizemode"] == "diameter"
    assert list(filled["text"]) == ["big &lt;b&gt;", "quarter"]
    assert hollow["name"] == "quoted"
    assert hollow["marker"]["color"] == "rgba(0,0,0,0)" != filled["marker"]["color"]
    assert drawn["layout"]["xaxis"]["title"]["text"] == "memory (GB)"
    assert drawn["layout"]["yaxis"]["title"]["text"] == "PSNR &lt;dB&gt;"
    assert [(line["y0"], line["y1"]) for line in drawn["layout"]["shapes"]] == [(27.5, 27.5)]
    assert [note["text"] for note in drawn["layout"]["annotations"]] == ["bic&amp;ubic"]


def test_a_kind_without_bubbles_is_not_drawn():
    figure = bubble_figure(bubble_data(BUBBLES[2:], "x", "y", "size", hollow_name="old ones")).to_dict()
    assert [trace["name"] for trace in figure["data"]] == ["old ones"]


@pytest.mark.parametrize(
    ("bubbles", "message"),
    [
        ([], "at least 1 bubble"),
        ([Bubble("a", math.nan, 1.0, 1.0)], r"bubble 'a' lies at \(nan, 1.0\)"),
        ([Bubble("a", 1.0, math.inf, 1.0)], "finite"),
        ([Bubble("a", 1.0, 1.0, 0.0)], "bubble 'a' has size 0.0: give a positive figure"),
    ],
)
def test_refusals(bubbles: list[Bubble], message: str):
    with pytest.raises(SearchError, match=message):
        bubble_data(bubbles, "x", "y", "size")


def test_the_page_is_one_escaped_file():
    page = bubble_page(data(), "a < b", ["quoted: from <somewhere>"])
    assert page.startswith("<!DOCTYPE html>")
    assert "<title>a &lt; b</title>" in page
    assert "<h1>a &lt; b</h1>" in page
    assert "<p>The area of a circle shows FLOPs.</p>" in page
    assert "<p>quoted: from &lt;somewhere&gt;</p>" in page
    assert "<script src=" not in page
    assert 'id="bubbles"' in page
