"""Several processes on one machine, started by torchrun as users start them."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from mfagan import checkpoint
from mfagan.sr.study.picked import Picked
from tests import ROOT, tiny
from tests.command import Result


def torchrun(n: int, *arguments: str) -> Result:
    command = [
        sys.executable,
        "-m",
        "torch.distributed.run",
        "--standalone",
        f"--nproc-per-node={n}",
        *arguments,
    ]
    environment = os.environ | {"PYTHONPATH": f"{ROOT}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"}
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=300, check=False, env=environment, cwd=ROOT
    )
    return Result(done.returncode, done.stdout, done.stderr)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["distilling", "elastic", "compiled"])
def test_two_processes_give_the_gradients_of_one(tmp_path: Path, kind: str):
    found = []
    for n in (1, 2):
        path = tmp_path / f"{n}.pt"
        run = torchrun(n, "tests/sr/gradients.py", kind, str(path))
        assert run.status == 0, run.err[-2000:]
        # A group that is left to the interpreter's end now and then aborts the process.
        assert run.out == "in no process group\n" * n
        found.append(torch.load(path))
    one, two = found
    assert (one["world"], two["world"]) == (1, 2)
    assert one["gradients"].keys() == two["gradients"].keys()
    assert any(gradient.abs().max() > 1e-3 for gradient in one["gradients"].values())
    for name, gradient in one["gradients"].items():
        torch.testing.assert_close(two["gradients"][name], gradient, rtol=1e-3, atol=1e-6, msg=name)


@pytest.mark.slow
def test_the_command_trains_on_two_processes(trained: Path, tmp_path: Path):
    """Same batches, same widths, so nearly the same weights; the first process alone writes and speaks."""
    recipe = tiny.write_recipe(tmp_path, batch=2)
    results = []
    for n in (1, 2):
        out = tmp_path / str(n)
        run = torchrun(
            n,
            *("-m", "mfagan", "train", str(recipe), "--images", str(trained / "photos")),
            *("--device", "cpu", "--out", str(out)),
        )
        assert run.status == 0, run.err[-2000:]
        assert run.answer.split() == [str(out / f"{name}.safetensors") for name in tiny.STAGE_FILES]
        results.append(checkpoint.read(out / "supergenerator.safetensors").state)
    one, two = results
    for name, weight in one.items():
        torch.testing.assert_close(two[name], weight, rtol=0, atol=2e-3, msg=name)


@pytest.mark.slow
def test_two_processes_stop_in_time_together(trained: Path, tmp_path: Path):
    """Both leave after the step that the first one's clock ends; one of them speaks, and the command continues."""
    recipe = tiny.write_recipe(tmp_path, batch=2)
    command = ("-m", "mfagan", "train", str(recipe), "--images", str(trained / "photos"), "--device", "cpu")
    command += ("--stage", "teacher", "--out", str(tmp_path / "w"))
    run = torchrun(2, *command, "--for", "1e-9")
    assert run.status == 0, run.err[-2000:]
    assert (
        run.answer == "stage teacher stopped at step 1 of 2 after 1e-09 minutes; the same command continues\n"
    )
    run = torchrun(2, *command)
    assert run.status == 0, run.err[-2000:]
    assert run.answer == f"{tmp_path / 'w' / 'teacher.safetensors'}\n"


@pytest.mark.slow
def test_fine_tuning_on_two_processes_speaks_once(trained: Path, tmp_path: Path):
    supernet, picked, out = trained / "supergenerator.safetensors", tmp_path / "picked.json", tmp_path / "x"
    sha256 = checkpoint.sha256(supernet)
    Picked("s", 0, (24,) * 8, 30.0, 1.0, 1, 1, 1, "", str(supernet), sha256).save(picked)
    run = torchrun(
        2,
        *("-m", "mfagan", "finetune", str(picked), "--recipe", str(tiny.write_recipe(tmp_path, batch=2))),
        *("--discriminator", str(trained / "discriminator.safetensors"), "--images", str(trained / "photos")),
        *("--device", "cpu", "--out", str(out)),
    )
    assert run.status == 0, run.err[-2000:]
    record = checkpoint.read(out, "mfanet", "subgenerator").record
    assert run.answer == (
        f"{out}: PSNR-Y {record['psnr_before_db']:.3f} dB before, {record['psnr_after_db']:.3f} dB after "
        f"(best at step {record['best_step']} of 4)\n"
    )


@pytest.mark.slow
def test_a_batch_that_cannot_be_shared_is_refused(trained: Path, tmp_path: Path):
    run = torchrun(
        2,
        *("-m", "mfagan", "train", str(trained / "tiny.toml"), "--images", str(trained / "photos")),
        *("--device", "cpu", "--out", str(tmp_path)),
    )
    assert run.status != 0
    assert "mfagan: error: a batch of 1 cannot be shared by 2 processes" in run.err
