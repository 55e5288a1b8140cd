"""`mfagan mobilestylegan demo` at a fraction of its length: every file and every key of its report."""

import json
from pathlib import Path

import pytest
from PIL import Image

from tests.command import Run

pytestmark = pytest.mark.slow

KEYS = {
    "teacher_params",
    "student_params",
    "teacher_macs",
    "student_macs",
    "student_psnr_db",
    "slices",
    "spearman",
    "tflite_teacher_ms",
    "tflite_student_ms",
    "tflite_max_abs_diff",
    "seconds",
}


def test_it_scores_all_slices_and_reports_what_it_measured(run: Run, tmp_path: Path):
    out = tmp_path / "demo"
    command = ["mobilestylegan", "demo", "--out", out, "--max-steps", 3]
    done = run(*command)
    assert done.status == 0, done.err
    names = {path.name for path in out.iterdir()}
    assert names >= {
        "report.json",
        "front.html",
        "student.tflite",
        "mapping.tflite",
        "lut.json",
        "picked.json",
    }
    report = json.loads((out / "report.json").read_text())
    assert report.keys() == KEYS
    assert (report["teacher_params"], report["student_params"]) == (235_187, 70_185)
    # The figures of shared/specs/mobilestylegan.md, section 10, in MACs of the convolutions.
    assert (round(report["teacher_macs"] / 1e6, 2), round(report["student_macs"] / 1e6, 3)) == (29.65, 2.655)
    slices = report["slices"]
    assert len({tuple(one["widths"]) for one in slices}) == len(slices) == 27
    assert all(one.keys() == {"widths", "distance", "macs", "latency_ms"} for one in slices)
    assert report["tflite_max_abs_diff"] < 1e-4
    assert Image.open(out / "teacher_and_student.png").size == (4 * 32 * 4, 2 * 32 * 4)

    (out / "picked.json").write_text("mine")
    assert "picked.json is in the way" in run(*command).message
