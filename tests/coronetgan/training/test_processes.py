"""The command as processes of their own: some that are killed with -9, and two that share a training."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from mfagan import checkpoint
from tests import ROOT
from tests.coronetgan.training.small import require_equal, write_domains, write_recipe

TORCHRUN = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2")
MODELS = ("pix2pix", "cyclegan")
FIRST = {"pix2pix": "", "cyclegan": "_a"}


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


def train(folder: Path, model: str, **settings: object) -> list[object]:
    recipe = write_recipe(folder, model, **settings)
    words = ["-m", "mfagan", "coronetgan", "train", recipe, "--data", write_domains(folder / "data")]
    return [*words, "--paired", "--ratio", 0.5, "--device", "cpu"]


@pytest.mark.slow
@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("stage", ["search", "pruned"])
def test_killed_with_9_and_started_again_it_ends_with_the_same_bits(tmp_path: Path, model: str, stage: str):
    words = train(tmp_path, model, steps=120, gamma=1.1, checkpoint_every=5)
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    finish(start(*words, "--out", whole))
    process = start(*words, "--out", killed)
    deadline, state = time.monotonic() + 240, killed / f"{stage}{FIRST[model]}.state"
    while not state.exists():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.002)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert process.returncode == -signal.SIGKILL
    assert state.exists()
    finish(start(*words, "--out", killed))
    for path in sorted(whole.glob("*.safetensors")):
        require_equal(path, killed / path.name)
    assert not list(killed.glob("*.state"))


@pytest.mark.slow
@pytest.mark.parametrize("model", MODELS)
def test_two_processes_train_what_one_does(tmp_path: Path, model: str):
    """They share each batch and hold the same pool: the first step is the same but for last bits, which Adam amplifies.

    Biases before a norm have no gradient but those bits.
    """
    words, end = train(tmp_path, model, batch=4), FIRST[model]
    few = [*words, "--stage", "dense", "--max-steps", 1]
    finish(start(*few, "--out", tmp_path / "one"))
    finish(start(*TORCHRUN, *few, "--out", tmp_path / "two"))
    one, two = (checkpoint.read(tmp_path / name / f"dense{end}.safetensors") for name in ("one", "two"))
    for name, weight in one.state.items():
        if name.endswith("weight"):
            assert (weight - two.state[name]).abs().mean() < 1e-6, name
    finish(start(*TORCHRUN, *words, "--out", tmp_path / "two"))
    record = checkpoint.read(tmp_path / "two" / f"pruned{end}.safetensors").record
    assert record[f"ratio_reached{end}"] == pytest.approx(0.48, abs=0.02)
    assert not list((tmp_path / "two").glob("*.state"))
