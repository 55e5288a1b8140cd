"""The demo's report on the smallest translators."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from mfagan.coronetgan.experiments.demo_report import (
    REPORT,
    SHEET,
    DemoNetworks,
    MeasuredFiles,
    SliceFound,
    demo_recipe,
    summarize,
    write_report,
)
from mfagan.coronetgan.experiments.step_times import StepTimes, time_steps
from mfagan.coronetgan.experiments.trained import read_trained
from mfagan.coronetgan.training.run import TranslationRun
from mfagan.coronetgan.training.stages import train_dense, train_pruned, train_uniform
from tests.coronetgan.training.small import tiny_recipe, tiny_run

KEYS = {
    "ratio_asked",
    "ratio_reached",
    "dense_psnr_db",
    "pruned_psnr_db",
    "uniform_psnr_db",
    "bake_max_abs_diff",
    "tflite_dense_ms",
    "tflite_pruned_ms",
    "seconds",
}
SLICES = [SliceFound({"a": 8}, 20.0, 300, 3.0), SliceFound({"a": 4}, 19.0, 200, 2.0)]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> TranslationRun:
    return tiny_run(tmp_path_factory.mktemp("demo"), tiny_recipe(steps=8)).at(0.5)


@pytest.fixture(scope="module")
def networks(run: TranslationRun) -> DemoNetworks:
    paths = (train_dense(run), train_pruned(run, 0.5), train_uniform(run, 0.5))
    return DemoNetworks(*(read_trained(one, "pix2pix", 16)[0] for one in paths))


def test_the_report_has_its_keys_and_its_aims(run: TranslationRun, networks: DemoNetworks, tmp_path: Path):
    files = MeasuredFiles(2.0, 1.2, 1e-6)
    facts = write_report(
        tmp_path, run, networks, StepTimes(10.0, 15.0, 1.5), files, SLICES, {"dense": 1.0, "uniform": 2.0}
    )
    report = json.loads((tmp_path / REPORT).read_text())
    assert report.keys() >= KEYS
    assert report == json.loads(json.dumps(facts))
    assert 0.4 < report["ratio_reached"] <= report["ratio_asked"] == 0.5
    assert report["flops_ratio"] == pytest.approx(report["ratio_reached"], abs=1e-9)
    assert report["latency_ratio"] == 0.6
    assert report["steps"]["search"] == report["landed_at_step"]
    assert [one["asked"] for one in report["landings_on_first_latents"]] == [0.7, 0.5, 0.3]
    assert report["spearman"] == pytest.approx(1)
    aims = report["aims"]
    assert len(aims) == 6
    assert "met: TFLite latency at 0.5 at most 0.65 of dense's: 0.600" in aims
    assert "met: step of the search at most 2 times a dense one: 1.50" in aims
    assert any(one.startswith("met: baked and masked pictures") for one in aims)
    assert Image.open(tmp_path / SHEET).size[0] == 5 * 96 + 4 * 8
    lines = summarize(facts, tmp_path)
    assert lines[-1].startswith("3 s in all")
    assert set(aims) <= set(lines)


def test_an_aim_that_is_missed_is_said_to_be(run: TranslationRun, networks: DemoNetworks, tmp_path: Path):
    worse = replace(networks.pruned, psnr_db=networks.dense.psnr_db - 1.5)
    files = MeasuredFiles(2.0, 1.9, 1e-6)
    facts = write_report(
        tmp_path,
        run,
        replace(networks, pruned=worse),
        StepTimes(10.0, 25.0, 2.5),
        files,
        SLICES,
        {},
    )
    aims = facts["aims"]
    assert isinstance(aims, list)
    missed = [one for one in aims if one.startswith("missed")]
    assert missed == [
        "missed: quality at 0.5 at most 1 dB below dense: 1.50 dB below",
        "missed: TFLite latency at 0.5 at most 0.65 of dense's: 0.950",
        "missed: step of the search at most 2 times a dense one: 2.50",
    ]


def test_steps_are_timed_without_training_anything(run: TranslationRun):
    times = time_steps(run, repeats=1)
    assert times.dense_ms > 0
    assert times.search_ms > 0
    assert times.ratio == times.search_ms / times.dense_ms


def test_a_shorter_course_shrinks_latents_faster():
    recipe = demo_recipe()
    assert (recipe.gamma, recipe.round_to, recipe.fill, recipe.rescale) == (10.0, 16, True, True)
    assert demo_recipe(10_000) == recipe
    assert demo_recipe(8).gamma == recipe.gamma * 100
