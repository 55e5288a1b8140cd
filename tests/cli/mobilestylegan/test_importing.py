"""`mfagan mobilestylegan import`."""

import json
from pathlib import Path

import torch

from mfagan.mobilestylegan.kinds import load_generator
from tests.command import Run
from tests.mobilestylegan.random_files import stylegan2_state


def test_a_public_teacher_becomes_a_checkpoint(run: Run, tmp_path: Path):
    state = stylegan2_state((16, 16, 8), 8, 2)
    torch.save({"g_ema": state}, tmp_path / "public.pt")
    done = run(
        "mobilestylegan",
        "import",
        tmp_path / "public.pt",
        "--out",
        tmp_path / "teacher.safetensors",
        "--json",
    )
    assert done.status == 0, done.err
    answer = json.loads(done.answer)
    assert (answer["network"], answer["size"], answer["style_dim"]) == ("stylegan2", 16, 8)
    assert load_generator(tmp_path / "teacher.safetensors").size == 16


def test_nvidias_pickle_is_refused_in_one_line(run: Run, tmp_path: Path):
    (tmp_path / "ffhq.pkl").write_bytes(b"\x80\x04.")
    done = run("mobilestylegan", "import", tmp_path / "ffhq.pkl", "--out", tmp_path / "teacher.safetensors")
    assert done.status == 2
    assert "ffhq.pkl" in done.err
    assert done.err.count("\n") == 1
    assert not (tmp_path / "teacher.safetensors").exists()
