"""The page in a real Chromium, opened from the disk, as people get it by mail."""

import csv
import io
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import combinations
from pathlib import Path

import pytest
from playwright import sync_api

from search import pareto
from search.problem import Objective, Point
from search.report.html_page import front_page, overlay_page
from search.report.page.study import Peer
from search.study import StudyRecord
from tests import ROOT
from tests.browser import boxes, watch
from tests.search.report.lenses import describe, hostile, study

pytestmark = pytest.mark.slow

SCREENSHOTS = ROOT / "runs" / "screenshots"
TIMEOUT_MS = 120_000
RING, PLOT = ".overlay .ring.chosen", "#chart .nsewdrag"
FIGURES = {"choices": ["choices"], "progress": ["progress"], "effects": ["effects", "importance"]}

NO_PLOTLY = """
window.DecompressionStream = class {
  readable = new ReadableStream();
  writable = new WritableStream();
};
"""
"""plotly.js is never unpacked."""
PLACE = """trial => {
  const plot = document.querySelector("#chart .js-plotly-plot");
  const { xaxis, yaxis } = plot._fullLayout;
  const { left, top } = plot.getBoundingClientRect();
  const { trials, objectives } = JSON.parse(document.getElementById("data").textContent).studies[0];
  const [y, x] = objectives.map(column => column.numbers[trials.indexOf(trial)]);
  return [left + xaxis._offset + xaxis.l2p(x), top + yaxis._offset + yaxis.l2p(y)];
}"""
"""Where on the screen a trial is."""
SHOWS_TICKS = """ticks => [...document.querySelectorAll(".xtick text")]
  .every(node => ticks.includes(node.textContent))"""
SHOWS_OTHER_TICKS = SHOWS_TICKS.replace("ticks => ", "ticks => !")

Open = Callable[..., sync_api.Page]


@pytest.fixture(scope="module")
def record() -> StudyRecord:
    return study(90)


@pytest.fixture(scope="module")
def front(record: StudyRecord) -> list[Point]:
    return pareto.front(record.points, record.objectives)


@pytest.fixture(scope="module")
def lenses(record: StudyRecord, tmp_path_factory: pytest.TempPathFactory) -> Path:
    page = tmp_path_factory.mktemp("page") / "lenses.html"
    exact = [point.values for point in record.points if point.feasible]
    peers = [Peer("Tessar", (60.0, 100.0)), Peer("Planar", (62.0, 104.0))]
    page.write_text(front_page(record, None, ["A note."], describe(record), exact, peers), encoding="utf-8")
    return page


@pytest.fixture
def open_page(browser: sync_api.Browser) -> Iterator[Open]:
    """Opens a file; no request, error or message in the console is allowed."""
    faults: list[list[str]] = []
    pages: list[sync_api.Page] = []

    def open_file(path: Path, drawn: bool = True, **options: object) -> sync_api.Page:
        page = browser.new_page(**{"viewport": {"width": 1280, "height": 860}, **options})  # type: ignore[arg-type]
        if not drawn:
            page.add_init_script(NO_PLOTLY)
        page.set_default_timeout(TIMEOUT_MS)
        faults.append(watch(page, path.as_uri()))
        page.goto(path.as_uri())
        page.wait_for_selector("html[data-ready]", state="attached")
        if drawn:
            page.wait_for_selector("#chart .overlay", state="attached")
        pages.append(page)
        return page

    yield open_file
    for page in pages:
        page.close()
    assert [fault for one in faults for fault in one] == []


def shoot(page: sync_api.Page, name: str) -> None:
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SCREENSHOTS / f"front-{name}.png", full_page=True)


def chosen(page: sync_api.Page) -> int:
    return int(page.inner_text("#panel h2").removeprefix("Trial "))


def set_budget(page: sync_api.Page, share: float) -> None:
    """Moves the slider as a hand does: a move, then a release."""
    page.evaluate(
        """share => {
          const slider = document.querySelector("#budgets input");
          slider.value = Number(slider.min) + share * (slider.max - slider.min);
          slider.dispatchEvent(new Event("input"));
        }""",
        share,
    )


def test_it_opens_at_the_knee(lenses: Path, open_page: Open, record: StudyRecord, front: list[Point]):
    page = open_page(lenses)
    assert page.inner_text("#title") == "lenses"
    assert f"{len(front)} on the front, " in page.inner_text("#summary")
    assert "of them distinguishable" in page.inner_text("#summary")
    assert chosen(page) == pareto.knee(front, record.objectives).number
    labels = page.locator(".overlay .label").all_inner_texts()
    assert sorted(page.locator(".overlay .label").all_text_contents()) == ["Planar", "Tessar", "knee"], labels
    shoot(page, "light")


def test_the_budget_marks_the_best_point_under_it(lenses: Path, open_page: Open, record: StudyRecord):
    page = open_page(lenses)
    set_budget(page, 0.3)
    limit = float(page.inner_text(".limit-text").removeprefix("at most ").removesuffix(" g"))
    within = [point for point in record.points if point.feasible and point.values[1] <= limit]
    best = max(within, key=lambda point: point.values[0])
    assert f"trial {best.number}, " in page.inner_text(".result")
    assert page.locator(".overlay .best").count() == 1
    assert page.locator(".overlay .limit").count() == 1
    assert chosen(page) != best.number
    page.locator("#budgets input").dispatch_event("change")
    assert chosen(page) == best.number
    shoot(page, "budget")
    page.locator("#budgets input").press("End")
    assert page.inner_text(".limit-text") == "no limit"
    assert page.locator(".overlay .best").count() == 0


def test_a_click_chooses_a_point(lenses: Path, open_page: Open, front: list[Point]):
    page = open_page(lenses)
    page.locator("#chart").press("Home")
    (ring,) = boxes(page, RING)
    assert chosen(page) == front[0].number
    page.locator("#chart").press("End")
    assert chosen(page) == front[-1].number
    page.mouse.move(*ring.centre)
    page.wait_for_selector("#tip:not([hidden])")
    assert f"Trial {front[0].number} " in page.inner_text("#tip")
    page.mouse.down()
    page.mouse.up()
    assert chosen(page) == front[0].number


def test_plotly_draws_the_first_view(lenses: Path, open_page: Open):
    page = open_page(lenses)
    assert page.locator("#view-front .js-plotly-plot .main-svg").first.is_visible()
    assert page.locator("#view-front .modebar-btn").count() == 6
    assert page.locator("#view-front .imagelayer image").count() == 1


def test_all_but_the_plot_works_before_plotly_starts(lenses: Path, open_page: Open, front: list[Point]):
    page = open_page(lenses, drawn=False)
    assert "on the front" in page.inner_text("#summary")
    assert "dominated" in page.inner_text("#legend")
    page.locator("#chart").press("End")
    assert chosen(page) == front[-1].number
    set_budget(page, 0.3)
    assert "best under it" in page.inner_text(".result")
    page.click("#tab-table")
    page.locator("tbody tr").first.click()
    assert chosen(page) == front[0].number
    page.click("#tab-front")
    assert page.locator(".js-plotly-plot").count() == 0


def test_a_point_is_chosen_after_zooming(
    lenses: Path, open_page: Open, record: StudyRecord, front: list[Point]
):
    page = open_page(lenses)
    ticks = page.locator(".xtick text").all_text_contents()
    dominated = [point for point in record.points if point.feasible and point not in front]
    trial = min(dominated, key=lambda point: abs(point.values[1] - 80)).number
    x, y = page.evaluate(PLACE, trial)
    painted = "document.querySelector('#chart .js-plotly-plot').layout.images[0].source"
    image = page.evaluate(painted)
    page.mouse.move(x - 60, y - 40)
    page.mouse.down()
    page.mouse.move(x + 60, y + 40, steps=4)
    page.mouse.up()
    page.wait_for_function(SHOWS_OTHER_TICKS, arg=ticks)
    assert page.evaluate(PLACE, trial) != [x, y]
    page.wait_for_function(f"image => {painted} !== image", arg=image)
    page.wait_for_timeout(500)  # plotly takes two presses within 300 ms for a double click
    page.mouse.click(*page.evaluate(PLACE, trial))
    assert chosen(page) == trial
    (ring,) = boxes(page, RING)
    assert ring.centre == pytest.approx(page.evaluate(PLACE, trial), abs=1)
    page.click("[data-title='Reset axes']")
    page.wait_for_function(SHOWS_TICKS, arg=ticks)
    assert page.evaluate(PLACE, trial) == pytest.approx([x, y])


def test_a_double_click_shows_all(lenses: Path, open_page: Open):
    page = open_page(lenses)
    ticks = page.locator(".xtick text").all_text_contents()
    page.click("[data-title='Zoom in']")
    page.wait_for_function("n => document.querySelectorAll('.xtick text').length !== n", arg=len(ticks))
    (plot,) = boxes(page, PLOT)
    page.mouse.dblclick(plot.left + 400, plot.top + 300)
    page.wait_for_function("n => document.querySelectorAll('.xtick text').length === n", arg=len(ticks))
    assert sorted(page.locator(".xtick text").all_text_contents()) == sorted(ticks)


def test_panning_takes_the_overlay_along(lenses: Path, open_page: Open):
    page = open_page(lenses)
    page.click("[data-title='Pan']")
    (before,), (plot,) = boxes(page, RING), boxes(page, PLOT)
    page.mouse.move(plot.left + 300, plot.top + 300)
    page.mouse.down()
    page.mouse.move(plot.left + 340, plot.top + 330, steps=4)
    for end in (lambda: None, page.mouse.up):
        end()
        place = page.evaluate(PLACE, chosen(page))
        (after,) = boxes(page, RING)
        assert (after.left - before.left, after.top - before.top) == pytest.approx((40, 30), abs=3)
        assert after.centre == pytest.approx(place, abs=1)


def test_a_tap_chooses_a_point_on_a_phone(lenses: Path, open_page: Open, front: list[Point]):
    phone = {"viewport": {"width": 375, "height": 740}, "has_touch": True, "is_mobile": True}
    page = open_page(lenses, **phone)
    x, y = page.evaluate(PLACE, front[2].number)
    page.touchscreen.tap(x, y)
    page.wait_for_function(
        "title => document.querySelector('#panel h2').textContent === title", arg=f"Trial {front[2].number}"
    )


def test_a_finger_on_the_plot_scrolls_the_page(lenses: Path, open_page: Open):
    phone = {"viewport": {"width": 375, "height": 740}, "has_touch": True, "is_mobile": True}
    page = open_page(lenses, **phone)
    x, y = page.evaluate(PLACE, chosen(page))
    touch = page.context.new_cdp_session(page)
    for kind, places in (
        ("Start", [0]),
        ("Move", range(10, 200, 10)),
        ("End", [None]),
    ):
        for moved in places:
            points = [] if moved is None else [{"x": x + 20, "y": y - moved}]
            touch.send("Input.dispatchTouchEvent", {"type": f"touch{kind}", "touchPoints": points})
    page.wait_for_function("() => scrollY > 100")


def test_the_plot_is_saved_as_a_picture(lenses: Path, open_page: Open):
    page = open_page(lenses)
    with page.expect_download() as download:
        page.click("[data-title='Download plot as a PNG']")
    assert download.value.path().read_bytes().startswith(b"\x89PNG")


def test_trials_dropped_early_are_told_apart(open_page: Open, record: StudyRecord, tmp_path: Path):
    best = max(record.points, key=lambda point: point.values[0])
    dropped = replace(best, number=500, choice={**best.choice, "elements": 9}, values=(99.0, 1.0), scores={})
    path = tmp_path / "raced.html"
    path.write_text(front_page(replace(record, pruned=(dropped,))), encoding="utf-8")
    page = open_page(path)
    assert "dropped early" in page.inner_text("#legend")
    assert "1 dropped early" in page.inner_text("#counts")
    assert "trial 500" not in page.inner_text(".result")
    page.click("#tab-table")
    page.locator("#view-table select").select_option("all")
    assert "dropped early" in page.inner_text("tr[data-trial='500']")


def test_the_panel_shows_a_point_in_full(lenses: Path, open_page: Open, record: StudyRecord):
    page = open_page(lenses)
    number = chosen(page)
    point = record.points[number]
    panel = page.inner_text("#panel")
    assert f"{point.values[0]:.1f} lp/mm" in panel.replace("\n", " ")
    assert "95 %:" in panel
    assert page.locator("#panel .drawing rect").count() == point.choice["elements"]
    assert page.locator("#panel .stack span").count() == int(point.choice["elements"]) + 1
    shares = page.locator("#panel .parts .soft").all_inner_texts()
    assert len(shares) == int(point.choice["elements"]) + 1
    assert all(text.endswith(" %") for text in shares)
    page.keyboard.press("Escape")
    assert page.inner_text("#panel") == "Choose a point to see it in full."


def test_two_pictures_are_swiped(lenses: Path, open_page: Open):
    page = open_page(lenses)
    left = page.locator(".pictures img").last
    assert left.evaluate("image => image.style.clipPath") == "inset(0px 50% 0px 0px)"
    page.locator(".swipe").press("ArrowRight")
    assert left.evaluate("image => image.style.clipPath") == "inset(0px 49.5% 0px 0px)"
    (swipe,) = boxes(page, ".swipe")
    page.mouse.click(swipe.left + 0.2 * (swipe.right - swipe.left), swipe.top + 20)
    clip = left.evaluate("image => image.style.clipPath")
    assert 70 < float(clip.split()[1].rstrip("%")) < 90
    assert page.locator(".tag").all_inner_texts() == ["blurred", f"trial {chosen(page)}"]
    page.locator(".pickers select").nth(1).select_option("ref:original")
    assert page.locator(".tag").first.inner_text() == "original"
    before = left.get_attribute("src")
    page.locator("#chart").press("Home")
    assert page.locator(".tag").first.inner_text() == "original"
    assert page.locator(".pictures img").last.get_attribute("src") == before
    assert all(
        page.locator(".pictures img").evaluate_all("images => images.map(one => one.naturalWidth > 0)")
    )


def test_a_command_is_copied(lenses: Path, open_page: Open):
    page = open_page(lenses)
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    command = page.locator(".command code").first.inner_text()
    assert command == f"lens grind --study lenses --trial {chosen(page)} --out lens.json"
    page.locator(".copy").first.click()
    page.wait_for_function("() => document.querySelector('.copy').textContent === 'Copied'")
    assert page.evaluate("navigator.clipboard.readText()") == command


def test_a_command_is_copied_without_the_clipboard_api(lenses: Path, open_page: Open):
    page = open_page(lenses)
    page.evaluate("Object.defineProperty(navigator, 'clipboard', { value: undefined })")
    page.locator(".copy").first.click()
    page.wait_for_function("() => document.querySelector('.copy').textContent === 'Copied'")
    assert page.evaluate("getSelection().toString()") == page.locator(".command code").first.inner_text()


def test_the_table_is_sorted_and_written_as_csv(
    lenses: Path, open_page: Open, record: StudyRecord, front: list[Point]
):
    page = open_page(lenses)
    page.click("#tab-table")
    assert page.locator("tbody tr").count() == len(front)
    page.locator("#view-table select").select_option("all")
    assert page.locator("tbody tr").count() == 90
    page.locator("th button").nth(2).click()
    page.locator("th button").nth(2).click()
    assert page.locator("th").nth(2).get_attribute("aria-sort") == "descending"
    best = max(record.points, key=lambda point: point.values[0])
    assert page.locator("tbody tr").first.locator("td").first.inner_text() == str(best.number)
    shoot(page, "table")
    with page.expect_download() as download:
        page.click("#csv")
    rows = list(csv.DictReader(io.StringIO(download.value.path().read_text(encoding="utf-8"))))
    assert len(rows) == 90
    assert rows[0]["trial"] == str(best.number)
    assert float(rows[0]["weight_g"]) == pytest.approx(best.values[1], rel=1e-6)
    assert rows[0]["glass"] == best.choice["glass"]
    assert (
        float(rows[0]["sharpness interval low"]) < best.values[0] < float(rows[0]["sharpness interval high"])
    )


def test_rows_are_walked_with_the_keyboard(lenses: Path, open_page: Open, front: list[Point]):
    page = open_page(lenses)
    page.click("#tab-table")
    page.locator("tbody tr").first.focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    assert chosen(page) == front[1].number
    assert page.evaluate("document.activeElement.id") == "panel"
    assert page.locator("tbody tr[aria-selected]").count() == 1


def test_tabs_are_walked_with_the_keyboard_and_draw_their_figures(lenses: Path, open_page: Open):
    page = open_page(lenses)
    page.focus("#tab-front")
    for tab in ("choices", "progress", "effects"):
        page.keyboard.press("ArrowRight")
        assert page.get_attribute(f"#tab-{tab}", "aria-selected") == "true"
        for figure in FIGURES[tab]:
            page.wait_for_selector(f"#view-{tab} [data-figure={figure}] .main-svg")
        shoot(page, tab)
    page.keyboard.press("End")
    about = page.inner_text("#view-about")
    assert "A note." in about
    assert "0123456789abcdef" in about
    page.keyboard.press("ArrowRight")
    assert page.is_visible("#chart")


def test_colours_have_a_key(lenses: Path, open_page: Open):
    page = open_page(lenses)
    select = page.locator("#settings select")
    for key, text in (
        ("choice:2", "fused silica"),
        ("objective:1", "Weight (g)"),
        ("number:0", "Parameters (k)"),
    ):
        select.select_option(key)
        assert text in page.inner_text("#legend")
    shoot(page, "coloured")


def test_dark_follows_the_system_and_a_button_changes_it(lenses: Path, open_page: Open):
    page = open_page(lenses, color_scheme="dark")
    background = "getComputedStyle(document.body).backgroundColor"
    assert page.evaluate(background) == "rgb(20, 24, 29)"
    shoot(page, "dark")
    page.click("#theme")
    assert page.evaluate(background) == "rgb(245, 247, 249)"


def test_a_phone_needs_no_sideways_scrolling(lenses: Path, open_page: Open):
    page = open_page(
        lenses, viewport={"width": 360, "height": 740}, device_scale_factor=2, has_touch=True, is_mobile=True
    )
    for tab in ("front", "choices", "progress", "effects", "table", "about"):
        page.click(f"#tab-{tab}")
        for figure in FIGURES.get(tab, []):
            page.wait_for_selector(f"#view-{tab} [data-figure={figure}] .main-svg")
        assert page.evaluate("[document.documentElement.scrollWidth, innerWidth]") == [360, 360], tab
        shoot(page, f"phone-{tab}")


def test_labels_do_not_overlap(lenses: Path, open_page: Open):
    page = open_page(lenses)
    for _ in range(3):
        labels = boxes(page, ".overlay .label")
        assert len(labels) > 1
        assert [pair for pair in combinations(labels, 2) if pair[0].overlaps(pair[1])] == []
        page.set_viewport_size({"width": 700, "height": 700})


def test_markup_in_a_study_stays_text(open_page: Open, tmp_path: Path):
    path = tmp_path / "hostile.html"
    record = hostile()
    path.write_text(
        front_page(record, notes=["<img src=x onerror=document.title='owned'>"]), encoding="utf-8"
    )
    page = open_page(path)
    assert page.inner_text("#title") == record.name
    page.mouse.move(500, 500)
    for tab in ("choices", "progress", "effects", "table", "about"):
        page.click(f"#tab-{tab}")
        for figure in FIGURES.get(tab, []):
            page.wait_for_selector(f"#view-{tab} [data-figure={figure}] .main-svg")
        assert page.locator("main img, aside img, main b[onerror], .plot u").count() == 0
    assert page.title() == f"{record.name}: Pareto front"


def test_studies_are_overlaid(open_page: Open, record: StudyRecord, tmp_path: Path):
    other = study(60, "other lenses", seed=1)
    path = tmp_path / "two.html"
    path.write_text(overlay_page([record, other], (), [describe(record), describe(other)]), encoding="utf-8")
    page = open_page(path)
    assert "other lenses (" in page.inner_text("#legend")
    assert page.inner_text("#panel .badges").endswith("lenses")
    shoot(page, "two")
    page.select_option("#study", "1")
    page.click("#tab-table")
    page.locator("#view-table select").select_option("all")
    assert page.locator("tbody tr").count() == 60
    page.locator("tbody tr").first.click()
    assert page.inner_text("#panel .badges").endswith("other lenses")


def test_axes_of_three_objectives_are_chosen(open_page: Open, record: StudyRecord, tmp_path: Path):
    objectives = (*record.objectives, Objective("price", "minimize", "€"))
    points = tuple(
        replace(point, values=(*point.values, float(point.number % 7)), scores={}) for point in record.points
    )
    path = tmp_path / "three.html"
    path.write_text(front_page(replace(record, objectives=objectives, points=points)), encoding="utf-8")
    page = open_page(path)
    assert page.locator("#budgets input").count() == 2
    page.locator("#settings select").nth(1).select_option("2")
    page.wait_for_function("() => document.querySelector('#chart .xtitle').textContent.startsWith('price')")
    assert page.locator("#chart .xtitle").text_content() == "price (€), less is better"
    set_budget(page, 0.2)
    assert page.locator(".overlay .best").count() == 1
    shoot(page, "three")


def test_new_data_is_shown_while_a_study_runs(
    browser: sync_api.Browser, record: StudyRecord, front: list[Point]
):
    early = replace(record, points=record.points[:60])
    pages = [front_page(one, None, (), describe(one), refresh_s=0.1) for one in (early, record)]
    served = {"/": pages[0], "/data.json": read_data(pages[0])}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            content = served.get(self.path, "").encode()
            self.send_response(200 if content else 404)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    page = browser.new_page()
    try:
        page.goto(f"http://127.0.0.1:{server.server_port}/")
        page.wait_for_selector("html[data-ready]", state="attached", timeout=TIMEOUT_MS)
        page.locator("#chart").press("Home")
        trial = chosen(page)
        page.click("#tab-table")
        served["/data.json"] = read_data(pages[1])
        text = f"{len(front)} on the front"
        page.wait_for_function(
            "text => document.getElementById('summary').textContent.startsWith(text)",
            arg=text,
            timeout=TIMEOUT_MS,
        )
        assert "90 finished trials" in page.inner_text("#counts")
        assert page.locator("tbody tr").count() == len(front)
        assert chosen(page) == trial
    finally:
        page.close()
        server.shutdown()
        server.server_close()


def read_data(page: str) -> str:
    return page.partition('id="data">')[2].partition("</script>")[0]


def test_all_choices_of_a_large_space(open_page: Open, tmp_path: Path):
    record = study(6561)
    best = pareto.front(record.points, record.objectives)
    path = tmp_path / "large.html"
    path.write_text(front_page(record, None, (), describe(record, best)), encoding="utf-8")
    assert path.stat().st_size < 8_000_000
    page = open_page(path)
    assert "6,561 distinct choices" in page.inner_text("#counts")
    set_budget(page, 0.3)
    assert page.locator(".overlay .best").count() == 1
    page.click("#tab-table")
    page.locator("#view-table select").select_option("all")
    assert page.locator("tbody tr").count() == 100
    page.click(".pager button >> nth=1")
    assert "101 to 200 of 6,561" in page.inner_text(".pager")
    page.click("#tab-front")
    shoot(page, "large")
