"""The generators of this system by the names that checkpoints have for them."""

from collections.abc import Mapping
from pathlib import Path

from mfagan import checkpoint
from mfagan.checkpoint import Checkpoint
from mfagan.errors import InputError
from mfagan.mobilestylegan.network.generator import Generator, MobileStyleGAN, StyleGAN2

__all__ = ["KINDS", "load_generator", "rebuild"]

KINDS: Mapping[str, type[Generator]] = {one.KIND: one for one in (StyleGAN2, MobileStyleGAN)}
"""Name -> class."""


def load_generator(path: str | Path) -> Generator:
    """The generator of a checkpoint, in evaluation mode on the CPU.

    Args:
        path: The checkpoint's file.

    Raises:
        InputError: As `checkpoint.read`; not a generator of images, or its weights do not fit.
    """
    return rebuild(checkpoint.read(path), path)


def rebuild(found: Checkpoint, path: str | Path) -> Generator:
    """The generator of a checkpoint that is read already, in evaluation mode on the CPU.

    Args:
        found: What the file holds.
        path: Its path, for errors.

    Raises:
        InputError: As `load_generator`.
    """
    if found.network not in KINDS:
        raise InputError(
            f"checkpoint {path}: its network is {found.network!r}, a generator of images from latents is needed here "
            f"({', '.join(KINDS)})"
        )
    return KINDS[found.network].from_checkpoint(found, path)
