"""The networks of a study: the weight-shared translator, and one that slices are compared with."""

from pathlib import Path

from mfagan import checkpoint
from mfagan.coronetgan.network import TRANSLATORS, Translator
from mfagan.errors import InputError

__all__ = ["SUPERNET", "load_supernet", "load_translator"]

SUPERNET = "supernet"
"""The role of a translator whose slices were trained; of a pair of translators with `_a` or `_b` behind it."""


def load_translator(path: str | Path, what: str = "unpruned network") -> Translator:
    """The translator of a checkpoint, in evaluation mode on the CPU.

    Args:
        path: Its file.
        what: What it is, for errors.

    Raises:
        InputError: As `checkpoint.read`; another network.
    """
    return _load(path, what)[0]


def load_supernet(path: str | Path) -> Translator:
    """The weight-shared translator of a checkpoint, in evaluation mode on the CPU.

    Args:
        path: Its file.

    Raises:
        InputError: As `load_translator`; one whose slices were not trained.
    """
    network, role = _load(path, "supernet")
    if role not in (SUPERNET, f"{SUPERNET}_a", f"{SUPERNET}_b"):
        raise InputError(
            f"supernet {path}: its role is {role!r}, and its slices were not trained; train one with: mfagan "
            "coronetgan train RECIPE --stage supernet"
        )
    return network


def _load(path: str | Path, what: str) -> tuple[Translator, str]:
    found = checkpoint.read(path)
    kind = TRANSLATORS.get(found.network)
    if kind is None:
        raise InputError(
            f"{what} {path}: its network is {found.network!r}, a translator of pictures is needed here "
            f"({', '.join(TRANSLATORS)})"
        )
    return kind.from_checkpoint(found, path), found.role
