"""`mfagan coronetgan ratios`: trainings of several ratios and slices of a study, exported and measured."""

import json
from pathlib import Path

import pytest

from tests.command import Run
from tests.coronetgan.experiments.tiny import write_recipe


def command(recipe: Path, out: Path, *more: object) -> list[object]:
    given = ["--data", "drawings", "--ratios", "0.7,0.4", "--device", "cpu", "--rounds", 1]
    return ["coronetgan", "ratios", recipe, "--out", out, *given, *more]


def test_each_ratio_is_trained_exported_and_measured(run: Run, tmp_path: Path):
    recipe, out = write_recipe(tmp_path / "tiny.toml"), tmp_path / "out"
    done = run(*command(recipe, out))
    assert done.status == 0, done.err
    rows = json.loads((out / "ratios.json").read_text())["rows"]
    assert [row["asked, or trial"] for row in rows] == ["1", "0.7", "0.4"]
    assert [row["within one channel"] for row in rows] == [None, "yes", "yes"]
    assert rows[0]["latency of dense"] == 1
    assert all(row["latency TFLite"] > 0 for row in rows)
    assert rows[1]["MACs"] > rows[2]["MACs"]
    for name in ("dense/dense", "ratio_0.7/pruned", "ratio_0.4/pruned"):
        assert (out / f"{name}.tflite").stat().st_size > 1000
    page = (out / "ratios.html").read_text()
    assert "latency in LiteRT (ms)" in page
    assert "each ratio trained (2)" in page


def test_slices_of_a_study_stand_beside_them(run: Run, slice_files: dict[str, Path], tmp_path: Path):
    storage, out = tmp_path / "study.db", tmp_path / "out"
    given = [word for name in ("lut", "supernet", "data") for word in (f"--{name}", slice_files[name])]
    study = ["--storage", storage, "--study", "s"]
    searched = run("coronetgan", "search", *given, *study, "--trials", 6, "--device", "cpu")
    assert searched.status == 0, searched.err
    recipe = write_recipe(tmp_path / "tiny.toml", base=4, side=32)
    done = run(*command(recipe, out, *study, "--ratios", "0.8", "--max-slices", 2))
    assert done.status == 0, done.err
    rows = json.loads((out / "ratios.json").read_text())["rows"]
    slices = [row for row in rows if row["way"] == "slices of one network"]
    assert len(rows) == 2 + len(slices)
    assert 1 <= len(slices) <= 2
    assert all(row["asked, or trial"].startswith("trial ") for row in slices)
    assert all(0 < row["ratio"] <= 1 for row in slices)
    assert [row["ratio"] for row in slices] == sorted(row["ratio"] for row in slices)
    assert len(list((out / "slices").glob("trial_*.tflite"))) == len(slices)
    assert f"slices of one network ({len(slices)})" in (out / "ratios.html").read_text()

    wider = write_recipe(tmp_path / "wider.toml", base=8, side=32)
    message = run(*command(wider, tmp_path / "wider", *study, "--ratios", "0.8")).message
    assert "give the recipe that it was trained with" in message


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["--ratios", "0.7,x"], "ratios '0.7,x': give numbers joined by commas"),
        (["--ratios", "0.5,0.5"], "give one or more, each once"),
        (["--ratios", "0.5,0.001"], "ratio 0.001: 4 channels of every layer already leave"),
        (["--storage", "x.db"], "give both --storage and --study"),
        (["--max-steps", 2], "a course of 2 steps at learning rate 0.01 is too short"),
    ],
)
def test_what_cannot_be_tabulated_is_refused(run: Run, tmp_path: Path, more: list[object], message: str):
    recipe = write_recipe(tmp_path / "tiny.toml")
    assert message in run(*command(recipe, tmp_path / "out", *more)).message
    assert list(tmp_path.rglob("*.safetensors")) == []
