import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from search.problem import Objective, Point
from search.report.html_page import front_page
from search.study import StudyRecord


class Elements(HTMLParser):
    """Collects (tag, attributes) and the rows of tables."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict]] = []
        self.rows: list[list[str]] = []
        self.in_cell = False
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.in_cell = True
            self.rows[-1].append("")

    def handle_endtag(self, tag):
        if tag in ("td", "th"):
            self.in_cell = False

    def handle_data(self, data):
        if self.in_cell:
            self.rows[-1][-1] += data


@pytest.fixture
def record() -> StudyRecord:
    return StudyRecord(
        name="phones <2025>",
        objectives=(Objective("psnr", "maximize", "dB"), Objective("latency", "minimize", "ms")),
        choices={"width": (16, 32), "kind": ("</script><script>alert(1)</script>", "b")},
        identity={"table": "sha256 <0123>", "weights": "abcd"},
        points=(
            Point(0, {"width": 16, "kind": "b"}, (20.0, 1.0)),
            Point(1, {"width": 32, "kind": "b"}, (19.0, 2.0)),
            Point(
                2, {"width": 32, "kind": "</script><script>alert(1)</script>"}, (30.5, 9.0), {"params": 1200}
            ),
            Point(5, {"width": 16, "kind": "b"}, (20.0, 1.0)),
            Point(6, {"width": 16, "kind": "c"}, (50.0, 0.1), {}, False),
        ),
    )


def test_page_is_complete(record):
    page = front_page(record)
    assert page.startswith("<!DOCTYPE html>")
    assert "<title>phones &lt;2025&gt;: Pareto front</title>" in page
    assert "5 finished trials of 4 distinct choices, 1 over a limit, 2 on the front" in page
    assert "maximize psnr (dB); minimize latency (ms)" in page
    assert "<dt>table</dt><dd>sha256 &lt;0123&gt;</dd><dt>weights</dt><dd>abcd</dd>" in page
    assert Elements(page).rows == [
        ["trial", "psnr (dB)", "latency (ms)", "width", "kind", "params"],
        ["0", "20", "1", "16", "b", ""],
        ["2", "30.5", "9", "32", "</script><script>alert(1)</script>", "1,200"],
    ]


def test_a_fact_of_the_trials_does_not_hide_one_about_the_study(record):
    points = tuple(replace(point, attributes={"weights": "efgh", "runs": "on b"}) for point in record.points)
    page = front_page(replace(record, points=points))
    assert "<dt>weights</dt><dd>abcd</dd><dt>runs</dt><dd>on b</dd>" in page
    assert [row[5:] for row in Elements(page).rows] == [["weights"], ["efgh"], ["efgh"]]


def test_page_works_offline(record):
    page = front_page(record)
    elements = Elements(page).found
    assert len(page) > 1_000_000  # plotly.js is inside
    assert "Plotly.newPlot" in page
    loading = [(tag, a) for tag, a in elements if {"src", "href", "srcset", "data"} & set(a) or tag == "link"]
    assert loading == []
    assert not re.search(r"@import|url\(\s*['\"]?https?:", page.partition("<body>")[0])


def test_nothing_in_a_study_becomes_markup(record):
    page = front_page(record)
    assert "<script>alert(1)" not in page
    assert "<2025>" not in page
    assert "<0123>" not in page


def test_picked_row_is_marked(record):
    page = front_page(record, picked=record.points[2])
    assert page.count('<tr class="picked">') == 1
    assert '<tr class="picked"><td>2</td>' in page
    assert "picked: trial 2" in page
    assert '<tr class="picked">' not in front_page(record)


def test_a_picked_trial_off_the_front_is_in_the_table(record):
    page = front_page(record, picked=record.points[1])
    assert '<tr class="picked"><td>1</td>' in page
    assert [row[0] for row in Elements(page).rows] == ["trial", "0", "2", "1"]


def test_page_is_the_same_each_time(record):
    assert front_page(record) == front_page(record)


def test_page_of_an_empty_study(record):
    empty = StudyRecord("new", record.objectives, record.choices, {}, ())
    page = front_page(empty)
    assert "0 finished trials of 0 distinct choices, 0 on the front" in page
    assert "not recorded" in page
