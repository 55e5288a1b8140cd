"""The weight-shared translator of a study."""

from pathlib import Path

from mfagan import checkpoint
from mfagan.coronetgan.kinds import WEIGHT_SHARED, rebuild
from mfagan.coronetgan.network.translator import Translator
from mfagan.errors import InputError

__all__ = ["load_supernet"]


def load_supernet(path: str | Path) -> Translator:
    """The weight-shared translator of a checkpoint, in evaluation mode on the CPU.

    Args:
        path: Its file.

    Raises:
        InputError: As `checkpoint.read` and `rebuild`; one whose slices were not trained.
    """
    found = checkpoint.read(path)
    network = rebuild(found, path)
    if found.role.removesuffix("_a").removesuffix("_b") != WEIGHT_SHARED:
        raise InputError(
            f"supernet {path}: its role is {found.role!r}, and its slices were not trained; train one with: mfagan "
            "coronetgan train RECIPE --stage supernet"
        )
    return network
