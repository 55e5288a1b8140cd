"""`mfagan coronetgan compare`: every way on the smallest translators, by its table and its files."""

import json
from pathlib import Path

import pytest
from PIL import Image

from tests.command import Run
from tests.coronetgan.experiments.tiny import write_recipe

WAYS = ("dense", "uniform", "rescaled", "masked", "published", "magnitude", "distilled")


def command(recipe: Path, out: Path, *more: object) -> list[object]:
    given = ["--data", "drawings", "--ratio", 0.5, "--device", "cpu"]
    return ["coronetgan", "compare", recipe, "--out", out, *given, *more]


def test_every_way_reaches_the_ratio_and_is_tabulated(run: Run, tmp_path: Path):
    recipe, out = write_recipe(tmp_path / "tiny.toml"), tmp_path / "out"
    done = run(*command(recipe, out, "--seeds", 2, "--json"))
    assert done.status == 0, done.err
    table = json.loads((out / "compare.json").read_text())
    assert [one["seed"] for one in table["seeds"]] == [0, 1]
    rows = table["rows"]
    assert rows[0]["ratio"] == 1
    assert all(0.4 < row["ratio"] <= 0.5 for row in rows[1:])
    for seed in table["seeds"]:
        ways = {name: each[0] for name, each in seed["ways"].items()}
        assert tuple(ways) == WAYS
        assert {one["steps"] for one in ways.values()} == {8}
        assert ways["uniform"]["params"] < ways["dense"]["params"]
        assert all(one["minutes"] > 0 for one in ways.values())
        assert ways["distilled"]["minutes_in_all"] > ways["distilled"]["minutes"]
        assert ways["uniform"]["minutes_in_all"] == ways["uniform"]["minutes"]
        assert seed["step_times_ms"].keys() == {"rescaled", "masked", "published"}
    mean = [sum(one["ways"]["dense"][0]["psnr_db"] for one in table["seeds"]) / 2, rows[0]["PSNR"]]
    assert mean[0] == pytest.approx(mean[1])
    assert "| dense, small filters dropped, trained further |" in (out / "compare.md").read_text()
    assert Image.open(out / "compare.png").size[0] == 9 * 96 + 8 * 8

    times = {path: path.stat().st_mtime_ns for path in out.rglob("*.safetensors")}
    again = run(*command(recipe, out, "--seeds", 2))
    assert again.status == 0, again.err
    assert times == {path: path.stat().st_mtime_ns for path in out.rglob("*.safetensors")}


def test_cyclegan_has_a_row_for_each_direction(run: Run, tmp_path: Path):
    recipe, out = write_recipe(tmp_path / "tiny.toml", "cyclegan"), tmp_path / "out"
    done = run(*command(recipe, out, "--way", "uniform", "--json"))
    assert done.status == 0, done.err
    rows = json.loads((out / "compare.json").read_text())["rows"]
    assert [row["translator"] for row in rows] == ["A to B", "B to A"] * 2


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["--way", "luck"], "way 'luck': choose from dense, uniform, rescaled"),
        (["--ratio", 1.5], "ratio 1.5: give a share of the MACs"),
        (["--max-steps", 2], "a course of 2 steps at learning rate 0.01 is too short"),
    ],
)
def test_what_cannot_be_compared_is_refused(run: Run, tmp_path: Path, more: list[object], message: str):
    recipe = write_recipe(tmp_path / "tiny.toml")
    assert message in run(*command(recipe, tmp_path / "out", *more)).message
    assert list(tmp_path.rglob("*.safetensors")) == []
