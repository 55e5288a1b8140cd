"""The smallest translators, and their trainings of a few steps on drawings."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from mfagan import checkpoint
from mfagan.coronetgan.training.recipe import TranslationRecipe
from mfagan.coronetgan.training.run import TranslationRun, prepare_run
from mfagan.progress import no_progress
from mfagan.training.recipe import FallingStage
from mfagan.training.run import RunOptions

TIMES = ("training_minutes", "search_minutes", "dense_minutes", "dense_minutes_a", "dense_minutes_b")


def with_every_stage(recipe: TranslationRecipe, **settings: object) -> TranslationRecipe:
    """The same recipe with other settings of all stages."""
    for name in recipe.stages:
        recipe = recipe.with_stage(name, **settings)
    return recipe


def tiny_recipe(model: str = "pix2pix", steps: int = 6, **settings: Any) -> TranslationRecipe:
    """A ResNet of 16 px whose latents are gone in a few steps."""
    stage = FallingStage(steps=steps, learning_rate=1e-2, fall_over=0.5, validate_every=3)
    fields = {
        "base": 8,
        "blocks": 1,
        "discriminator_base": 4,
        "discriminator_layers": 1,
        "load_px": 16,
        "crop_px": 16,
        "held_out": 3,
        "gamma": 20.0,
        "pool": 3,
        "batch": 2,
        "precision": "fp32",
        "ema_decay": 0.0,
        "checkpoint_every": 2,
    }
    return TranslationRecipe(name="tiny", model=model, stages={"dense": stage}, **(fields | settings))  # type: ignore


def tiny_run(
    folder: Path,
    recipe: TranslationRecipe | None = None,
    bars: Callable[[str], Any] = no_progress,
    data: str | Path = "drawings",
    **options: Any,
) -> TranslationRun:
    return prepare_run(recipe or tiny_recipe(), RunOptions(folder, "cpu", **options), data, bars=bars)


def require_equal(one: Path, other: Path) -> None:
    """The same weights and, but for the command, times and the hashes of files that hold times, the same record."""
    a, b = checkpoint.read(one), checkpoint.read(other)
    assert a.config == b.config
    records = [
        {name: value for name, value in each.record.items() if name not in (*TIMES, "parents", "command")}
        for each in (a, b)
    ]
    assert records[0] == records[1]
    assert a.state.keys() == b.state.keys()
    assert all(torch.equal(a.state[name], b.state[name]) for name in a.state)


RECIPE = """
name = "tiny"
model = "{model}"
base = 8
blocks = 1
discriminator_base = 4
discriminator_layers = 1
load_px = {load_px}
crop_px = 16
held_out = 2
gamma = {gamma}
pool = 3
batch = {batch}
precision = "fp32"
ema_decay = 0.0
checkpoint_every = {checkpoint_every}

[stages.dense]
steps = {steps}
learning_rate = 1e-2
fall_over = 0.5
"""


def write_recipe(folder: Path, model: str = "pix2pix", **settings: object) -> Path:
    """A recipe's file; other settings than those of `RECIPE` are added to it."""
    fields = {"load_px": 16, "gamma": 9.0, "batch": 2, "checkpoint_every": 2, "steps": 14}
    known = {name: settings.pop(name, value) for name, value in fields.items()}
    more = "".join(f"{name} = {value!r}\n".replace("'", '"') for name, value in settings.items())
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{model}.toml"
    path.write_text(more + RECIPE.format(model=model, **known), encoding="utf-8")
    return path


def write_domains(folder: Path, n: int = 3, side_px: int = 20, names: tuple[str, ...] = ("A", "B")) -> Path:
    """Pictures of noise in CycleGAN's layout; those of equal names are negatives of each other."""
    random = np.random.default_rng(0)
    for part in ("train", "test"):
        for number in range(n):
            levels = random.integers(256, size=(side_px, side_px, 3), dtype=np.uint8)
            for name, picture in zip(names, (levels, 255 - levels), strict=True):
                path = folder / f"{part}{name}" / f"{number}.png"
                path.parent.mkdir(parents=True, exist_ok=True)
                Image.fromarray(picture).save(path)
    return folder
