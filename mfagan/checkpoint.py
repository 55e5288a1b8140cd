"""Checkpoints: safetensors files whose metadata says what network they hold and where it came from."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import torch
from pydantic import BaseModel, ConfigDict, ValidationError
from safetensors import SafetensorError, safe_open
from safetensors.torch import save as encode
from torch import Tensor, nn

from mfagan.errors import InputError
from mfagan.files import require_place, write_atomic
from mfagan.shipped import commands_of

__all__ = [
    "PYTORCH_SUFFIXES",
    "Checkpoint",
    "count_parameters",
    "is_foreign",
    "load_weights",
    "read",
    "read_record",
    "require_checkpoint_place",
    "save",
    "sha256",
]

PYTORCH_SUFFIXES = (".pth", ".pt", ".ckpt")
"""How the names of PyTorch's own files of weights end; checkpoints of this package never do."""

_KEY = "mfagan"
_WEIGHT_TYPES = (torch.float16, torch.bfloat16, torch.float32, torch.float64, torch.int64)
"""Batch normalisation counts its batches in int64."""
Network = TypeVar("Network", bound=nn.Module)


@dataclass(frozen=True)
class Checkpoint:
    """A network's weights and its description.

    network: the architecture, such as "mfanet" or "patchgan".
    role: what it is in the pipeline, such as "supergenerator".
    config: the arguments that rebuild the network.
    record: how it was made: recipe, stage, steps, images, parents, figures.
    """

    network: str
    role: str
    config: Mapping[str, object]
    state: Mapping[str, Tensor]
    record: Mapping[str, object] = field(default_factory=dict)


class _Description(BaseModel):
    """What a file's metadata holds."""

    model_config = ConfigDict(extra="forbid", strict=True)

    network: str
    role: str
    config: dict[str, Any]
    record: dict[str, Any] = {}

    def with_weights(self, state: Mapping[str, Tensor]) -> Checkpoint:
        return Checkpoint(self.network, self.role, self.config, state, self.record)


def save(path: str | Path, checkpoint: Checkpoint) -> None:
    """Write a checkpoint whole or not at all.

    Args:
        path: the file to write.
        checkpoint: what to write.

    Raises:
        InputError: it cannot be written, or has the name of one of PyTorch's own files.
    """
    about = {name: getattr(checkpoint, name) for name in ("network", "role", "config", "record")}
    state = {name: tensor.detach().cpu().contiguous() for name, tensor in checkpoint.state.items()}
    write_atomic(_require_own_name(Path(path)), encode(state, metadata={_KEY: json.dumps(about)}))


def require_checkpoint_place(path: str | Path, *inputs: str | Path | None) -> Path:
    """Check before long work that a checkpoint can be written to a file, as `mfagan.files.require_place` does.

    Args:
        path: the file to write.
        inputs: files that are read.

    Returns:
        `path` as a Path.

    Raises:
        InputError: as `require_place`; the name is that of PyTorch's own files, as which it would be read.
    """
    return require_place(_require_own_name(Path(path)), *inputs)


def _require_own_name(path: Path) -> Path:
    if path.suffix.lower() in PYTORCH_SUFFIXES:
        raise InputError(
            f"checkpoint {path}: a name that ends in {path.suffix} is of PyTorch's own files; end it in .safetensors"
        )
    return path


def read(path: str | Path, network: str | None = None, role: str | None = None) -> Checkpoint:
    """Read a checkpoint onto the CPU.

    Args:
        path: the file.
        network: the architecture that is needed, None for any.
        role: the role that is needed, None for any.

    Returns:
        The checkpoint.

    Raises:
        InputError: no such file, not a checkpoint of this package, another network or role than asked for, or weights
            that no network has (other types, values that are not finite).
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(f"checkpoint {path}: no such file")
    if path.suffix.lower() in PYTORCH_SUFFIXES:
        raise InputError(
            f"checkpoint {path}: PyTorch's files ({path.suffix}) carry no description by mfagan; give one mfagan wrote"
        )
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            state = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a mapping
    # Weights of types that PyTorch lacks end in other errors than safetensors' own.
    except (SafetensorError, OSError, RuntimeError, TypeError, ValueError, AttributeError, KeyError) as error:
        raise InputError(f"checkpoint {path}: not a readable safetensors file ({_one_line(error)})") from None
    try:
        checkpoint = _Description.model_validate_json(metadata[_KEY]).with_weights(state)
    except (KeyError, ValidationError):
        raise InputError(
            f"checkpoint {path}: it carries no description by mfagan; give one mfagan wrote"
        ) from None
    for name, tensor in state.items():
        if tensor.dtype not in _WEIGHT_TYPES:
            raise InputError(
                f"checkpoint {path}: weights {name} are of type {str(tensor.dtype).removeprefix('torch.')}; "
                "give a file of floating-point weights"
            )
        if not torch.isfinite(tensor).all():
            raise InputError(
                f"checkpoint {path}: weights {name} hold values that are not finite; train it again"
            )
    for name, wanted in (("network", network), ("role", role)):
        found = getattr(checkpoint, name)
        if wanted is not None and found != wanted:
            group = commands_of(checkpoint.network)
            hint = f"; use `{group}` with it" if network and group != commands_of(network) else ""
            raise InputError(f"checkpoint {path}: its {name} is {found!r}, {wanted!r} is needed here{hint}")
    return checkpoint


def is_foreign(path: str | Path) -> bool:
    """Whether a file holds weights that another program wrote, to be read without a description by this package.

    Args:
        path: the file, which need not exist.

    Returns:
        True for a PyTorch file, by its name, and for a safetensors file that carries no description. False for what
        `read` reads or refuses.
    """
    path = Path(path)
    if path.suffix.lower() in PYTORCH_SUFFIXES:
        return True
    try:
        with safe_open(path, framework="pt") as file:
            return _KEY not in (file.metadata() or {})
    except (SafetensorError, OSError):
        return False


def read_record(path: str | Path) -> Mapping[str, object]:
    """Read how a file of weights was made.

    Args:
        path: a checkpoint, or a file without a description.

    Returns:
        The checkpoint's record; empty for a file without a description.

    Raises:
        InputError: as `read`.
    """
    return {} if is_foreign(path) else read(path).record


def load_weights(network: Network, checkpoint: Checkpoint, path: str | Path) -> Network:
    """Copy a checkpoint's weights into a network.

    Args:
        network: a network of the architecture that the checkpoint describes.
        checkpoint: what was read.
        path: its file, to name it.

    Returns:
        The network.

    Raises:
        InputError: names or shapes differ.
    """
    try:
        network.load_state_dict(dict(checkpoint.state))
    except RuntimeError as error:
        raise InputError(
            f"checkpoint {path}: its weights do not fit its description ({_one_line(error)})"
        ) from None
    return network


def sha256(path: str | Path) -> str:
    """The SHA-256 of a file.

    Args:
        path: the file.

    Returns:
        64 hexadecimal digits.
    """
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def count_parameters(checkpoint: Checkpoint) -> int:
    """Count the learned numbers of a checkpoint.

    Args:
        checkpoint: what was read.

    Returns:
        How many there are.
    """
    return sum(torch.numel(tensor) for tensor in checkpoint.state.values())


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:200]
