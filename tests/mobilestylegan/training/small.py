"""The smallest teacher and student, and their trainings of a few steps."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from mfagan import checkpoint
from mfagan.mobilestylegan.network import Mapping, StyleGAN2, Synthesis
from mfagan.mobilestylegan.training.recipe import STUDENT_STAGES, LossWeights, StudentRecipe, StudentStage
from mfagan.mobilestylegan.training.run import StudentRun, StudentRunOptions, prepare_student_run
from mfagan.progress import no_progress

WEIGHTS = LossWeights()


def build_teacher(channels: tuple[int, ...] = (16, 16, 8), style_dim: int = 8, seed: int = 0) -> StyleGAN2:
    torch.manual_seed(seed)
    teacher = StyleGAN2(Mapping(style_dim, 2), Synthesis(channels, style_dim)).eval()
    with torch.no_grad():
        for name, one in teacher.named_parameters():
            if name.endswith("strength"):
                one.fill_(0.1)
        teacher.set_mean(64)
    return teacher


def write_teacher(path: Path, teacher: StyleGAN2 | None = None) -> Path:
    checkpoint.save(path, (teacher or build_teacher()).to_checkpoint("teacher"))
    return path


def student_recipe(weights: LossWeights = WEIGHTS, steps: int = 6, **settings: Any) -> StudentRecipe:
    stage = StudentStage(steps=steps, learning_rate=1e-2, fall_over=0.5, validate_every=3, weights=weights)
    fields = {"batch": 2, "precision": "fp32", "held_out": 3, "ema_decay": 0.5, "checkpoint_every": 2}
    return StudentRecipe(name="tiny", stages=dict.fromkeys(STUDENT_STAGES, stage), **(fields | settings))


def student_run(
    folder: Path,
    recipe: StudentRecipe | None = None,
    bars: Callable[[str], Any] = no_progress,
    **options: Any,
) -> StudentRun:
    return prepare_student_run(
        recipe or student_recipe(), StudentRunOptions(folder, "cpu", **options), bars=bars
    )


def require_equal(one: Path, other: Path) -> None:
    a, b = checkpoint.read(one), checkpoint.read(other)
    assert (a.config, a.record) == (b.config, b.record)
    assert a.state.keys() == b.state.keys()
    assert all(torch.equal(a.state[name], b.state[name]) for name in a.state)


STAGE = """
[stages.{name}]
steps = {steps}
learning_rate = 1e-2
validate_every = 3
"""
TEACHER_RECIPE = """
name = "tiny"
learns = "{learns}"
channels = [16, 16, 8]
style_dim = 16
mapping_layers = 2
batch = 2
precision = "fp32"
held_out = 2
ema_decay = 0.5
r1_every = 2
path_every = 3
checkpoint_every = {checkpoint_every}
"""
STUDENT_RECIPE = """
name = "tiny"
batch = 2
precision = "fp32"
held_out = 3
ema_decay = 0.5
r1_every = 2
checkpoint_every = {checkpoint_every}
"""


def write_teacher_recipe(
    folder: Path, learns: str = "drawings", steps: int = 4, checkpoint_every: int = 2
) -> Path:
    path = folder / f"{learns}.toml"
    text = TEACHER_RECIPE.format(learns=learns, checkpoint_every=checkpoint_every)
    path.write_text(text + STAGE.format(name="teacher", steps=steps), encoding="utf-8")
    return path


def write_student_recipe(folder: Path, adv: float = 0.0, steps: int = 4, checkpoint_every: int = 2) -> Path:
    path = folder / "student.toml"
    text = STUDENT_RECIPE.format(checkpoint_every=checkpoint_every)
    for name in STUDENT_STAGES:
        text += STAGE.format(name=name, steps=steps) + f"weights = {{ adv = {adv} }}\n"
    path.write_text(text, encoding="utf-8")
    return path
