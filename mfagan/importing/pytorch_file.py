"""PyTorch's files of other authors, read as plain data: whatever code they hold is never run."""

import argparse
import contextlib
import pickle
import re
import tarfile
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from mfagan.errors import InputError

__all__ = ["read_pytorch_file", "require_weights"]

_UNKNOWN = re.compile(r"GLOBAL ([\w.]+)")


def read_pytorch_file(path: str | Path, allow_namespace: bool = False) -> object:
    """Read a PyTorch file onto the CPU by `torch.load(weights_only=True)`.

    Args:
        path: the file.
        allow_namespace: whether it may hold an `argparse.Namespace`, as snapshots of trainings do.

    Returns:
        Dictionaries, lists, numbers, text and tensors.

    Raises:
        InputError: no such file, PyTorch's first format (tar), Python objects that are no plain data, or not a
            PyTorch file.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(f"weights {path}: no such file")
    if tarfile.is_tarfile(path):
        raise InputError(
            f"weights {path}: PyTorch's first format, a tar archive, is not read as plain data; where that can do no "
            "harm, load it with torch.load(weights_only=False), save it with torch.save, and give the new file"
        )
    allowed = torch.serialization.safe_globals([argparse.Namespace])
    try:
        with allowed if allow_namespace else contextlib.nullcontext():
            return torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # the unpickler fails in many ways on what it does not know
        raise InputError(f"weights {path}: {_explain(error)}") from None


def _explain(error: Exception) -> str:
    found = _UNKNOWN.search(str(error))
    if found and found[1] == "argparse.Namespace":
        return (
            "a training snapshot, which holds an argparse.Namespace beside its weights; allow it if you know the file "
            "(allow_namespace), or save its g_ema alone"
        )
    if found:
        return f"holds a Python object ({found[1]}), which is not read; save its weights alone"
    if isinstance(error, pickle.UnpicklingError):
        return "cannot be read as weights alone; give a file that torch.save wrote of a dictionary of weights"
    reason = " ".join((str(error) or type(error).__name__).split())
    return f"not a readable PyTorch file ({reason:.120})"


def require_weights(state: Mapping[str, object], path: str | Path) -> dict[str, Tensor]:
    """Check that a dictionary holds named weights alone.

    Args:
        state: name -> weight.
        path: its file, to name it.

    Returns:
        The weights in float32; whole numbers stay what they are.

    Raises:
        InputError: something else is among them, or values that are not finite.
    """
    weights: dict[str, Tensor] = {}
    for name, one in state.items():
        if not isinstance(name, str) or not isinstance(one, Tensor):
            raise InputError(
                f"weights {path}: {name!s:.60} is {type(one).__name__}, not a weight; give another file"
            )
        if not torch.isfinite(one).all():
            raise InputError(f"weights {path}: {name} holds values that are not finite; give another file")
        weights[name] = one.float() if one.is_floating_point() else one
    return weights
