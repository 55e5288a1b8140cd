"""`mfagan coronetgan demo` at a fraction of its length: every file and every key of its report."""

import json
from pathlib import Path

import pytest

from mfagan.cli.coronetgan.demo import TRIALS
from tests.command import Run
from tests.coronetgan.experiments.test_demo_report import KEYS

pytestmark = pytest.mark.slow


def test_it_prunes_searches_exports_and_reports_what_it_measured(run: Run, tmp_path: Path):
    out = tmp_path / "demo"
    command = ["coronetgan", "demo", "--out", out, "--max-steps", 3]
    done = run(*command)
    assert done.status == 0, done.err
    names = {path.name for path in out.iterdir()}
    assert names >= {
        "report.json",
        "dense_pruned_uniform.png",
        "front.html",
        "picked.json",
        "lut.json",
        "pruned.tflite",
    }
    report = json.loads((out / "report.json").read_text())
    assert report.keys() >= KEYS
    assert len(list((out / "pictures" / "valA").glob("*.png"))) == 64
    assert report["ratio_asked"] == 0.5
    assert all(one["met"] for one in report["landings_on_first_latents"])
    assert report["bake_max_abs_diff"] < 1e-5
    assert report["tflite_max_abs_diff"] < 1e-4
    assert report["steps"] == {"dense": 3, "search": 1, "search_and_pruned": 3, "uniform": 3}
    assert len({tuple(one["widths"].values()) for one in report["slices"]}) == TRIALS
    assert {"dense", "search_and_pruned", "uniform", "supernet", "lut", "search", "export"} <= set(
        report["seconds"]
    )

    (out / "picked.json").write_text("mine")
    assert "picked.json is in the way" in run(*command).message
