"""The networks of all systems: finds the system of a checkpoint by its kind, and imports it only then.

A system is a package with the same files inside as the others: `kinds.py` loads its checkpoints, `export.py`
exports its networks, `shipped.py` names the weights that are installed with it. One system enlarges pictures, and its
networks are what most commands take; the others' `kinds.py` says what to use in their place (`refuse_enlarging`).
"""

from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from torch import nn

from mfagan import checkpoint
from mfagan.checkpoint import Checkpoint
from mfagan.data.pairs import Pair
from mfagan.deploy.target import ExportTarget
from mfagan.deploy.tflite.delegates import DelegateCheck
from mfagan.devices import choose_device
from mfagan.enlarging.model import Model
from mfagan.errors import InputError, UnknownWeightsError
from mfagan.evaluation.candidates import Candidate
from mfagan.evaluation.exported_file import ExportedFile
from mfagan.shipped import GROUPS, SYSTEMS

if TYPE_CHECKING:
    from mfagan.coronetgan.translating.image_translator import ImageTranslator
    from mfagan.mobilestylegan.sampling.image_generator import ImageGenerator

__all__ = [
    "check_delegate",
    "describe_network",
    "export_network",
    "load_model",
    "load_network",
    "load_slices",
    "open_model",
]

_SUPER_RESOLUTION = "mfagan.sr"
"""The system that enlarges pictures, and that reads files of weights alone, those of other authors among them."""
_SPANDREL = "spandrel:"
"""How the kinds of networks begin that are of other authors' code."""


def load_network(path: str | Path, widths: str | None = None, command: str = "export") -> Any:
    """Load a network that enlarges pictures, from a checkpoint or a file of weights alone.

    Args:
        path: the checkpoint, or a file of weights alone: one of our networks, or another author's.
        widths: the slice of a SuperGenerator, such as "48,24,24,24,32,48,48,24", or None for the whole network.
        command: what it is loaded for, to name what another system has in its place.

    Returns:
        The network in evaluation mode on the CPU, with the attributes `KIND` and `scale` and the method `config()`.

    Raises:
        InputError: as `checkpoint.read`; no network that enlarges pictures; widths that do not fit or that its kind
            does not have; weights alone whose network is not known.
    """
    return _open(path, widths, command)[0]


def load_slices(path: Path, widths: Sequence[str], command: str = "evaluate") -> list[Candidate]:
    """Load slices of a checkpoint whose network enlarges pictures, to be evaluated.

    Args:
        path: as for `load_network`.
        widths: the slices, as text; none means the whole network, and so do any if it has no slices.
        command: as for `load_network`.

    Returns:
        The networks, named by their slices; the whole network has the name "".

    Raises:
        InputError: as `load_network`; one slice given twice.
    """
    record: Mapping[str, object] = {}
    if checkpoint.is_foreign(path):
        networks = {"": load_network(path)}
    else:
        found = checkpoint.read(path)
        kinds = _enlarging_kinds_of(found, path, command)
        networks, record = kinds.rebuild_slices(found, path, widths), found.record
    about = {"file": str(path), "sha256": checkpoint.sha256(path)}
    return [
        Candidate(name, one, one.scale, about | {"network": one.KIND} | dict(one.config()), record)
        for name, one in networks.items()
    ]


def open_model(
    path: str | Path, widths: str | None = None, device: str = "auto"
) -> "Model | ImageGenerator | ImageTranslator":
    """Load a checkpoint of any system, or another author's file of weights, to be called.

    Args:
        path: as for `load_network`.
        widths: as for `load_network`.
        device: where it computes: auto, cpu, cuda, cuda:1, ...

    Returns:
        What is called on pictures to enlarge or to translate them, or on seeds to make some, as the checkpoint's
        network does.

    Raises:
        InputError: as `load_network`; a device that cannot be used.
    """
    if not checkpoint.is_foreign(path):
        found = checkpoint.read(path)
        kinds = _kinds_of(found, path)
        if not _enlarges(kinds):
            return kinds.open_model(found, path, widths, choose_device(device))
    return load_model(path, widths, device)


def load_model(
    path: str | Path, widths: str | None = None, device: str = "auto", command: str = "upscale"
) -> Model:
    """Load a network that enlarges pictures, to be called on them.

    Args:
        path: as for `load_network`.
        widths: as for `load_network`.
        device: where it computes: auto, cpu, cuda, cuda:1, ...
        command: as for `load_network`.

    Returns:
        The model.

    Raises:
        InputError: as `load_network`; a device that cannot be used.
    """
    chosen = choose_device(device)
    network, kinds = _open(path, widths, command)
    listed = network.config().get("widths")
    return Model(
        network,
        network.scale,
        device=chosen,
        kind=network.KIND,
        path=Path(path),
        widths=None if listed is None else tuple(listed),
        min_side_px=kinds.min_side_px(network),
    )


def describe_network(found: Checkpoint, path: str | Path) -> Mapping[str, object]:
    """Describe the network of a checkpoint of any system.

    Args:
        found: what the file holds.
        path: its path, for errors.

    Returns:
        Plain data: the arguments that rebuild a network that enlarges pictures, those that the file leaves out too;
        size, widths and costs of one that makes or translates pictures; of others what the file says.

    Raises:
        InputError: its arguments do not describe a network.
    """
    system = _find_system(found.network)
    return found.config if system is None else import_module(f"{system}.kinds").describe(found, path)


def export_network(
    network: nn.Module,
    target: ExportTarget,
    pairs: Sequence[Pair],
    calibration: Sequence[Pair] = (),
    checkpoint_sha256: str | None = None,
) -> ExportedFile:
    """Convert a generator of any system to a file for phones and browsers.

    Args:
        network: a network that `load_network` gave; it is not changed.
        target: what the file is made for.
        pairs: the photos on which the file is compared with PyTorch.
        calibration: other photos, which tell the ranges of int8 files.
        checkpoint_sha256: of the file that the network was loaded from, for the file's metadata; None if it was not.

    Returns:
        The file's content, and what was found of it.

    Raises:
        InputError: the check fails, or networks of this kind cannot be exported.
    """
    return _export_of(network).export_generator(network, target, pairs, calibration, checkpoint_sha256)


def check_delegate(network: nn.Module, target: ExportTarget, delegate: str) -> DelegateCheck:
    """Find what a delegate's rules say of the file that a generator of any system becomes; nothing is run.

    Args:
        network: a network that `load_network` gave.
        target: what the file is made for.
        delegate: one of `mfagan.deploy.tflite.delegates.DELEGATES`.

    Returns:
        Which operators it takes and rejects.

    Raises:
        InputError: an unknown delegate, a target that its rules do not cover, or networks that cannot be exported.
    """
    return _export_of(network).check_delegate(network, target, delegate)


def _export_of(network: nn.Module) -> Any:
    """The module `export` of a network's system."""
    return import_module(f"{_system_of(str(getattr(network, 'KIND', type(network).__name__)))}.export")


def _open(path: str | Path, widths: str | None, command: str) -> tuple[Any, Any]:
    """The enlarging network of a file, and the module `kinds` of its system."""
    if not checkpoint.is_foreign(path):
        found = checkpoint.read(path)
        kinds = _enlarging_kinds_of(found, path, command)
        return kinds.rebuild(found, path, widths), kinds
    if widths is not None:
        raise InputError(
            f"weights {path}: without a description by mfagan they have no slices; leave the widths out"
        )
    kinds = import_module(f"{_SUPER_RESOLUTION}.kinds")
    try:
        return kinds.load_foreign(path), kinds
    except UnknownWeightsError as error:
        others = " or ".join(f"`{group} import`" for group in GROUPS.values())
        raise UnknownWeightsError(
            f"{error}; if it makes or translates pictures, convert it: {others}"
        ) from None


def _kinds_of(found: Checkpoint, path: str | Path) -> Any:
    try:
        return import_module(f"{_system_of(found.network)}.kinds")
    except InputError as error:
        raise InputError(f"checkpoint {path}: {error}") from None


def _enlarging_kinds_of(found: Checkpoint, path: str | Path, command: str) -> Any:
    kinds = _kinds_of(found, path)
    if not _enlarges(kinds):
        raise kinds.refuse_enlarging(found.network, path, command)
    return kinds


def _enlarges(kinds: Any) -> bool:
    return kinds.__name__ == f"{_SUPER_RESOLUTION}.kinds"


def _find_system(kind: str) -> str | None:
    if kind.startswith(_SPANDREL):
        return _SUPER_RESOLUTION
    return next((system for system, kinds in SYSTEMS.items() if kind in kinds), None)


def _system_of(kind: str) -> str:
    system = _find_system(kind)
    if system is not None:
        return system
    every = ", ".join(kind for kinds in SYSTEMS.values() for kind in kinds)
    raise InputError(f"its network is {kind!r}, a generator is needed here ({every})")
