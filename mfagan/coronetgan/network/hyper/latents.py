"""Latent vectors: which of their entries are pruned, and the proximal step that makes them sparse (after DHP)."""

from collections.abc import Mapping

import torch
from torch import Tensor

__all__ = ["MIN_CHANNELS", "TAU", "mask_of", "proximal_step", "shrink"]

TAU = 5e-3
"""An entry of a smaller magnitude is pruned, as in DHP."""
MIN_CHANNELS = 4
"""A latent keeps so many channels at least, or all if it has fewer."""


def mask_of(z: Tensor, tau: float = TAU, at_least: int = MIN_CHANNELS) -> Tensor:
    """Which channels are left.

    Args:
        z: A latent, (C,).
        tau: Least magnitude of an entry that is left.
        at_least: How many are left in any case.

    Returns:
        Booleans, (C,).
    """
    magnitudes = z.detach().abs()
    left = magnitudes >= tau
    left[magnitudes.topk(min(at_least, len(z))).indices] = True  # no more than so many where several are zero
    return left


def shrink(z: Tensor, amount: float) -> Tensor:
    """The proximal operator of the 1-norm: every magnitude falls by an amount, down to zero.

    Args:
        z: A latent, (C,).
        amount: At least 0.

    Returns:
        (C,).
    """
    return z.sign() * (z.abs() - amount).clamp_min(0)


@torch.no_grad()
def proximal_step(
    latents: Mapping[str, Tensor], amount: float, tau: float = TAU, at_least: int = MIN_CHANNELS
) -> None:
    """Shrink latents in place, but those that have no more than the least number of channels left.

    Args:
        latents: By name, (C,) each.
        amount: gamma x the current learning rate.
        tau: As for `mask_of`.
        at_least: As for `mask_of`.
    """
    for z in latents.values():
        if int((z.abs() >= tau).sum()) > at_least:
            z.copy_(shrink(z, amount))
