"""The noise that generators add to feature maps: one map a styled convolution, the same for teacher and student."""

from collections.abc import Sequence
from typing import Literal, get_args

import torch
from torch import Tensor

from mfagan.errors import InputError

__all__ = ["Noise", "NoiseMode", "constant_noise", "draw_noise", "resolve_noise"]

NoiseMode = Literal["const", "zero", "random"]
"""const: the same maps for every image, always; zero: none; random: other maps for each image and each call."""
Noise = NoiseMode | Sequence[Tensor]
"""A mode, or the maps themselves, (N or 1, 1, side, side) each, in the order they are read."""


def constant_noise(sides: Sequence[int]) -> list[Tensor]:
    """The maps of mode "const", which depend on their position and side alone.

    Args:
        sides: sides of the maps in px.

    Returns:
        Maps (1, 1, side, side) of N(0, 1), on the CPU in float32.
    """
    return [
        torch.randn((1, 1, side, side), generator=torch.Generator("cpu").manual_seed(i), device="cpu")
        for i, side in enumerate(sides)
    ]


def draw_noise(sides: Sequence[int], batch: int, generator: torch.Generator) -> list[Tensor]:
    """Maps of N(0, 1) from a generator of random numbers, so that teacher and student can be given the same.

    Args:
        sides: sides of the maps in px.
        batch: how many images.
        generator: it is advanced; its device is that of the maps.

    Returns:
        Maps (batch, 1, side, side).
    """
    return [
        torch.randn((batch, 1, side, side), generator=generator, device=generator.device) for side in sides
    ]


def resolve_noise(noise: Noise, sides: Sequence[int], like: Tensor) -> list[Tensor | None]:
    """The map that each styled convolution adds.

    Args:
        noise: a mode, or maps, of which those past the last convolution are ignored: a student takes its teacher's.
        sides: sides of the maps in px.
        like: the styles, (N, ...), whose batch, device and type the maps get.

    Returns:
        For each side a map (N or 1, 1, side, side), or None for mode "zero".

    Raises:
        InputError: an unknown mode, too few maps, or a map of another shape.
    """
    if isinstance(noise, str):
        if noise not in get_args(NoiseMode):
            raise InputError(f"noise {noise!r}: give {', '.join(get_args(NoiseMode))} or the maps")
        if noise == "zero":
            return [None] * len(sides)
        if noise == "const":
            return [one.to(like) for one in constant_noise(sides)]
        return [
            torch.randn((len(like), 1, side, side), device=like.device, dtype=like.dtype) for side in sides
        ]
    if len(noise) < len(sides):
        raise InputError(
            f"noise: {len(noise)} maps given, {len(sides)} needed (sides {', '.join(map(str, sides))})"
        )
    for number, (one, side) in enumerate(zip(noise, sides, strict=False)):
        if one.dim() != 4 or len(one) not in (1, len(like)) or one.shape[1:] != (1, side, side):
            raise InputError(
                f"noise: map {number} has the shape {tuple(one.shape)}, ({len(like)} or 1, 1, {side}, {side}) is needed"
            )
    return list(noise[: len(sides)])
