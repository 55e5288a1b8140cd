"""Held-out pairs as a folder, for commands that read pictures from files."""

from pathlib import Path

from mfagan.coronetgan.training.validation import HeldOut
from mfagan.data.images import write_image

__all__ = ["write_pairs"]


def write_pairs(held_out: HeldOut, folder: Path) -> Path:
    """Write pairs as files of equal names into the folders valA and valB.

    Args:
        held_out: the pairs.
        folder: where these two are made.

    Returns:
        The folder.

    Raises:
        InputError: a file cannot be written.
    """
    for name, pictures in (("valA", held_out.a), ("valB", held_out.b)):
        (folder / name).mkdir(parents=True, exist_ok=True)
        for number, picture in enumerate(((pictures + 1) / 2).clamp(0, 1)):
            write_image(folder / name / f"{number:04}.png", picture.expand(3, -1, -1))
    return folder
