import base64
import hashlib
import json
import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from search.errors import SearchError
from search.report.html_page import front_page, overlay_page, shares_page
from search.study import StudyRecord
from tests.search.report.figures.test_quality_shares import BLUR, COSTS, SHARP
from tests.search.report.figures.test_quality_shares import study as lens_study
from tests.search.report.lenses import describe, hostile, study


class Elements(HTMLParser):
    """Collects (tag, attributes)."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict]] = []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))


def read_data(page: str) -> dict:
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.DOTALL)
    assert found
    return json.loads(found[1])


def read_policy(page: str) -> dict[str, str]:
    found = re.search(r'Content-Security-Policy" content="(.*?)"', page)
    assert found
    return dict(rule.strip().split(" ", 1) for rule in found[1].split(";"))


@pytest.fixture(scope="module")
def record() -> StudyRecord:
    return study(40)


@pytest.fixture(scope="module")
def page(record: StudyRecord) -> str:
    return front_page(record, record.points[3], ["a note"], describe(record))


def test_the_page_holds_its_study(page: str, record: StudyRecord):
    assert page.startswith("<!DOCTYPE html>")
    assert "<title>lenses: Pareto front</title>" in page
    data = read_data(page)
    (shown,) = data["studies"]
    assert (shown["name"], shown["picked"], len(shown["trials"])) == ("lenses", 3, 40)
    assert shown["notes"] == ["a note", "Lenses are made of glass."]
    assert set(shown["figures"]) == {"choices", "progress", "effects", "importance"}
    assert set(shown["points"]) == {str(point.number) for point in record.points}
    assert data["refresh_s"] is None


def test_a_description_is_optional(record: StudyRecord):
    data = read_data(front_page(record))
    assert (data["pictures"], data["studies"][0]["points"]) == ([], {})


def test_the_page_loads_nothing_and_runs_its_own_scripts_alone(page: str):
    elements = Elements(page).found
    assert [
        tag for tag, a in elements if {"src", "srcset", "data"} & set(a) or tag in ("link", "iframe")
    ] == []
    assert [a["href"] for _, a in elements if "href" in a] == ["#panel"]
    policy = read_policy(page)
    assert (policy["default-src"], policy["connect-src"], policy["img-src"]) == (
        "'none'",
        "'none'",
        "data: blob:",
    )
    script = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    assert len(script) == 1
    sha256 = base64.b64encode(hashlib.sha256(script[0].encode()).digest()).decode()
    assert f"'sha256-{sha256}'" in policy["script-src"]
    assert "unsafe" not in policy["script-src"]


def test_a_page_that_refreshes_itself_asks_its_server_alone(record: StudyRecord):
    page = front_page(record, refresh_s=2.5)
    assert read_data(page)["refresh_s"] == 2.5
    assert read_policy(page)["connect-src"] == "'self'"


def test_nothing_in_a_study_becomes_markup():
    record = hostile()
    page = front_page(record, notes=["<script>alert(1)</script>"])
    assert [tag for tag, _ in Elements(page).found if tag == "img"] == []
    assert page.count("<script") == 3
    assert record.points[0].attributes.items() >= {"maker": "toy works"}.items()
    assert read_data(page)["studies"][0]["name"] == record.name


def test_page_is_the_same_each_time(record: StudyRecord):
    assert front_page(record) == front_page(record)


def test_page_of_an_empty_study(record: StudyRecord):
    (shown,) = read_data(front_page(replace(record, points=())))["studies"]
    assert shown["summary"] == "0 on the front"


def test_several_studies(record: StudyRecord):
    other = study(30, "<other>", seed=1)
    page = overlay_page([record, other], ["a note"], [describe(record), describe(other)])
    assert "<title>lenses, &lt;other&gt;: Pareto fronts</title>" in page
    assert [(one["name"], one["notes"][0]) for one in read_data(page)["studies"]] == [
        ("lenses", "a note"),
        ("<other>", "Lenses are made of glass."),
    ]


def test_studies_of_other_objectives_are_refused(record: StudyRecord):
    with pytest.raises(SearchError, match="overlay studies of the same objectives"):
        overlay_page([record, replace(record, objectives=record.objectives[::-1])])


def test_studies_of_other_objectives_as_shares():
    blurred = lens_study(BLUR, (4, 0.2, 10.0, 8), (1, 0.6, 5.0, 4), name="<other>")
    page = shares_page([SHARP, blurred], COSTS, ["a note"], refresh_s=2.5)
    assert "<title>lenses, &lt;other&gt;: shares of quality and cost</title>" in page
    data = read_data(page)
    assert [one["name"] for one in data["studies"]] == ["lenses", "<other>"]
    assert (data["refresh_s"], data["paragraphs"][-1]) == (2.5, "a note")
    assert read_policy(page)["connect-src"] == "'self'"
    loading = [tag for tag, a in Elements(page).found if {"src", "srcset", "href"} & set(a) or tag == "link"]
    assert loading == []
