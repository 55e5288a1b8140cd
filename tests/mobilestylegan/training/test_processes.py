"""Commands as processes of their own: some that are killed with -9, and two that share a training."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from mfagan import checkpoint
from tests import ROOT
from tests.mobilestylegan.training.small import write_student_recipe, write_teacher, write_teacher_recipe
from tests.tiny import write_photos

TORCHRUN = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2")
COMMAND = ("-m", "mfagan", "mobilestylegan")
Command = list[object]


def start(*arguments: object) -> subprocess.Popen:
    environment = os.environ | {"PYTHONPATH": f"{ROOT}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"}
    return subprocess.Popen(
        [sys.executable, *map(str, arguments)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
        cwd=ROOT,
    )


def finish(process: subprocess.Popen) -> None:
    _, err = process.communicate(timeout=300)
    assert process.returncode == 0, err[-2000:]


def train_supernet(folder: Path, steps: int = 100, batch: int = 2) -> Command:
    """A weight-shared student and its discriminator."""
    teacher = write_teacher(folder / "teacher.safetensors")
    recipe = write_student_recipe(folder, adv=0.1, steps=steps)
    recipe.write_text(recipe.read_text().replace("batch = 2", f"batch = {batch}"))
    return [*COMMAND, "train", recipe, "--teacher", teacher, "--stage", "supernet", "--device", "cpu"]


def train_teacher(folder: Path, steps: int = 60) -> Command:
    """A StyleGAN2 and its discriminator, on pictures."""
    photos = write_photos(folder / "photos", n=3, side=32)
    recipe = write_teacher_recipe(folder, "pictures", steps)
    return [*COMMAND, "teacher", recipe, "--images", photos, "--device", "cpu"]


@pytest.mark.slow
@pytest.mark.parametrize(("command", "name"), [(train_supernet, "supernet"), (train_teacher, "teacher")])
def test_killed_with_9_and_started_again_it_ends_with_the_same_bits(
    tmp_path: Path, command: Callable[[Path], Command], name: str
):
    words = command(tmp_path)
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    finish(start(*words, "--out", whole))
    process = start(*words, "--out", killed)
    deadline, state = time.monotonic() + 240, killed / f"{name}.state"
    while not state.exists():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert process.returncode == -signal.SIGKILL
    assert state.exists()
    finish(start(*words, "--out", killed))
    one, other = (checkpoint.read(folder / f"{name}.safetensors") for folder in (whole, killed))
    records = [
        {key: value for key, value in each.record.items() if key != "command"} for each in (one, other)
    ]
    assert records[0] == records[1]
    assert one.state.keys() == other.state.keys()
    assert all(torch.equal(one.state[key], other.state[key]) for key in one.state)


@pytest.mark.slow
def test_two_processes_train_nearly_what_one_does(tmp_path: Path):
    """They share each batch; the deviation among the discriminator's images alone is of one process's share."""
    words = train_supernet(tmp_path, steps=8, batch=4)
    finish(start(*words, "--out", tmp_path / "one"))
    finish(start(*TORCHRUN, *words, "--out", tmp_path / "two"))
    one, two = (checkpoint.read(tmp_path / name / "supernet.safetensors") for name in ("one", "two"))
    assert one.record["psnr_db"] == pytest.approx(two.record["psnr_db"], abs=0.2)
    for name, weight in one.state.items():
        assert (weight - two.state[name]).abs().mean() < 0.02, name
    assert not list((tmp_path / "two").glob("*.state"))


@pytest.mark.slow
def test_two_processes_train_a_teacher_on_pictures(tmp_path: Path):
    words = train_teacher(tmp_path, steps=6)
    finish(start(*TORCHRUN, *words, "--out", tmp_path / "two"))
    found = checkpoint.read(tmp_path / "two" / "teacher.safetensors")
    assert found.record["steps"] == 6
    assert all(torch.isfinite(one).all() for one in found.state.values())
