"""Which slices a step of a weight-shared translator trains (after Yu and Huang 2019)."""

import random
from collections.abc import Sequence
from typing import Literal

import torch

from mfagan.coronetgan.network import Translator
from mfagan.coronetgan.network.links import Gates
from mfagan.coronetgan.network.slices import (
    narrowest,
    prefix_gates,
    read_widths,
    tied_latents,
    width_options,
)

__all__ = ["Slices", "draw_gates", "draw_widths"]

Slices = Literal["in_turn", "all"]
"""Which slices a step trains: the full network, the narrowest or one drawn at random, in turn; or all three."""


def draw_widths(translator: Translator, seed: int, number: int) -> dict[str, int]:
    """Draw the widths of one slice, a function of the arguments alone, so that a resumed run draws the same.

    Args:
        translator: the full network.
        seed: the run's.
        number: the step's, from 0.

    Returns:
        Latent -> channels.
    """
    rng = random.Random(f"slices {seed} {number}")
    options = {
        name: width_options(translator.widths[latents[0]])
        for name, latents in tied_latents(translator).items()
    }
    return read_widths(translator, {name: rng.choice(each) for name, each in options.items()})


def draw_gates(
    translator: Translator, slices: Slices, seed: int, number: int, device: torch.device
) -> Sequence[Gates]:
    """Draw the slices of one step.

    Args:
        translator: the full network.
        slices: as in `Slices`.
        seed: the run's.
        number: the step's, from 0.
        device: where the gates are needed.

    Returns:
        The gates of each.
    """
    widths = ({}, narrowest(translator), draw_widths(translator, seed, number))
    chosen = widths if slices == "all" else (widths[number % 3],)
    return [prefix_gates(translator.widths, one, device) for one in chosen]
