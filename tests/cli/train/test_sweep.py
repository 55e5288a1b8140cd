"""`mfagan sweep`, called as a user calls it; the fixture `run` is a `Run`."""

import json
from pathlib import Path

import pytest

from mfagan import checkpoint
from tests import tiny
from tests.command import Run


def prepare(folder: Path, *more: object) -> list[object]:
    recipe = tiny.write_recipe(folder)
    photos = tiny.write_photos(folder / "photos", n=3, side=96)
    held_out = tiny.write_photos(folder / "validation", n=1, side=64)
    command = ["sweep", recipe, "--images", photos, "--validation", held_out, "--out", folder / "out"]
    return [*command, "--device", "cpu", "--width", 2, *more]


def read_rows(folder: Path) -> list[dict]:
    return json.loads((folder / "out" / "sweep.json").read_text(), parse_constant=pytest.fail)["rows"]


def test_a_grid_of_settings_is_trained_and_ordered(run: Run, tmp_path: Path):
    grid = ["--learning-rate", 1e-3, "--learning-rate", 3e-2, "--batch", 1, "--batch", 2, "--crop", 16]
    command = prepare(tmp_path, *grid, "--steps", 3)
    done = run(*command)
    assert done.status == 0, done.err
    rows = read_rows(tmp_path)
    assert {(row["learning rate"], row["batch"]) for row in rows} == {
        (1e-3, 1),
        (1e-3, 2),
        (3e-2, 1),
        (3e-2, 2),
    }
    assert all((row["crop"], row["steps"]) == (16, 3) for row in rows)
    scores = [row["validation PSNR-Y"] for row in rows]
    assert scores == sorted(scores, reverse=True)
    for row in rows:
        assert row["seen"] == pytest.approx(3 * row["batch"] * 16**2 / 1e6)
        folder = tmp_path / "out" / f"rate_{row['learning rate']:g}_batch_{row['batch']}_crop_16"
        record = checkpoint.read(folder / "teacher.safetensors").record
        assert record["validation_psnr_db"] == row["validation PSNR-Y"]
        assert record["recipe"]["stages"]["teacher"]["learning_rate"] == row["learning rate"]  # type: ignore[index]
    text = (tmp_path / "out" / "sweep.md").read_text()
    assert f"{scores[0]:.3f} |" in text
    assert "MFANet of width 2 everywhere from scratch, on L1 alone. 3 steps each.\n" in text
    assert "\nMachine: " in text
    assert text.endswith(" --steps 3`\n")
    assert done.out.startswith("Learning rates, batches and crops on the validation set\n")
    assert f"{scores[-1]:.3f}" in done.out


def test_the_same_command_trains_what_is_missing(run: Run, tmp_path: Path):
    command = prepare(tmp_path, "--learning-rate", 1e-3, "--steps", 2)
    assert run(*command).status == 0
    (first,) = (tmp_path / "out").glob("*/teacher.safetensors")
    made = first.stat().st_mtime_ns
    done = run(*command, "--learning-rate", 2e-3)
    assert done.status == 0, done.err
    assert first.stat().st_mtime_ns == made
    assert len(read_rows(tmp_path)) == 2
    message = run(*command, "--steps", 3).message
    assert f"{first} was made with other settings (steps was 2, now 3)" in message


def test_equal_times_have_the_steps_that_were_measured(run: Run, tmp_path: Path):
    command = prepare(tmp_path, "--crop", 16, "--crop", 20)
    done = run(*command, "--minutes", 0.002)
    assert done.status == 0, done.err
    rows = read_rows(tmp_path)
    for row in rows:
        folder = tmp_path / "out" / f"rate_0.0001_batch_1_crop_{row['crop']}"
        length = json.loads((folder / "length.json").read_text())
        assert (length["minutes"], length["steps"]) == (0.002, row["steps"])
        assert checkpoint.read(folder / "teacher.safetensors").record["steps"] == row["steps"] >= 1
    assert run(*command, "--minutes", 0.002).status == 0
    assert read_rows(tmp_path) == rows
    message = run(*command, "--minutes", 0.003).message
    assert (
        "length.json: the training was timed for 0.002 minutes, now --minutes 0.003: give another" in message
    )
    (tmp_path / "out" / "rate_0.0001_batch_1_crop_16" / "length.json").write_text("[]")
    assert "length.json: not what a sweep wrote" in run(*command, "--minutes", 0.002).message


def test_a_training_that_diverges_does_not_end_the_sweep(run: Run, tmp_path: Path):
    command = prepare(tmp_path, "--learning-rate", 1e12, "--learning-rate", 1e-3, "--steps", 6)
    done = run(*command)
    assert done.status == 0, done.err
    assert "warning: rate_1e+12_batch_1_crop_16: training diverged at step" in done.err
    first, second = read_rows(tmp_path)
    assert first["learning rate"] == 1e-3
    assert second["validation PSNR-Y"] is None
    assert "A training without a score has diverged." in (tmp_path / "out" / "sweep.md").read_text()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ([], "give one of --steps and --minutes"),
        (["--steps", 1, "--minutes", 1], "give one of --steps and --minutes"),
        (["--minutes", "nan"], "--minutes nan: give a positive number of minutes"),
        (["--minutes", 0], "--minutes 0: give a positive number of minutes"),
        (["--steps", 1, "--learning-rate", 0], "--learning-rate 0: give a positive number"),
        (["--steps", 1, "--learning-rate", "inf"], "--learning-rate inf: give a positive number"),
        (["--steps", 1, "--crop", 8], "'--crop': Input should be greater than or equal to 16"),
        (["--steps", 1, "--crop", 64], "all 3 training images are smaller than 256x256 px"),
    ],
)
def test_sweeps_that_cannot_be(run: Run, tmp_path: Path, options: list[object], message: str):
    assert message in run(*prepare(tmp_path, *options)).message
    assert not list((tmp_path / "out").glob("*"))
