"""The whole way through the command line at the scales that the demo does not show."""

import json
from pathlib import Path

import pytest

from mfagan import checkpoint
from mfagan.data.splits import read_pairs
from mfagan.deploy.tflite.litert import max_abs_difference
from mfagan.evaluation.scores import mean_psnr_db, super_resolve
from mfagan.sr.kinds import load_generator
from tests import tiny
from tests.command import Result, Run


@pytest.mark.slow
@pytest.mark.parametrize("scale", [2, 3])
def test_from_training_to_export(run: Run, tmp_path: Path, scale: int):
    photos = tiny.write_photos(tmp_path / "photos", side=97)  # a multiple of no scale
    recipe, weights = tiny.write_recipe(tmp_path, scale=scale), tmp_path / "weights"
    lut, picked = tmp_path / "lut.json", tmp_path / "picked.json"
    small, model = tmp_path / "small.safetensors", tmp_path / "small.tflite"

    def call(*arguments: object) -> Result:
        done = run(*arguments)
        assert done.status == 0, done.err
        return done

    call("train", recipe, "--out", weights, "--images", photos, "--device", "cpu")
    supernet = weights / "supergenerator.safetensors"
    assert checkpoint.read(supernet).config["scale"] == scale

    call("lut", "build", "--scale", scale, "--size", "8x8", "--rounds", 1, "--out", lut)
    table = json.loads(lut.read_text())
    assert f" --scale {scale}" in table["command"]
    assert f"fusion/t48/f48/x{scale}" in table["entries"]

    study = ["--storage", tmp_path / "study.db", "--study", "s"]
    search = ["search", "--supernet", supernet, "--images", photos, "--crop", 48, "--max-images", 1, *study]
    search += ["--trials", 4, "--population", 4, "--device", "cpu"]
    call(*search, "--lut", lut, "--size", "8x8")
    call("pick", *study, "--knee", "--out", picked)
    tune = ["finetune", picked, "--discriminator", weights / "discriminator.safetensors"]
    call(*tune, "--images", photos, "--out", small, "--device", "cpu")
    network = load_generator(small)
    assert network.scale == scale
    assert network.config()["widths"] == json.loads(picked.read_text())["widths"]

    scored = json.loads(call("evaluate", small, "--images", photos, "--no-latency", "--json").out)
    assert scored["scale"] == scale
    found = [image["psnr_db"] for image in scored["rows"][1]["sets"]["photos"]["images"]]
    expected = mean_psnr_db(network, read_pairs(photos, scale))
    assert sum(found) / len(found) == pytest.approx(expected, abs=1e-6)

    written = ["--out", model, "--json"]
    done = call("export", small, "--size", "12x16", "--photo", photos / "photo_1.png", *written)
    assert json.loads(done.out)["max_abs_difference"] < 1e-4
    image = read_pairs(photos, scale)[0].lr[:, :12, :16]
    assert super_resolve(network, image).shape == (3, 12 * scale, 16 * scale)
    assert max_abs_difference(model.read_bytes(), network, image) < 1e-4


@pytest.mark.slow
def test_a_table_of_another_scale_is_refused(run: Run, trained: Path, tmp_path: Path):
    lut = tiny.write_table(tmp_path / "lut.json", scale=2)
    search = ["search", "--supernet", trained / "supergenerator.safetensors", "--images", trained / "photos"]
    message = run(*search, "--lut", lut, "--storage", tmp_path / "study.db", "--device", "cpu").message
    assert "fusion/t48/f48/x4" in message
    assert not (tmp_path / "study.db").exists()
