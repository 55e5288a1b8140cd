"""`mfagan lut audit`, and prices of tables of other machines beside times measured here."""

import json
from pathlib import Path

import pytest

from mfagan.devices import CPU, describe_device
from mfagan.latency.measuring.runtimes import RUNTIMES
from tests import tiny
from tests.command import Run, search_command


@pytest.fixture(scope="module")
def foreign(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A table of litert on a machine of this one's name that is a thousand times as fast."""
    fast = dict.fromkeys(("gemm", "convolution 3x3", "convolution 5x5"), 1e-3)
    return tiny.write_table(
        tmp_path_factory.mktemp("luts") / "fast.json",
        (8, 8),
        runtime="litert",
        device=describe_device(CPU),
        calibration_ms=fast,
    )


def test_an_audit_as_text_as_json_and_as_a_page(run: Run, foreign: Path, tmp_path: Path):
    page = tmp_path / "audit.html"
    words = ["lut", "audit", foreign, "--n", 3, "--rounds", 2]
    done = run(*words, "--out", page)
    assert done.status == 0, done.err
    assert "3 networks, CPU time" in done.out
    assert "mean absolute error" in done.out
    assert "is of another machine" in done.out
    assert "Kendall" in page.read_text()
    assert "predicted latency (ms)" in page.read_text()
    found = json.loads(run(*words, "--rescale", "--json").out)
    assert {"n", "mape", "bias", "kendall_tau", "kendall_tau_apart", "ceiling", "networks"} <= found.keys()
    assert (found["n"], found["machine"]["same"]) == (3, False)
    assert found["rescaled_by"] == pytest.approx(found["machine"]["factor"])


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["none.json"], "latency table none.json: no such file"),
        (["litert-epyc-2-threads", "--n", 1], "--n"),
        (["litert-epyc-2-threads", "--rounds", 1], "--rounds"),
        (["litert-epyc-2-threads", "--n", 2, "--scale", 3], "lacks"),
    ],
)
def test_bad_input(run: Run, words: list, message: str):
    assert message in run("lut", "audit", *words).message


def test_a_table_of_a_runtime_that_is_not_here(run: Run, table: Path):
    assert "runtime 'invented' is unknown" in run("lut", "audit", table).message
    assert "invented" not in RUNTIMES


def test_a_foreign_price_is_named_beside_a_measured_time(
    run: Run, trained: Path, foreign: Path, tmp_path: Path
):
    storage, picked, net = tmp_path / "study.db", tmp_path / "p.json", tmp_path / "n.safetensors"
    assert run(*search_command(trained, foreign, storage, 2), "--size", "8x8").status == 0
    assert run("pick", "--storage", storage, "--study", "s", "--trial", 0, "--out", picked).status == 0
    assert json.loads(json.loads(picked.read_text())["lut_machine"])["device"] == describe_device(CPU)
    tune = ["finetune", picked, "--images", trained / "photos", "--max-steps", 1, "--device", "cpu"]
    tune += ["--discriminator", trained / "discriminator.safetensors", "--out", net]
    tuned = run(*tune)
    assert tuned.status == 0, tuned.err
    words = ["export", net, "--size", "8x8", "--photo", trained / "photos" / "photo_0.png", "--measure"]
    done = run(*words, "--threads", 1, "--out", tmp_path / "a.tflite")
    assert done.status == 0, done.err
    assert "is of another machine" in done.err
    assert "ms by a table of another machine)" in done.out
    again = run(*words, "--rescale", "--out", tmp_path / "b.tflite", "--json")
    assert "by the table, rescaled x" in json.loads(again.out)["price"]
    told = run("history", "--storage", storage, "--study", "s").out
    assert "ms by a table of another machine" in told
    assert "by the table, rescaled x" in told
