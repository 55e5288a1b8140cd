"""Small generators whose images depend on every weight, noise and bias among them."""

import torch
from torch import nn

from mfagan.mobilestylegan.network import Mapping, MobileStyleGAN, StyleGAN2, Synthesis

__all__ = ["build_student", "build_teacher", "disturb"]


def disturb(network: nn.Module) -> None:
    """Give strengths and biases, which begin at constants, random values."""
    for name, one in network.named_parameters():
        if name.endswith(("strength", "bias")) and not name.startswith("mapping"):
            nn.init.normal_(one, 0.5)


def build_teacher(channels: tuple[int, ...] = (16, 16, 8, 8), features: int = 8) -> StyleGAN2:
    torch.manual_seed(0)
    teacher = StyleGAN2(Mapping(features, 2), Synthesis(channels, features))
    disturb(teacher)
    teacher.set_mean(64)
    return teacher.eval().requires_grad_(False)


def build_student(**options) -> MobileStyleGAN:
    student = MobileStyleGAN.for_teacher(build_teacher(), **options)
    disturb(student.synthesis)
    return student.eval().requires_grad_(False)
