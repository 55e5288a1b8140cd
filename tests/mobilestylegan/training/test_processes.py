"""Processes of their own: one that is killed with -9, and two that share a training."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from mfagan import checkpoint
from tests import ROOT
from tests.mobilestylegan.training.small import write_teacher

MODULE = "tests.mobilestylegan.training.start"
TORCHRUN = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2", "-m", MODULE)


def start(*arguments: object) -> subprocess.Popen:
    environment = os.environ | {"PYTHONPATH": f"{ROOT}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"}
    return subprocess.Popen(
        [sys.executable, *map(str, arguments)], stderr=subprocess.PIPE, text=True, env=environment, cwd=ROOT
    )


def finish(process: subprocess.Popen) -> None:
    _, err = process.communicate(timeout=300)
    assert process.returncode == 0, err[-2000:]


@pytest.mark.slow
def test_killed_with_9_and_started_again_it_ends_with_the_same_bits(tmp_path: Path):
    teacher = write_teacher(tmp_path / "teacher.safetensors")
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    finish(start("-m", MODULE, teacher, whole, 2, 100))
    process = start("-m", MODULE, teacher, killed, 2, 100)
    deadline = time.monotonic() + 240
    while not (killed / "supernet.state").exists():
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert process.returncode == -signal.SIGKILL
    assert (killed / "supernet.state").exists()
    finish(start("-m", MODULE, teacher, killed, 2, 100))
    one, other = (checkpoint.read(folder / "supernet.safetensors") for folder in (whole, killed))
    assert one.record == other.record
    assert all(torch.equal(one.state[name], other.state[name]) for name in one.state)


@pytest.mark.slow
def test_two_processes_train_nearly_what_one_does(tmp_path: Path):
    """They share each batch; the deviation among the discriminator's images alone is of one process's share."""
    teacher = write_teacher(tmp_path / "teacher.safetensors")
    finish(start("-m", MODULE, teacher, tmp_path / "one", 4, 8))
    finish(start(*TORCHRUN, teacher, tmp_path / "two", 4, 8))
    one, two = (checkpoint.read(tmp_path / name / "supernet.safetensors") for name in ("one", "two"))
    assert one.record["psnr_db"] == pytest.approx(two.record["psnr_db"], abs=0.2)
    for name, weight in one.state.items():
        assert (weight - two.state[name]).abs().mean() < 0.02, name
    assert not list((tmp_path / "two").glob("*.state"))
