"""Small real parts for tests: photos, a recipe, a trained pipeline, a latency table with invented figures."""

import json
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from mfagan import checkpoint, pretrained
from mfagan.sr.study.block_lists import every_block
from mfagan.sr.training.run import SRRun, SRRunOptions, prepare_run
from mfagan.sr.training.stages import read_recipe, train

RECIPE = """
name = "tiny"
scale = {scale}
residual = "bicubic"
teacher_width = 64
student_width = 48
teacher_discriminator = 6
student_discriminator = 4
batch = {batch}
crop_px = 16
precision = "fp32"
perceptual = "where_present"
ema_decay = 0.9
checkpoint_every = {checkpoint_every}

[stages.teacher]
steps = {teacher}
learning_rate = 1e-4

[stages.teacher_gan]
steps = {teacher_gan}
learning_rate = 1e-4
weights = {{ recon = 1, percep = 1, adv = 0.005 }}

[stages.distill]
steps = {distill}
learning_rate = 1e-4
weights = {{ recon = 1, percep = 1, adv = 0.005, distill_g = 0.05, distill_d = 0.05 }}

[stages.supernet]
steps = {supernet}
learning_rate = 2e-4
weights = {{ recon = 1, percep = 1 }}

[stages.finetune]
steps = {finetune}
learning_rate = 1e-4
weights = {{ recon = 1, percep = 1, adv = 0.005 }}
validate_every = 2
"""


def write_photos(folder: Path, n: int = 4, side: int = 96) -> Path:
    """Smooth random colour pictures that compress and enlarge like photographs."""
    folder.mkdir(parents=True, exist_ok=True)
    for i in range(n):
        coarse = np.random.default_rng(i).integers(0, 256, (12, 12, 3), dtype=np.uint8)
        picture = Image.fromarray(coarse).resize((side, side), Image.Resampling.BICUBIC)
        picture.save(folder / f"photo_{i}.png")
    return folder


STEPS = {"teacher": 2, "teacher_gan": 2, "distill": 2, "supernet": 8, "finetune": 4}


def write_recipe(
    folder: Path, batch: int = 1, scale: int = 4, checkpoint_every: int = 100, steps: int | None = None
) -> Path:
    """A recipe of a few steps; `steps` gives every stage as many."""
    lengths = STEPS if steps is None else dict.fromkeys(STEPS, steps)
    path = folder / "tiny.toml"
    fields = {"batch": batch, "scale": scale, "checkpoint_every": checkpoint_every}
    path.write_text(RECIPE.format(**fields, **lengths), encoding="utf-8")
    return path


def train_all(folder: Path) -> Path:
    """A folder with every checkpoint of the tiny recipe, and its photos in `photos`."""
    photos = write_photos(folder / "photos")
    options = SRRunOptions(folder, device="cpu", images=str(photos))
    train(prepare_run(read_recipe(write_recipe(folder)), options))
    return folder


STAGE_FILES = (
    "teacher",
    "teacher_gan",
    "teacher_discriminator",
    "student",
    "discriminator",
    "supergenerator",
)


def prepare_ablation(
    trained: Path, folder: Path, names: Sequence[str] = STAGE_FILES, **settings: object
) -> SRRun:
    """A run in a folder with these finished checkpoints of `train_all`, which validates on a detail alone."""
    for name in names:
        shutil.copy(trained / f"{name}.safetensors", folder)
    recipe = replace(read_recipe(trained / "tiny.toml"), **settings)
    options = SRRunOptions(folder, device="cpu", images=str(trained / "photos"))
    run = prepare_run(recipe, options)
    return replace(run, validation=[pair.centre(16) for pair in run.validation])


def write_alexnet(path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Random weights in the format of the published ones, which they pass for while the test runs."""
    layers = pretrained.import_torchvision().models.alexnet(weights=None).features
    torch.save({f"features.{name}": tensor for name, tensor in layers.state_dict().items()}, path)
    monkeypatch.setitem(pretrained.PUBLISHED, "alexnet", f"alexnet-owt-{checkpoint.sha256(path)[:8]}.pth")
    return path


def write_table(path: Path, size: tuple[int, int] = (128, 128), scale: int = 4, **changes: object) -> Path:
    """A latency table whose figures are invented: 1 ms a block and 1 ms for a billion MACs."""
    entries = {
        key: {
            "latency_ms": 1 + 1e-9 * sum(operator.macs for operator in block.operators),
            "spread_ms": 0.0,
            "repeats": 1,
        }
        for key, block in every_block(size, scale).items()
    }
    table = {
        "format": "latency-table/1",
        "unit": "ms",
        "runtime": "invented",
        "runtime_version": "0",
        "device": "none",
        "threads": 1,
        "input_size": list(size),
        "measured_at": "2026-01-01T00:00:00Z",
        "command": "tests",
        "entries": entries,
    }
    path.write_text(json.dumps(table | changes), encoding="utf-8")
    return path
