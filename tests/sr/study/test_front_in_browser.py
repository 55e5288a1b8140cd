"""The page of a study of all 6,561 SubGenerators in a real Chromium, opened from the disk."""

import re
from pathlib import Path

import pytest
from playwright import sync_api

from mfagan.sr.shipped import EXACT, LATENCY_TABLE, SUPERGENERATOR
from search.benchmarks.tabular import TabularProblem
from search.storage.derivation import derive_study
from tests.browser import watch
from tests.command import Run
from tests.front_page import data_in

pytestmark = pytest.mark.slow

MAX_BYTES = 8_000_000


def test_a_study_of_all_choices(run: Run, tmp_path: Path, browser: sync_api.Browser):
    exact = TabularProblem.read(EXACT)
    choices = [exact.space.choice(key) for key in exact.space.grid()]
    storage, out = f"journal://{tmp_path / 'study.log'}", tmp_path / "front.html"
    derive_study(exact, list(zip(choices, exact.evaluate(choices), strict=True)), {}, storage, "<img src=x>")
    sources = ["--supernet", SUPERGENERATOR, "--lut", LATENCY_TABLE, "--images", "embedded", "--exact", EXACT]
    done = run("front", "--storage", storage, "--study", "<img src=x>", "--out", out, *sources)
    assert done.status == 0, done.err
    assert "left out" not in done.err.replace("LPIPS is left out", "")
    assert out.stat().st_size < MAX_BYTES
    (study,) = data_in(out)["studies"]
    assert len(study["trials"]) == 6561
    assert len(study["scenes"]) == 3
    assert all(None not in point["pictures"] for point in study["points"].values())
    page = browser.new_page()
    faults = watch(page, out.as_uri())
    page.goto(out.as_uri())
    page.wait_for_selector("#chart .js-plotly-plot image", state="attached")
    page.locator("#chart").focus()
    page.keyboard.press("ArrowRight")
    panel = page.locator("#panel")
    sync_api.expect(panel).to_contain_text("CFAB 6")
    sync_api.expect(panel).to_contain_text("mfagan finetune trial-")
    sync_api.expect(panel).to_contain_text(re.compile(r"SSIM, \d images"))
    sync_api.expect(panel.locator("svg.drawing rect.box")).to_have_count(13)
    sync_api.expect(panel.locator("svg.drawing .caption")).to_have_count(5)
    sides = panel.locator(".pictures img").evaluate_all("images => images.map(one => one.naturalWidth)")
    assert sides == [128, 128]
    assert faults == []
