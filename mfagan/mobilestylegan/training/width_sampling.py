"""Which slices a step of the weight-shared student trains: the sandwich rule (Yu and Huang 2019)."""

import random
from collections.abc import Sequence

from mfagan.mobilestylegan.network.student.widths import narrowest_slice, width_options

__all__ = ["draw_slices"]


def draw_slices(channels: Sequence[int], seed: int, number: int) -> list[tuple[int, ...]]:
    """Draw the slices of one step, a function of the arguments alone, so that a resumed run draws the same.

    Args:
        channels: of the full student at each resolution.
        seed: the run's.
        number: the step's, from 0.

    Returns:
        The full student, the narrowest slice and a random one.
    """
    rng = random.Random(f"slices {seed} {number}")
    drawn = tuple(rng.choice(width_options(full)) for full in channels)
    return [tuple(channels), narrowest_slice(channels), drawn]
