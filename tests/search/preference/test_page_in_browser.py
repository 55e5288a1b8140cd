"""The page of comparisons in a real Chromium, opened from the disk and answered by keyboard and by pointer."""

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest
from PIL import Image
from playwright import sync_api

from search.preference.answers import Answers, read_answers
from search.preference.comparisons import draw_comparisons, spread_points
from search.preference.page import comparison_page
from tests.browser import boxes, watch
from tests.search.preference.viewer import SCENES, describe, front_study

pytestmark = pytest.mark.slow

NAME = "<img src=x onerror=alert(1)>"
COMMAND = "mfagan pick --study '<img src=x onerror=alert(1)>' --answers answers.json --out picked.json"
N = 10


def draw_picture() -> bytes:
    buffer = io.BytesIO()
    Image.linear_gradient("L").resize((128, 128)).save(buffer, "PNG")
    return buffer.getvalue()


@pytest.fixture
def page(browser: sync_api.Browser, tmp_path: Path) -> Iterator[sync_api.Page]:
    """The page of ten comparisons; no request, no message on the console and no error is allowed."""
    record = front_study(name=NAME)
    points = spread_points(record.points, record.objectives, N)
    text = comparison_page(record, points, describe(record, draw_picture()), COMMAND, n_comparisons=N)
    path = tmp_path / "by_eye.html"
    path.write_text(text, encoding="utf-8")
    page = browser.new_page()
    faults = watch(page, path.as_uri())
    page.goto(path.as_uri())
    yield page
    page.close()
    assert faults == []


def saved(page: sync_api.Page, folder: Path) -> Answers:
    with page.expect_download() as found:
        page.click("#save")
    assert found.value.suggested_filename == "answers.json"
    found.value.save_as(folder / "answers.json")
    return read_answers(folder / "answers.json", front_study(name=NAME))


def test_answered_by_keyboard(page: sync_api.Page, tmp_path: Path):
    keys = {"ArrowLeft": "left", "ArrowRight": "right", " ": "neither"}
    pressed = [list(keys)[i % 3] for i in range(N)]
    for i, key in enumerate(pressed):
        assert page.inner_text("#count") == f"{i + 1} of {N}"
        page.keyboard.press(key)
    answers = saved(page, tmp_path)
    record = front_study(name=NAME)
    comparisons = draw_comparisons(spread_points(record.points, record.objectives, N), SCENES, N)
    assert [(a.left, a.right, a.scene) for a in answers.answers] == [
        (c.left, c.right, c.scene) for c in comparisons
    ]
    assert [a.better for a in answers.answers] == [keys[key] for key in pressed]
    assert page.inner_text("#command") == COMMAND


def test_nothing_visible_tells_which_is_which(page: sync_api.Page):
    hints = [NAME, *SCENES, "trial", "dB", "Quality", "cost", *(str(p.number) for p in front_study().points)]
    for _ in range(N):
        spoken = page.inner_text("body") + page.evaluate(
            "[...document.querySelectorAll('*')].map((e) => [e.title, e.alt, e.ariaLabel].join(' ')).join(' ')"
        )
        assert [hint for hint in hints if hint in spoken] == []
        left, right = boxes(page, "#left, #right")
        assert left.right - left.left == right.right - right.left
        page.keyboard.press("ArrowLeft")


def test_an_answer_can_be_taken_back(page: sync_api.Page, tmp_path: Path):
    assert page.is_disabled("#back")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Backspace")
    assert page.inner_text("#count") == f"1 of {N}"
    for _ in range(N):
        page.keyboard.press("ArrowRight")
    page.click("#again")
    assert page.inner_text("#count") == f"{N} of {N}"
    page.keyboard.press("Space")
    assert [one.better for one in saved(page, tmp_path).answers] == ["right"] * (N - 1) + ["neither"]


def test_buttons_answer_too_and_leave_the_keys_alone(page: sync_api.Page):
    page.click("#choose-left")
    page.keyboard.press(" ")  # not a second click
    assert page.inner_text("#count") == f"3 of {N}"
    page.focus("#choose-right")
    page.keyboard.press("Enter")
    assert page.inner_text("#count") == f"4 of {N}"


def test_zoom_moves_both_pictures_together(page: sync_api.Page):
    page.keyboard.press("z")
    frame = boxes(page, ".frame")[0]
    page.mouse.move(frame.left + (frame.right - frame.left) / 4, frame.centre[1])
    styles = page.evaluate(
        "['left', 'right'].map((id) => { const s = document.getElementById(id).style;"
        " return [s.transform, s.transformOrigin]; })"
    )
    assert styles[0] == styles[1]
    assert styles[0][0] == "scale(4)"
    assert styles[0][1].startswith("25") or styles[0][1].startswith("24.")
    assert page.get_attribute("#zoom", "aria-pressed") == "true"
    page.keyboard.press("z")
    assert page.evaluate("document.getElementById('left').style.transform") == ""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_a_phone_and_follows_the_scheme(page: sync_api.Page, scheme: Literal["light", "dark"]):
    page.set_viewport_size({"width": 360, "height": 640})
    page.emulate_media(color_scheme=scheme)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    (answers,) = boxes(page, ".answers")
    assert answers.bottom <= 640  # all of a comparison is in view
    background = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert background == {"light": "rgb(246, 248, 250)", "dark": "rgb(20, 24, 29)"}[scheme]
