"""The kinds of generators of all systems: finds the system that can load a checkpoint, and imports it only then."""

from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol

from torch import nn

from mfagan import checkpoint
from mfagan.checkpoint import Checkpoint
from mfagan.errors import InputError
from mfagan.evaluation.candidates import Candidate

__all__ = ["SYSTEMS", "load_network", "load_slices"]

SYSTEMS = {"mfagan.sr.network.kinds": ("mfanet", "rrdbnet", "srresnet", "imdn", "rfdn", "span")}
"""Module of a system -> the kinds of networks in checkpoints that its `rebuild` and `rebuild_slices` load."""


class _System(Protocol):
    """What a module named in `SYSTEMS` offers."""

    def rebuild(self, found: Checkpoint, path: str | Path, widths: str | None = None) -> Any: ...

    def rebuild_slices(
        self, found: Checkpoint, path: str | Path, widths: Sequence[str]
    ) -> dict[str, Any]: ...


def load_network(path: str | Path, widths: str | None = None) -> nn.Module:
    """Load the generator of a checkpoint of any system.

    Args:
        path: the checkpoint.
        widths: the slice of a SuperGenerator, such as "48,24,24,24,32,48,48,24", or None for the whole network.

    Returns:
        The network in evaluation mode on the CPU. It has the attributes `KIND` and `scale` and the method `config()`.

    Raises:
        InputError: as `checkpoint.read`; no generator; widths that do not fit or that its kind does not have.
    """
    found = checkpoint.read(path)
    return _system(found, path).rebuild(found, path, widths)


def load_slices(path: Path, widths: Sequence[str]) -> list[Candidate]:
    """Load slices of a checkpoint of any system, to be evaluated.

    Args:
        path: the checkpoint.
        widths: the slices, as text; none means the whole network, and so do any if it has no slices.

    Returns:
        The networks, named by their slices; the whole network has the name "".

    Raises:
        InputError: as `load_network`; one slice given twice.
    """
    found = checkpoint.read(path)
    about = {"file": str(path), "sha256": checkpoint.sha256(path), "network": found.network}
    networks = _system(found, path).rebuild_slices(found, path, widths)
    return [
        Candidate(name, network, network.scale, about | dict(network.config()))
        for name, network in networks.items()
    ]


def _system(found: Checkpoint, path: str | Path) -> _System:
    for module, kinds in SYSTEMS.items():
        if found.network in kinds:
            return import_module(module)  # pyright: ignore[reportReturnType]
    every = ", ".join(kind for kinds in SYSTEMS.values() for kind in kinds)
    raise InputError(
        f"checkpoint {path}: its network is {found.network!r}, a generator is needed here ({every})"
    )
