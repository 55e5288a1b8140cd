"""`mfagan coronetgan train`."""

import json
from pathlib import Path

import pytest

from mfagan import checkpoint
from tests.command import Run
from tests.coronetgan.training.small import write_domains, write_recipe

GROUP = "coronetgan"


def test_a_pruned_network_of_drawings(run: Run, tmp_path: Path):
    out = tmp_path / "out"
    command = [GROUP, "train", write_recipe(tmp_path), "--data", "drawings", "--ratio", 0.5, "--out", out]
    done = run(*command, "--device", "cpu", "--json")
    assert done.status == 0, done.err
    path = out / "pruned.safetensors"
    answer = json.loads(done.answer)
    assert answer["checkpoints"] == [str(out / "search.safetensors"), str(path)]
    figures, record = answer["figures"][str(path)], checkpoint.read(path).record
    assert figures == {
        name: record[name]
        for name in ("psnr_db", "ratio_reached", "landed_at", "training_minutes", "ratio_asked")
    }
    assert str(record["command"]).startswith("mfagan coronetgan train ")
    assert "ratio 0.5 will be reached after about" in done.err
    assert "stage search trains" in done.err
    again = run(*command, "--device", "cpu")
    assert "pruned is finished already" in again.err
    assert f"{path}: {record['psnr_db']:.2f} dB on held-out pairs, ratio 0." in again.out
    assert f"next: mfagan coronetgan translate {path} PICTURES --out {out / 'translated'}" in again.out


def test_both_ways_of_a_folder(run: Run, tmp_path: Path):
    out, data = tmp_path / "out", write_domains(tmp_path / "data")
    command = [GROUP, "train", write_recipe(tmp_path), "--model", "cyclegan", "--data", data, "--out", out]
    command += ["--stage", "dense", "--stage", "uniform", "--ratio", 0.6, "--device", "cpu"]
    done = run(*command, "--json")
    assert done.status == 0, done.err
    names = [f"{stage}_{end}.safetensors" for stage in ("dense", "uniform") for end in "ab"]
    answer = json.loads(done.answer)
    assert answer["checkpoints"] == [str(out / name) for name in names]
    assert "cycle_psnr_db" in answer["figures"][str(out / names[0])]
    assert "14 steps are 14.0 epochs of 2 pictures of A and 2 of B" in done.err
    then = f"mfagan coronetgan translate {out / 'uniform_a.safetensors'} {data / 'testA'} --out {out / 'translated'}"
    assert f"next: {then}" in run(*command).out
    assert run(*then.split()[1:], "--device", "cpu").status == 0


def test_settings_of_pruning_are_given_beside_the_recipe(run: Run, tmp_path: Path):
    out = tmp_path / "out"
    more = ["--mask", "bake", "--round-to", 2, "--gamma", 10, "--tau", 1e-2, "--direction", "BtoA"]
    command = [GROUP, "train", write_recipe(tmp_path), "--data", "drawings", "--ratio", 0.5, "--out", out]
    done = run(*command, *more, "--stage", "search", "--device", "cpu")
    assert done.status == 0, done.err
    recipe = checkpoint.read(out / "search.safetensors").record["recipe"]
    assert isinstance(recipe, dict)
    given = {"mask": "bake", "round_to": 2, "gamma": 10, "tau": 1e-2, "direction": "BtoA"}
    assert {name: recipe[name] for name in given} == given


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ([], "give --ratio, the share of the multiply-accumulates that shall be left"),
        (["--ratio", 0], "ratio 0.0: give a share of the MACs, above 0 and at most 1"),
        (["--ratio", 2], "ratio 2.0: give a share of the MACs"),
        (["--ratio", 0.001], "ratio 0.001: 4 channels of every layer already leave"),
        (
            ["--ratio", 0.5, "--max-steps", 4],
            "a course of 4 steps at learning rate 0.01 is too short for it; give",
        ),
        (["--ratio", 0.5, "--gamma", 0], "recipe tiny: gamma: Input should be greater than 0 (found 0.0)"),
        (["--ratio", 0.5, "--tau", -1], "recipe tiny: tau: Input should be greater than 0 (found -1.0)"),
        (["--ratio", 0.5, "--stage", "gan"], "stage 'gan': choose from dense, uniform, search, pruned"),
        (["--ratio", 0.5, "--stage", "pruned"], "search.safetensors: no such file"),
        (["--stage", "dense", "--init", "x"], "--init: no stage of dense starts from a given file"),
        (["--ratio", 0.5, "--init", "x.safetensors"], "x.safetensors: no such file"),
        (["--ratio", 0.5, "--for", 0], "--for: the time limit is 0 minutes"),
    ],
)
def test_bad_input_is_refused_in_one_line(run: Run, tmp_path: Path, options: list, message: str):
    command = [GROUP, "train", write_recipe(tmp_path), "--data", "drawings", "--out", tmp_path / "out"]
    done = run(*command, *options, "--device", "cpu")
    assert done.status != 0
    assert message in done.err
    assert "Traceback" not in done.err


def test_pairs_must_be_asked_for(run: Run, tmp_path: Path):
    data = write_domains(tmp_path / "data")
    command = [GROUP, "train", write_recipe(tmp_path), "--data", data, "--out", tmp_path / "out"]
    done = run(*command, "--stage", "dense", "--device", "cpu")
    assert done.status != 0
    assert "holds unpaired pictures: give --paired" in done.err
    assert run(*command, "--stage", "dense", "--device", "cpu", "--paired").status == 0
