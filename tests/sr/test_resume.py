"""A real process, killed with -9 in the middle, and the same command again."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from mfagan import checkpoint
from tests import ROOT, tiny


def start(recipe: Path, photos: Path, out: Path) -> subprocess.Popen:
    command = [sys.executable, "-m", "mfagan", "train", str(recipe), "--images", str(photos)]
    command += ["--out", str(out), "--device", "cpu"]
    environment = os.environ | {"PYTHONPATH": f"{ROOT}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"}
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    )


def finish(process: subprocess.Popen) -> str:
    out, err = process.communicate(timeout=300)
    assert process.returncode == 0, err[-2000:]
    return out


@pytest.mark.slow
def test_killed_with_9_and_started_again_it_ends_with_the_same_bits(trained: Path, tmp_path: Path):
    """Killed in a stage with a discriminator and again in the SuperGenerator's, each after a snapshot."""
    recipe = tiny.write_recipe(tmp_path, steps=40, checkpoint_every=3)
    photos = trained / "photos"
    finish(start(recipe, photos, tmp_path / "whole"))
    killed = tmp_path / "killed"
    for state in ("student.state", "supergenerator.state"):
        process = start(recipe, photos, killed)
        deadline = time.monotonic() + 240
        while not (killed / state).exists():
            assert process.poll() is None, process.stderr
            assert time.monotonic() < deadline
            time.sleep(0.005)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        assert process.returncode == -signal.SIGKILL
        assert (killed / state).exists()
        assert not list(killed.glob("*.tmp"))
    finish(start(recipe, photos, killed))
    assert not list(killed.glob("*.state"))
    names = sorted(path.name for path in (tmp_path / "whole").glob("*.safetensors"))
    assert len(names) == 6
    for name in names:
        whole, resumed = (checkpoint.read(folder / name).state for folder in (tmp_path / "whole", killed))
        assert whole.keys() == resumed.keys()
        assert all(torch.equal(whole[weight], resumed[weight]) for weight in whole), name


@pytest.mark.slow
def test_finished_stages_are_left_and_others_refused(trained: Path, tmp_path: Path):
    recipe, photos = tiny.write_recipe(tmp_path), trained / "photos"
    finish(start(recipe, photos, tmp_path / "out"))
    before = {path: path.read_bytes() for path in (tmp_path / "out").glob("*.safetensors")}
    finish(start(recipe, photos, tmp_path / "out"))
    assert {path: path.read_bytes() for path in before} == before
    process = start(tiny.write_recipe(tmp_path, batch=2), photos, tmp_path / "out")
    _, err = process.communicate(timeout=300)
    assert process.returncode == 2
    assert "teacher.safetensors was made with other settings (recipe.batch was 1, now 2)" in err
    assert {path: path.read_bytes() for path in before} == before
