"""`mfagan train` where it ends early, and its sources of images."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from PIL import Image

from mfagan import checkpoint
from mfagan.sr.study.picked import Picked
from mfagan.training.snapshot import read_snapshot
from tests import ROOT, tiny
from tests.command import Run


def test_several_folders_of_images(run: Run, trained: Path, tmp_path: Path):
    folders = [tiny.write_photos(tmp_path / name, n=2, side=64) for name in ("a", "b")]
    command = [
        "train",
        trained / "tiny.toml",
        "--out",
        tmp_path / "w",
        "--stage",
        "teacher",
        "--device",
        "cpu",
    ]
    done = run(*command, "--images", folders[0], "--images", folders[1], "--max-steps", 1)
    assert done.status == 0, done.err
    record = checkpoint.read(tmp_path / "w" / "teacher.safetensors").record
    assert record["images"] == [str(folder) for folder in folders]
    assert record["training_images"] == ["photo_0", "photo_0"]
    assert record["validation_images"] == ["photo_1", "photo_1"]
    assert str(record["command"]).startswith(f"mfagan train {trained / 'tiny.toml'} --out ")
    validated = run(
        *command, "--images", folders[0], "--validation", folders[1], "--max-steps", 1, "--restart"
    )
    assert validated.status == 0, validated.err
    record = checkpoint.read(tmp_path / "w" / "teacher.safetensors").record
    assert record["training_images"] == record["validation_images"] == ["photo_0", "photo_1"]
    twice = run(*command, "--images", folders[0], "--images", folders[0]).message
    assert "given to train on twice" in twice


@pytest.mark.parametrize(
    ("checkpoint_every", "last"),
    [
        (1, "the last good checkpoint is {state} at step {good};"),
        (100, "no good checkpoint has been written;"),
    ],
)
def test_a_training_that_diverges_ends_in_one_line(
    run: Run, trained: Path, tmp_path: Path, checkpoint_every: int, last: str
):
    recipe = tiny.write_recipe(tmp_path, steps=9, checkpoint_every=checkpoint_every)
    recipe.write_text(recipe.read_text().replace("learning_rate = 1e-4", "learning_rate = 1e6"))
    out = tmp_path / "w"
    done = run("train", recipe, "--images", trained / "photos", "--out", out, "--device", "cpu")
    message = done.message
    step = int(message.split("diverged at step ")[1].split()[0])
    assert 0 < step < 9
    assert " (not finite: recon " in message
    assert "learning_rate 1e+06" in message
    # The weights after `step` steps were ruined already, those before the last step were the last good ones.
    assert last.format(state=out / "teacher.state", good=step - 1) in message
    assert "lower the learning rate" in message
    assert not list(out.glob("*.safetensors"))
    assert (out / "teacher.state").exists() == (checkpoint_every == 1)


def _listen_to_ctrl_c() -> None:
    """A shell starts what it runs in the background deaf to SIGINT, and its children inherit that."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def start(recipe: Path, photos: Path, out: Path) -> subprocess.Popen:
    command = [sys.executable, "-m", "mfagan", "train", str(recipe), "--images", str(photos)]
    command += ["--out", str(out), "--device", "cpu", "--stage", "teacher"]
    environment = os.environ | {"PYTHONPATH": f"{ROOT}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"}
    return subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
        preexec_fn=_listen_to_ctrl_c,
    )


@pytest.mark.slow
def test_ctrl_c_ends_quietly_and_the_same_command_goes_on(trained: Path, tmp_path: Path):
    recipe = tiny.write_recipe(tmp_path, steps=60, checkpoint_every=3)
    photos, state = trained / "photos", tmp_path / "stopped" / "teacher.state"
    process = start(recipe, photos, state.parent)
    deadline = time.monotonic() + 120
    while not state.exists():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.005)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 130, err[-2000:]
    assert out == ""
    assert "Traceback" not in err
    assert sorted(path.name for path in state.parent.iterdir()) == ["logs", "teacher.state"]
    found = torch.load(state, weights_only=True)
    snapshot = read_snapshot(state, found["identity"])
    assert snapshot is not None
    assert 0 < snapshot.step < 60
    states = []
    for folder in (state.parent, tmp_path / "whole"):
        process = start(recipe, photos, folder)
        _, err = process.communicate(timeout=240)
        assert process.returncode == 0, err[-2000:]
        states.append(checkpoint.read(folder / "teacher.safetensors").state)
    assert not state.exists()
    assert states[0].keys() == states[1].keys()
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])


# What is refused or reported before the work


def train_command(trained: Path, out: Path, *more: object) -> list[object]:
    command: list[object] = ["train", trained / "tiny.toml", "--images", trained / "photos", "--out", out]
    return [*command, "--device", "cpu", "--max-steps", 1, *more]


@pytest.mark.parametrize("name", ["teacher", "teacher_discriminator"])
def test_a_folder_where_a_checkpoint_would_be_written_is_refused_before_any_stage(
    run: Run, trained: Path, tmp_path: Path, name: str
):
    (tmp_path / f"{name}.safetensors").mkdir()
    message = run(*train_command(trained, tmp_path)).message
    assert f"cannot write {tmp_path / f'{name}.safetensors'}: it is a folder" in message
    assert [path.name for path in tmp_path.iterdir()] == [f"{name}.safetensors"]


@pytest.mark.parametrize("images", ["photos", "absent"])
def test_fine_tuning_refuses_a_discriminator_that_cannot_be_used(
    run: Run, trained: Path, tmp_path: Path, images: str
):
    """Before the images are looked for."""
    supernet, picked, out = (
        trained / "supergenerator.safetensors",
        tmp_path / "picked.json",
        tmp_path / "x.st",
    )
    sha256 = checkpoint.sha256(supernet)
    Picked("s", 0, (24,) * 8, 30.0, 1.0, 1, 1, 1, "", str(supernet), sha256).save(picked)
    command = ["finetune", picked, "--images", trained / images, "--device", "cpu", "--out", out]
    message = run(*command, "--discriminator", tmp_path / "missing").message
    assert f"checkpoint {tmp_path / 'missing'}: no such file" in message
    message = run(*command, "--discriminator", trained / "student.safetensors").message
    assert "its network is 'mfanet', a discriminator is needed here" in message
    assert not out.exists()


def test_a_cosine_excludes_halvings(run: Run, trained: Path, tmp_path: Path):
    recipe = tiny.write_recipe(tmp_path)
    text = recipe.read_text().replace(
        "[stages.distill]\n", "[stages.distill]\ncosine = true\nhalve_at = [1]\n"
    )
    recipe.write_text(text)
    message = run("train", recipe, "--images", trained / "photos", "--out", tmp_path / "w").message
    assert f"recipe {recipe}: stages.distill: cosine and halve_at exclude each other: remove one" in message


def test_settings_beyond_a_stages_length_are_reported(run: Run, trained: Path, tmp_path: Path):
    recipe = tiny.write_recipe(tmp_path)
    late = "[stages.teacher]\nhalve_at = [1, 2]\nwarm_up = 3\n"
    recipe.write_text(recipe.read_text().replace("[stages.teacher]\n", late))
    command = ["train", recipe, "--images", trained / "photos", "--device", "cpu", "--stage", "teacher"]
    done = run(*command, "--out", tmp_path / "w")
    assert done.status == 0, done.err
    assert (
        "mfagan: warning: recipe tiny: stage teacher ends at step 2: halve_at 2 is never reached" in done.err
    )
    assert "stage teacher ends at step 2: warm_up 3 is not finished" in done.err


# Pictures that are too small


def test_small_pictures_are_skipped_and_counted(run: Run, trained: Path, tmp_path: Path):
    photos = shutil.copytree(trained / "photos", tmp_path / "photos")
    for i, (width, height) in enumerate([(63, 200), (200, 63), (20, 20), (10, 10)]):
        Image.new("RGB", (width, height), "teal").save(photos / f"a_{i}.png")
    command = ["train", trained / "tiny.toml", "--images", photos, "--device", "cpu", "--stage", "teacher"]
    done = run(*command, "--max-steps", 1, "--out", tmp_path / "w")
    assert done.status == 0, done.err
    listed = ", ".join(str(photos / f"a_{i}.png") for i in (0, 1, 2))
    assert (
        f"mfagan: warning: 4 of 7 training images are smaller than 64x64 px and are skipped: {listed}, ...\n"
        in done.err
    )
    record = checkpoint.read(tmp_path / "w" / "teacher.safetensors").record
    assert record["training_images"] == ["photo_0", "photo_1", "photo_2"]


def test_pictures_that_are_all_too_small_are_refused(run: Run, trained: Path, tmp_path: Path):
    photos = tiny.write_photos(tmp_path / "photos", n=2, side=60)
    command = ["train", trained / "tiny.toml", "--device", "cpu", "--out", tmp_path / "w", "--max-steps", 1]
    message = run(*command, "--images", photos, "--validation", trained / "photos").message
    assert "all 2 training images are smaller than 64x64 px, among them" in message
    assert str(photos / "photo_0.png") in message


def test_small_validation_pictures_are_known_before_the_training(run: Run, trained: Path, tmp_path: Path):
    validation = tiny.write_photos(tmp_path / "validation", n=1, side=64)
    Image.new("RGB", (100, 17), "teal").save(validation / "strip.png")
    command = ["train", trained / "tiny.toml", "--images", trained / "photos", "--device", "cpu"]
    command += ["--stage", "teacher", "--max-steps", 1, "--out", tmp_path / "w", "--validation"]
    done = run(*command, validation)
    assert done.status == 0, done.err
    assert (
        f"1 of 2 validation images are smaller than 20x20 px and are skipped: {validation / 'strip.png'}"
        in done.err
    )
    (validation / "photo_0.png").unlink()
    assert "all 1 validation images are smaller than 20x20 px" in run(*command, validation).message


# VGG19


def test_vgg19_is_needed_by_stages_that_weigh_it_alone(run: Run, trained: Path, tmp_path: Path):
    recipe = tiny.write_recipe(tmp_path)
    recipe.write_text(recipe.read_text().replace('"where_present"', '"required"'))
    command = ["train", recipe, "--images", trained / "photos", "--device", "cpu", "--out", tmp_path / "w"]
    done = run(*command, "--stage", "teacher")
    assert done.status == 0, done.err
    assert "vgg19" not in done.err
    message = run(*command).message
    assert (
        "recipe tiny needs the perceptual loss in teacher_gan, distill, supernet: vgg19's weights" in message
    )
    recipe.write_text(recipe.read_text().replace("percep = 1, ", "").replace(", percep = 1", ""))
    done = run(*command, "--max-steps", 1, "--restart")
    assert done.status == 0, done.err
    assert "vgg19" not in done.err
