"""The demo at a fraction of its length: every file and every key of its report."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image
from torch import Tensor

from mfagan import checkpoint
from mfagan.data.splits import read_pairs
from mfagan.evaluation.scores import as_method, mean_scores, score
from mfagan.sr.experiments.demo_report import DemoFiles, summarize, write_report
from mfagan.sr.kinds import load_generator
from mfagan.sr.shipped import PERCEPTUAL, SUPERGENERATOR
from search import study
from search.storage import ledger

pytestmark = pytest.mark.slow

KEYS = {
    "bicubic_psnr_db",
    "supernet_psnr_db",
    "n_trials",
    "n_unique_trials",
    "front",
    "picked",
    "psnr_before_finetune_db",
    "psnr_after_finetune_db",
    "perceptual_psnr_db",
    "tflite_max_abs_diff",
    "tflite_latency_ms",
    "lut_latency_ms",
    "seconds",
}


def run_demo(out: Path, max_steps: int, trials: int, *more: str) -> str:
    arguments = ["demo", "--out", str(out), "--max-steps", str(max_steps), "--trials", str(trials), *more]
    command = [sys.executable, "-c", "from mfagan.cli import main; main()", *arguments]
    environment = os.environ | {"TORCH_HOME": str(out / "no-weights-here")}
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stderr


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("demo")
    run_demo(out, 2, 5, "--from-scratch")
    return out


def test_it_leaves_its_files(demo: Path):
    names = {path.name for path in demo.iterdir()}
    assert names >= {
        "study.db",
        "front.html",
        "picked.json",
        "subgenerator.safetensors",
        "subgenerator.tflite",
    }
    assert names >= {"report.json", "comparison.png", "lut.json"}
    assert Image.open(demo / "comparison.png").width > 1000


def test_the_report_agrees_with_the_files(demo: Path):
    report = json.loads((demo / "report.json").read_text())
    assert set(report) == KEYS
    assert report["n_trials"] == 5
    assert 1 <= len(report["front"]) <= report["n_unique_trials"] <= 5
    picked = json.loads((demo / "picked.json").read_text())
    assert report["picked"] == {name: picked[name] for name in report["picked"]}
    front_row = {name: report["picked"][name] for name in ("trial", "widths", "psnr_db", "latency_ms")}
    assert front_row in report["front"]
    assert set(report["picked"]) - set(front_row) == {"params", "flops", "memory_bytes"}
    record = checkpoint.read(demo / "subgenerator.safetensors").record
    assert report["psnr_before_finetune_db"] == pytest.approx(picked["psnr_db"], abs=1e-4)
    assert report["psnr_after_finetune_db"] == pytest.approx(record["psnr_after_db"], abs=1e-4)
    assert report["psnr_after_finetune_db"] >= report["psnr_before_finetune_db"] - 1e-4
    assert report["tflite_max_abs_diff"] <= 1e-4
    assert report["lut_latency_ms"] == picked["latency_ms"]
    assert report["tflite_latency_ms"] > 0
    assert {"train", "lut", "search", "front", "pick", "finetune", "export"} <= set(report["seconds"])


def test_the_report_has_lpips_before_and_after_where_it_is_measured(demo: Path, tmp_path: Path):
    def distance(sr: Tensor, hr: Tensor) -> Tensor:
        """Stands in for LPIPS."""
        return (sr - hr).abs().mean((1, 2, 3))

    names = ("subgenerator.safetensors", "subgenerator.tflite", "picked.json")
    subgenerator, model, picked = (demo / name for name in names)
    supernet = demo / "weights" / "supergenerator.safetensors"
    files = DemoFiles(tmp_path, supernet, subgenerator, model, picked)
    facts = write_report(files, [], [], {}, distance)
    assert set(facts) == KEYS | {"lpips"}
    assert json.loads((tmp_path / "report.json").read_text()) == facts
    found = facts["lpips"]
    assert isinstance(found, dict)
    pairs = read_pairs("embedded", 4, record=checkpoint.read(subgenerator).record)
    widths = ",".join(map(str, json.loads(picked.read_text())["widths"]))
    networks = {
        "supernet": load_generator(supernet),
        "before_finetune": load_generator(supernet, widths),
        "after_finetune": load_generator(subgenerator),
        "perceptual": load_generator(PERCEPTUAL),
    }
    for name, network in networks.items():
        mean = mean_scores([score(as_method(network)(pair), pair, distance) for pair in pairs]).lpips
        assert found[name] == pytest.approx(mean)
    said = summarize(facts, tmp_path)
    assert f"; LPIPS {found['before_finetune']:.4f} -> {found['after_finetune']:.4f}" in said
    assert (
        f"bicubic {found['bicubic']:.4f}, the package's perceptual network {found['perceptual']:.4f}" in said
    )


def test_its_history_is_recorded(demo: Path):
    entries = ledger.read(str(demo / "study.db"), "demo")
    assert [entry.kind for entry in entries] == ["pick", "finetune", "export", "measure"]
    assert [Path(entry.file).name for entry in entries] == [
        "picked.json",
        "subgenerator.safetensors",
        "subgenerator.tflite",
        "subgenerator.tflite",
    ]
    report = json.loads((demo / "report.json").read_text())
    assert entries[-1].facts["latency_ms"] == report["tflite_latency_ms"]


def test_it_runs_again_in_the_same_folder(demo: Path):
    """Its files are replaced; the study of the first run stays."""
    before = (demo / "report.json").read_text()
    first = study.load(str(demo / "study.db"), "demo")
    said = run_demo(demo, 1, 3, "--from-scratch")
    assert study.load(str(demo / "study.db"), "demo") == first
    name = f"demo-{checkpoint.sha256(demo / 'lut.json')[:8]}"
    assert study.load(str(demo / "study.db"), name).n_trials == 3
    assert json.loads((demo / "picked.json").read_text())["study"] == name
    assert sum("vgg19" in line for line in said.splitlines()) == 1
    assert json.loads((demo / "report.json").read_text())["n_trials"] == 3
    assert (demo / "report.json").read_text() != before


def test_it_searches_the_shipped_weights_at_once(tmp_path: Path):
    run_demo(tmp_path, 1, 3)
    report = json.loads((tmp_path / "report.json").read_text())
    assert "train" not in report["seconds"]
    assert not (tmp_path / "weights").exists()
    picked = json.loads((tmp_path / "picked.json").read_text())
    assert Path(picked["supernet"]) == SUPERGENERATOR.resolve()
    assert picked["supernet_sha256"] == checkpoint.sha256(SUPERGENERATOR)
