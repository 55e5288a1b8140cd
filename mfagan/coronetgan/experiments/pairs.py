"""Held-out pairs as a folder, for commands that read pictures from files."""

from pathlib import Path

import torch

from mfagan.coronetgan.training.validation import HeldOut
from mfagan.data.images import write_image

__all__ = ["write_pairs"]


def write_pairs(held_out: HeldOut, folder: Path) -> Path:
    """Write pairs as pictures of two halves into the part test of a folder, A left and B right.

    Args:
        held_out: the pairs.
        folder: where the folder `test` is made.

    Returns:
        The folder.

    Raises:
        InputError: a file cannot be written.
    """
    place = folder / "test"
    place.mkdir(parents=True, exist_ok=True)
    both = ((torch.cat((held_out.a, held_out.b), -1) + 1) / 2).clamp(0, 1)
    for number, pair in enumerate(both):
        write_image(place / f"{number:04}.png", pair.expand(3, -1, -1))
    return folder
