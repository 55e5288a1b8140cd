"""`mfagan train` where it ends early, and its sources of images."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from mfagan import checkpoint
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
