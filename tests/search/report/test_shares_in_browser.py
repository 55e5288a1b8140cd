"""The page of shares in a real Chromium, opened from the disk and from its server."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from playwright import sync_api

from search.report.html_page import shares_page
from search.report.live_page import LivePage, serve
from search.study import StudyRecord
from tests import ROOT
from tests.browser import boxes, watch
from tests.search.report.figures.test_quality_shares import BLUR, COSTS, SHARP, study

pytestmark = pytest.mark.slow

SCREENSHOTS = ROOT / "runs" / "screenshots"
TIMEOUT_MS = 120_000
TEXTS = "#figures section:nth-of-type({}) :is(.xtitle, .ytitle, .xtick text, .ytick text)"
HOSTILE = "<img src=x onerror=document.title='owned'>"
BLURRED = study(
    BLUR, (4, 0.2, 10.0, 2_000_000), (1, 0.3, 5.0, 400_000), (2, 0.22, 7.0, 900_000), name=HOSTILE
)

Open = Callable[..., sync_api.Page]


@pytest.fixture
def open_page(browser: sync_api.Browser) -> Iterator[Open]:
    """Opens an address; no request beyond its own data, no error and no message in the console is allowed."""
    faults: list[list[str]] = []
    pages: list[sync_api.Page] = []

    def open_address(address: str, **options: object) -> sync_api.Page:
        page = browser.new_page(**{"viewport": {"width": 1280, "height": 860}, **options})  # type: ignore[arg-type]
        pages.append(page)
        faults.append(watch(page, address))
        page.goto(address)
        page.wait_for_selector("html[data-drawn]", state="attached", timeout=TIMEOUT_MS)
        return page

    yield open_address
    for page in pages:
        page.close()
    assert [[one for one in found if not one.endswith("/data.json")] for found in faults] == [
        [] for _ in faults
    ]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "shares.html"
    path.write_text(shares_page([SHARP, BLURRED], COSTS, ["A note."], "whole"), encoding="utf-8")
    return path


def shoot(page: sync_api.Page, name: str) -> None:
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SCREENSHOTS / f"shares-{name}.png", full_page=True)


def test_figures_legend_and_table(open_page: Open, file: Path):
    page = open_page(file.as_uri())
    assert page.locator("#figures .main-svg").first.is_visible()
    assert page.locator("#figures h2").all_text_contents() == ["Weight", "Volume"]
    assert page.locator("#figures .xtitle").all_text_contents() == ["Share of weight", "Share of volume"]
    assert page.locator("#legend li").all_text_contents() == ["lenses", HOSTILE, "whole"]
    assert page.locator("#cheapest tbody").count() == 2
    assert (
        page.locator("#cheapest tbody")
        .first.locator("tr")
        .nth(3)
        .locator("td")
        .all_inner_texts()[1]
        .startswith("50.0%")
    )
    assert page.locator("#readings p").last.text_content() == "A note."
    assert page.locator("main img").count() == 0
    assert page.title() != "owned"
    shoot(page, "wide")


def test_a_mark_tells_its_trial(open_page: Open, file: Path):
    page = open_page(file.as_uri())
    mark = boxes(page, "#figures .plot path.point")[1]
    page.mouse.move(5, 5)
    page.mouse.move(*mark.centre)
    page.wait_for_selector(".hovertext")
    assert "lenses, trial 1" in str(page.locator(".hovertext").text_content())


def test_the_look_is_switched(open_page: Open, file: Path):
    page = open_page(file.as_uri(), color_scheme="dark")
    ink = "() => getComputedStyle(document.querySelector('.xtitle')).fill"
    dark = page.evaluate(ink)
    page.click("#theme")
    page.wait_for_function(f"dark => ({ink})() !== dark", arg=dark)


@pytest.mark.parametrize("width", [320, 375, 768])
def test_a_narrow_screen_scrolls_in_one_direction(open_page: Open, file: Path, width: int):
    page = open_page(file.as_uri(), viewport={"width": width, "height": 700})
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    for at, plot in enumerate(boxes(page, "#figures div.plot")):
        texts = boxes(page, TEXTS.format(at + 1))
        assert texts
        for text in texts:
            assert plot.left - 1 <= text.left
            assert text.right <= plot.right + 1
    shoot(page, str(width))


def test_new_data_is_shown_while_studies_run(open_page: Open):
    def lay_out(record: StudyRecord) -> str:
        return shares_page([record, BLURRED], COSTS, refresh_s=0.1)

    live = LivePage(lay_out(replace(SHARP, points=SHARP.points[:2])))
    with serve(live) as url:
        page = open_page(url)
        assert page.locator("#figures .plot").first.locator("path.point").count() == 2 + 3 + 1
        live.publish(lay_out(SHARP))
        page.wait_for_function(
            "() => document.querySelectorAll('#figures .plot:first-of-type path.point').length > 12",
            timeout=TIMEOUT_MS,
        )
        assert page.locator("#figures .plot").first.locator("path.point").count() == 3 + 3 + 1
        assert "75.0%" in page.inner_text("#cheapest")
