"""The page of `mfagan webpage` in a real Chromium, with the real LiteRT.js, opened from the disk."""

import base64
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
import torch
from playwright import sync_api

from mfagan.deploy.tflite import litert
from mfagan.deploy.web.runtime import URL, cache_folder, download_runtime
from mfagan.download import Patience
from mfagan.errors import InputError
from mfagan.progress import ignore_progress
from tests.browser import watch
from tests.pictures import draw, tensor

pytestmark = pytest.mark.slow

TIMEOUT_MS = 120_000


@pytest.fixture(scope="module")
def runtime() -> Path:
    try:
        return download_runtime(cache_folder(), ignore_progress, patience=Patience(attempts=2))
    except InputError as error:
        pytest.skip(f"the runtime is not in the cache, and {URL} cannot be reached: {error}")


@pytest.fixture(scope="module")
def folder(runtime: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a network for 32x24 px, small.tflite, and its page, page.html, made by the commands."""
    folder = tmp_path_factory.mktemp("page")
    for words in (
        ["export", "supergenerator", "--widths", "24", "--size", "24x32", "--out", "small.tflite"],
        ["webpage", "small.tflite", "--out", "page.html", "--runtime", str(runtime)],
    ):
        subprocess.run([sys.executable, "-m", "mfagan", *words], cwd=folder, check=True)
    return folder


@pytest.fixture(scope="module")
def page(browser: sync_api.Browser, folder: Path) -> Iterator[sync_api.Page]:
    """The page, when it has enlarged its sample picture; no request or error is allowed."""
    address = (folder / "page.html").as_uri()
    page = browser.new_page()
    faults = watch(page, address, console=False)  # LiteRT.js writes there
    page.goto(address)
    wait(page, "done")
    yield page
    page.close()
    assert faults == []


def wait(page: sync_api.Page, state: str) -> None:
    page.wait_for_selector(
        '#main[data-state="done"], #main[data-state="failed"]', timeout=TIMEOUT_MS, state="attached"
    )
    assert page.get_attribute("#main", "data-state") == state, page.inner_text("#status")


def choose(page: sync_api.Page, path: Path, state: str = "done") -> None:
    page.evaluate("document.getElementById('main').dataset.state = 'waiting'")
    page.set_input_files("#file", path)
    wait(page, state)


def read_canvas(page: sync_api.Page, name: str = "after") -> np.ndarray:
    """(height, width, 3) uint8."""
    width, height, values = page.evaluate(
        """name => {
          const canvas = document.getElementById(name);
          const { width, height } = canvas;
          return [width, height, [...canvas.getContext("2d").getImageData(0, 0, width, height).data]];
        }""",
        name,
    )
    return np.array(values, np.uint8).reshape(height, width, 4)[:, :, :3]


def run_litert(model: Path, pixels: np.ndarray) -> np.ndarray:
    enlarged = litert.run(model.read_bytes(), [tensor(pixels)])
    return (enlarged.clamp(0, 1) * 255).round().to(torch.uint8).permute(1, 2, 0).numpy()


def levels_apart(one: np.ndarray, other: np.ndarray) -> int:
    assert one.shape == other.shape
    return int(np.abs(one.astype(int) - other.astype(int)).max())


def test_a_picture_of_the_networks_size_is_what_litert_computes(
    page: sync_api.Page, folder: Path, tmp_path: Path
):
    pixels = draw(tmp_path / "picture.png", 32, 24)
    choose(page, tmp_path / "picture.png")
    assert levels_apart(read_canvas(page), run_litert(folder / "small.tflite", pixels)) <= 1
    assert page.inner_text("#size") == "32x24 px, enlarged to 128x96 px"
    assert "median of 5 runs" in page.inner_text("#tile-ms")
    assert "saw all of it" in page.inner_text("#note")


def test_a_larger_picture_is_made_of_tiles_without_gaps(page: sync_api.Page, folder: Path, tmp_path: Path):
    pixels = draw(tmp_path / "picture.png", 71, 50)
    choose(page, tmp_path / "picture.png")
    found = read_canvas(page)
    assert found.shape == (200, 284, 3)
    # Overlaps of 6 rows and 8 columns: where tiles begin, and where they give way to the next.
    rows, row_ends = [0, 12, 24, 26], [0, 18, 30, 42, 50]
    columns, column_ends = [0, 16, 32, 39], [0, 24, 40, 56, 71]
    for y, top, bottom in zip(rows, row_ends, row_ends[1:], strict=False):
        for x, left, right in zip(columns, column_ends, column_ends[1:], strict=False):
            tile = run_litert(folder / "small.tflite", pixels[y : y + 24, x : x + 32])
            expected = tile[4 * (top - y) : 4 * (bottom - y), 4 * (left - x) : 4 * (right - x)]
            part = found[4 * top : 4 * bottom, 4 * left : 4 * right]
            assert levels_apart(part, expected) <= 1, (y, x)
    assert "16 tiles that overlap by 6 px" in page.inner_text("#note")
    assert "sees each tile alone" in " ".join(page.inner_text("#note").split())


def test_a_smaller_picture_goes_on_beyond_its_edge(page: sync_api.Page, folder: Path, tmp_path: Path):
    pixels = draw(tmp_path / "picture.png", 5, 3)
    choose(page, tmp_path / "picture.png")
    padded = np.pad(pixels, ((0, 21), (0, 27), (0, 0)), mode="edge")
    assert levels_apart(read_canvas(page), run_litert(folder / "small.tflite", padded)[:12, :20]) <= 1


def test_of_a_large_picture_the_middle_is_taken(page: sync_api.Page, tmp_path: Path):
    draw(tmp_path / "wide.png", 40_000, 8)
    choose(page, tmp_path / "wide.png")
    assert page.inner_text("#size") == "the middle 4096x7 of 40000x8 px, enlarged to 16384x28 px"


def test_what_is_no_picture_is_refused_and_the_next_one_works(page: sync_api.Page, tmp_path: Path):
    (tmp_path / "notes.png").write_text("no picture", encoding="utf-8")
    choose(page, tmp_path / "notes.png", "failed")
    assert page.inner_text("#status").startswith("notes.png cannot be enlarged: ")
    draw(tmp_path / "picture.png", 8, 8)
    choose(page, tmp_path / "picture.png")


def test_the_keyboard_moves_the_line(page: sync_api.Page):
    page.focus("#file")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "split"
    for key, percent in (("Home", "0%"), ("ArrowRight", "0.1%"), ("End", "100%")):
        page.keyboard.press(key)
        assert page.evaluate("getComputedStyle(document.getElementById('after')).clipPath").endswith(
            f" {percent})"
        )


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_a_phone_and_follows_the_scheme(page: sync_api.Page, scheme: Literal["light", "dark"]):
    page.set_viewport_size({"width": 360, "height": 640})
    page.emulate_media(color_scheme=scheme)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    background = page.evaluate("getComputedStyle(document.querySelector('.button')).backgroundColor")
    assert background == {"light": "rgb(11, 87, 208)", "dark": "rgb(168, 199, 250)"}[scheme]


def test_the_enlarged_picture_is_saved(page: sync_api.Page):
    with page.expect_download() as found:
        page.click("#save")
    assert found.value.suggested_filename == "enlarged.png"
    assert Path(found.value.path()).read_bytes().startswith(b"\x89PNG")


def test_a_picture_that_is_dropped_ends_the_one_before(page: sync_api.Page, folder: Path, tmp_path: Path):
    draw(tmp_path / "long.png", 4000, 24, seed=1)
    pixels = draw(tmp_path / "dropped.png", 32, 24)
    page.set_input_files("#file", tmp_path / "long.png")
    status = page.locator("#status")
    sync_api.expect(status).to_contain_text("long.png")
    page.evaluate(
        """packed => {
          const bytes = Uint8Array.from(atob(packed), (c) => c.charCodeAt(0));
          const dataTransfer = new DataTransfer();
          dataTransfer.items.add(new File([bytes], "dropped.png", { type: "image/png" }));
          document.body.dispatchEvent(new DragEvent("drop", { dataTransfer, bubbles: true, cancelable: true }));
        }""",
        base64.b64encode((tmp_path / "dropped.png").read_bytes()).decode(),
    )
    sync_api.expect(status).to_contain_text("dropped.png: done", timeout=TIMEOUT_MS)
    page.wait_for_timeout(300)  # in which the first would have gone on
    assert "dropped.png: done" in page.inner_text("#status")
    assert levels_apart(read_canvas(page), run_litert(folder / "small.tflite", pixels)) <= 1
