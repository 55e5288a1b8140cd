"""Reads the weights of other authors' files, as numbers alone: no code of a file is run."""

from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor

from mfagan.checkpoint import PYTORCH_SUFFIXES
from mfagan.errors import InputError

__all__ = ["read_weights"]

_WRAPPERS = ("params_ema", "params", "state_dict", "model_state_dict", "model", "net", "generator")
"""Keys under which training codes store the weights of a generator, the preferred one first."""
_PREFIXES = ("module.", "netG.")


def read_weights(path: str | Path) -> dict[str, Tensor]:
    """Read the weights of a file onto the CPU, in float32.

    Args:
        path: a PyTorch file of weights alone, which may lie under one of the usual keys, such as "params_ema"; or a
            safetensors file.

    Returns:
        Name -> weight; whole numbers stay what they are.

    Raises:
        InputError: no such file, Python objects other than weights, or weights that are not finite.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(f"weights {path}: no such file")
    try:
        if path.suffix.lower() in PYTORCH_SUFFIXES:
            found = torch.load(path, map_location="cpu", weights_only=True)
        else:
            found = load_file(path)
    except Exception as error:  # the unpickler fails in many ways on what it does not know
        reason = " ".join((str(error) or type(error).__name__).split())
        raise InputError(
            f"weights {path}: cannot be read as weights alone ({reason:.160}); give a file of a network's state dict"
        ) from None
    state = _unwrap(found)
    if not isinstance(state, Mapping) or not state:
        raise InputError(
            f"weights {path}: holds {type(state).__name__}, not named weights; give a file of a network's state dict"
        )
    for name, weight in state.items():
        if not isinstance(name, str) or not isinstance(weight, Tensor):
            raise InputError(
                f"weights {path}: {name!s:.60} is {type(weight).__name__}, not a weight; give a file of a network's "
                "state dict"
            )
        if not torch.isfinite(weight).all():
            raise InputError(f"weights {path}: {name} holds values that are not finite; give another file")
    return {name: weight.float() if weight.is_floating_point() else weight for name, weight in state.items()}


def _unwrap(found: object) -> object:
    """What lies under the usual keys, without the usual prefixes of names."""
    for key in _WRAPPERS:
        if isinstance(found, Mapping) and isinstance(found.get(key), Mapping):
            found = found[key]
            break
    if not isinstance(found, Mapping) or not all(isinstance(name, str) for name in found):
        return found
    for prefix in _PREFIXES:
        if found and all(name.startswith(prefix) for name in found):
            found = {name.removeprefix(prefix): weight for name, weight in found.items()}
    return found
