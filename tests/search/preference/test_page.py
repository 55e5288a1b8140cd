import json
import re

import pytest

from search.description import Picture, StudyDescription
from search.errors import SearchError
from search.preference.comparisons import spread_points
from search.preference.page import comparison_page
from tests.search.preference.viewer import describe, front_study


def page(**options) -> str:
    record = front_study(name="<img src=x onerror=alert(1)>")
    points = spread_points(record.points, record.objectives, 20)
    return comparison_page(record, points, describe(record), "mfagan pick </script><b>", **options)


def data_in(text: str) -> dict:
    (found,) = re.findall(r'<script type="application/json" id="data">(.*?)</script>', text, re.DOTALL)
    return json.loads(found)


def test_no_text_of_the_study_is_html():
    text = page()
    assert "<img src=x" not in text
    assert "</script><b>" not in text
    assert data_in(text)["study"] == "<img src=x onerror=alert(1)>"
    assert data_in(text)["command"] == "mfagan pick </script><b>"


def test_each_picture_is_there_once():
    data = data_in(page(n_comparisons=40))
    assert len(data["comparisons"]) == 40
    assert len(set(data["pictures"])) <= 16
    assert all(picture.startswith("data:image/png;base64,") for picture in data["pictures"])


def test_the_policy_forbids_requests_and_foreign_scripts():
    (policy,) = re.findall(r'http-equiv="Content-Security-Policy" content="([^"]*)"', page())
    assert policy.startswith("default-src 'none'; img-src data:; style-src 'sha256-")
    assert "unsafe" not in policy


def test_without_pictures_there_is_no_page():
    record = front_study()
    lost = StudyDescription(notes=["the images of the study are not in /photos"])
    with pytest.raises(
        SearchError, match=r"has no pictures to compare \(the images of the study are not in /photos"
    ):
        comparison_page(record, record.points, lost, "")
    some = describe(record)
    some = StudyDescription(scenes=some.scenes, points=dict(list(some.points.items())[:3]))
    with pytest.raises(SearchError, match="has no picture of"):
        comparison_page(record, record.points, some, "")


def test_a_picture_is_of_a_type_of_pictures():
    record = front_study(2)
    odd = describe(record)
    picture = Picture('image/png" onload="x', b"")
    for one in odd.points.values():
        dict.update(one.pictures, dict.fromkeys(one.pictures, picture))  # type: ignore[arg-type]
    with pytest.raises(SearchError, match="give one such as image/webp"):
        comparison_page(record, record.points, odd, "")
