"""Checkpoints of the smallest teacher and student."""

from pathlib import Path

import torch

from mfagan import checkpoint
from mfagan.mobilestylegan.network import MobileStyleGAN, StyleGAN2
from tests.mobilestylegan.training.small import build_teacher

__all__ = ["write_pair"]


def write_pair(
    folder: Path, teacher: StyleGAN2 | None = None, name: str = "", **options: str
) -> tuple[Path, Path]:
    """The files of a teacher and of an untrained student of it; `options` are the student's."""
    teacher = teacher or build_teacher()
    torch.manual_seed(1)
    student = MobileStyleGAN.for_teacher(teacher, **options)
    for one, role in ((teacher, "teacher"), (student, "student")):
        checkpoint.save(folder / f"{name}{role}.safetensors", one.to_checkpoint(role, {"stage": "made up"}))
    return folder / f"{name}teacher.safetensors", folder / f"{name}student.safetensors"
