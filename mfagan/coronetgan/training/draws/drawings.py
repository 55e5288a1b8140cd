"""Drawings to translate, in closed form: pairs of outlines and filled shapes, and discs without and with stripes.

Endless, and learned within minutes. Batch k is a function of the seed and k alone.
"""

import math
import random
from typing import Literal

import torch
from torch import Tensor

from mfagan.errors import InputError

__all__ = ["DrawingSampler", "Subject", "draw", "draw_held_out"]

Subject = Literal["shapes", "discs"]
"""shapes: outlines of a disc and a turned square -> both filled, a shaded red disc and a striped blue square on a sky.
discs: the sky with a plain red disc -> the same disc with stripes."""
_NUMBERS = 8
_LINE = 0.03
"""Half the thickness of outlines, in half sides of the picture."""
_ABOVE, _BELOW = (0.45, 0.7, 1.0), (0.9, 0.95, 1.0)
_RED, _BLUE, _PALE = (0.9, 0.15, 0.1), (0.1, 0.2, 0.8), (0.6, 0.75, 1.0)


class DrawingSampler:
    """Batches of drawings of both domains: pairs of shapes, or discs of which A and B have nothing to do."""

    def __init__(self, subject: Subject, side_px: int, batch: int, seed: int = 0) -> None:
        """Describe the batches.

        Args:
            subject: as in `Subject`.
            side_px: side of the pictures in px.
            batch: pictures of each domain in a batch, in all processes together.
            seed: other seeds give other drawings.
        """
        self._subject: Subject = subject
        self._side = side_px
        self._batch = batch
        self._seed = seed

    def batch(self, step: int, rank: int = 0, world: int = 1) -> tuple[Tensor, Tensor]:
        """Draw one batch.

        Args:
            step: the batch's number, from 0.
            rank: number of this process, from 0.
            world: how many processes share the batch.

        Returns:
            a and b, (N / world, 3, side_px, side_px) each, RGB in [-1, 1].

        Raises:
            InputError: as `require_share`.
        """
        self.require_share(rank, world)
        share = self._batch // world
        own = slice(rank * share, (rank + 1) * share)
        numbers = _draw_numbers(f"batch {self._seed} {step}", self._batch)[own]
        a, b = draw(self._subject, numbers, self._side)
        if self._subject == "discs":
            others = _draw_numbers(f"batch of B {self._seed} {step}", self._batch)[own]
            b = draw(self._subject, others, self._side)[1]
        return a, b

    def require_share(self, rank: int, world: int) -> None:
        """Check that processes can share a batch.

        Args:
            rank: number of a process, from 0.
            world: how many processes there are.

        Raises:
            InputError: `world` does not divide the batch, or `rank` is not one of the processes.
        """
        if world < 1 or self._batch % world or not 0 <= rank < world:
            raise InputError(
                f"a batch of {self._batch} cannot be shared by {world} processes (this is number {rank}): give a "
                "multiple of their number"
            )


def draw_held_out(subject: Subject, count: int, side_px: int) -> tuple[Tensor, Tensor]:
    """Draw pairs that no training draws, the same ones always.

    Args:
        subject: as in `Subject`.
        count: how many.
        side_px: side of the pictures in px.

    Returns:
        a and b, (count, 3, side_px, side_px) each, RGB in [-1, 1]; `a[i]` belongs to `b[i]`.
    """
    return draw(subject, _draw_numbers("held out", count), side_px)


def draw(subject: Subject, numbers: Tensor, side_px: int) -> tuple[Tensor, Tensor]:
    """Draw both pictures of each scene.

    Args:
        subject: as in `Subject`.
        numbers: (N, 8) in [0, 1): place (2), radius, place of the square (2), half its side, its angle, which is left.
        side_px: side of the pictures in px.

    Returns:
        a and b, (N, 3, side_px, side_px) each, RGB in [-1, 1].
    """
    across, high, radius, across2, high2, half, angle, left = (
        one.view(-1, 1, 1, 1) for one in numbers.unbind(1)
    )
    axis = (torch.arange(side_px) + 0.5) * (2 / side_px) - 1
    y, x = axis.view(1, 1, -1, 1), axis.view(1, 1, 1, -1)

    def fill(image: Tensor, colour: Tensor, inside: Tensor) -> Tensor:
        """Paint where a distance from the edge, in half sides of the picture, is positive."""
        cover = (inside * (side_px / 2) + 0.5).clamp(0, 1)
        return image + cover * (colour - image)

    sky = _colour(_ABOVE) + (y + 1) / 2 * (_colour(_BELOW) - _colour(_ABOVE)) + 0 * (x + across)
    if subject == "discs":
        u, v = x - (across - 0.5), y - (high - 0.5)
        inside = 0.3 + 0.25 * radius - (u.square() + v.square()).sqrt()
        stripes = 0.5 + 0.5 * torch.cos((u + v) * (math.pi / 0.15))
        plain = _colour(_RED) + 0 * u
        striped = plain + stripes * (_colour(_PALE) - plain)
        return fill(sky, plain, inside) * 2 - 1, fill(sky, striped, inside) * 2 - 1
    side = torch.where(left < 0.5, 1.0, -1.0)
    radius, half, turn = 0.2 + 0.2 * radius, 0.18 + 0.14 * half, angle * (math.pi / 2)
    u, v = x + side * (0.25 + 0.3 * across), y - 0.9 * (high - 0.5)
    disc = radius - (u.square() + v.square()).sqrt()
    p, q = x - side * (0.25 + 0.3 * across2), y - 0.9 * (high2 - 0.5)
    p, q = p * turn.cos() + q * turn.sin(), q * turn.cos() - p * turn.sin()
    square = half - torch.maximum(p.abs(), q.abs())
    shade = 0.7 - 0.3 * (u + v) / (radius * 2**0.5)
    stripes = 0.5 + 0.5 * torch.cos(p * (2 * math.pi / 0.16))
    image = fill(sky, _colour(_RED) * shade, disc)
    image = fill(image, _colour(_BLUE) + stripes * (_colour(_PALE) - _colour(_BLUE)), square)
    outlines = torch.ones_like(image)
    for inside in (disc, square):
        outlines = fill(outlines, torch.zeros(()), _LINE - inside.abs())
    return outlines * 2 - 1, image.clamp(0, 1) * 2 - 1


def _colour(rgb: tuple[float, float, float]) -> Tensor:
    return torch.tensor(rgb).view(1, 3, 1, 1)


def _draw_numbers(purpose: str, count: int) -> Tensor:
    seed = random.Random(f"drawings {purpose}").getrandbits(63)
    return torch.rand((count, _NUMBERS), generator=torch.Generator("cpu").manual_seed(seed))
