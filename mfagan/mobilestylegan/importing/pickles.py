"""NVIDIA's files of StyleGAN2, which are not read: code that is in them would run."""

from pathlib import Path

from mfagan.errors import InputError

__all__ = ["refuse_pickle"]

_SUFFIXES = (".pkl", ".pickle")


def refuse_pickle(path: str | Path) -> None:
    """Refuse a file by its name.

    Args:
        path: the file.

    Raises:
        InputError: it is named as NVIDIA's pickles are.
    """
    if Path(path).suffix.lower() in _SUFFIXES:
        raise InputError(
            f"weights {path}: NVIDIA's pickles run code that is in them, and are not read; convert it to a .pt of the "
            "public PyTorch StyleGAN2 (convert_weight.py of rosinality/stylegan2-pytorch), where that can do no harm, "
            "and import the .pt"
        )
