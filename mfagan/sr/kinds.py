"""Every kind of generator, from checkpoints by its name and from weights alone: MFANet and the peers it is measured
against."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import torch

from mfagan import checkpoint
from mfagan.checkpoint import Checkpoint
from mfagan.errors import InputError
from mfagan.sr.network.bare_weights import infer_mfanet, is_mfanet
from mfagan.sr.network.layers import BicubicResidual
from mfagan.sr.network.mfanet import MFANet
from mfagan.sr.network.peers import EDSR, SPAN, SPANV2, QuickSRNet, RRDBNet, SRResNet, SRVGGNetCompact
from mfagan.sr.network.peers.distillation import IMDN, RFDN, RFDN_MIN_SIDE_PX
from mfagan.sr.network.peers.peer import Peer
from mfagan.sr.network.peers.published import convert_weights
from mfagan.sr.network.peers.published_files import read_weights
from mfagan.sr.network.peers.published_spandrel import SpandrelNetwork, load_with_spandrel
from mfagan.sr.network.supergenerator import SuperGenerator
from mfagan.sr.network.widths import Widths, require_choice

__all__ = [
    "KINDS",
    "PEERS",
    "Generator",
    "build",
    "describe",
    "describe_generator",
    "load_foreign",
    "load_generator",
    "min_side_px",
    "rebuild",
    "rebuild_slices",
]

Generator = MFANet | Peer
"""A module (N, 3, H, W) -> (N, 3, scale H, scale W) with `KIND`, `scale`, `residual_kind` and `config()`."""

PEERS: Mapping[str, type[Peer]] = {
    peer.KIND: peer
    for peer in (RRDBNet, SRResNet, IMDN, RFDN, SPAN, EDSR, SRVGGNetCompact, QuickSRNet, SPANV2)
}
"""Name -> class of the networks by other authors."""
KINDS = (MFANet.KIND, *PEERS)
"""The names of all generators in checkpoints."""


def build(kind: str, config: Mapping[str, object]) -> Generator:
    """An untrained network of a kind.

    Args:
        kind: One of `KINDS`.
        config: The arguments that the network's `config()` gives; absent ones have the defaults of its constructor.

    Raises:
        InputError: An unknown kind, arguments it does not have, or values it does not take.
    """
    if kind == MFANet.KIND:
        return MFANet.from_config(config)
    return _peer(kind).from_config(config)


def describe_generator(found: Checkpoint, path: str | Path) -> Generator:
    """The generator that a checkpoint describes, on the meta device: its scale and arguments, without weights.

    Args:
        found: What the file holds.
        path: Its path, for errors.

    Raises:
        InputError: Not a generator's checkpoint, or its arguments do not describe one.
    """
    _require_generator(found, path)
    try:
        with torch.device("meta"):
            return build(found.network, found.config)
    except InputError as error:
        raise InputError(f"checkpoint {path}: {error}") from None


def describe(found: Checkpoint, path: str | Path) -> dict[str, object]:
    """What a checkpoint's generator is: the arguments that rebuild it, with the defaults that the file leaves out.

    Args:
        found: What the file holds.
        path: Its path, for errors.

    Raises:
        InputError: As `describe_generator`.
    """
    return describe_generator(found, path).config()


def load_generator(path: str | Path, widths: str | Widths | None = None) -> Generator:
    """The generator of a checkpoint, in evaluation mode on the CPU.

    Args:
        path: The checkpoint's file.
        widths: The slice of a SuperGenerator; None for the whole network.

    Raises:
        InputError: As `checkpoint.read`; not a generator; or widths that are no searched choice, do not fit, or are
            asked of a peer, or not those of a SubGenerator.
    """
    return rebuild(checkpoint.read(path), path, widths)


def load_foreign(path: str | Path) -> Generator | SpandrelNetwork:
    """The network of a file of weights alone, without a description: one of ours, or another author's.

    Args:
        path: A PyTorch file (.pth, .pt, .ckpt) or a safetensors file.

    Returns:
        The network in evaluation mode on the CPU.

    Raises:
        InputError: As `read_weights` and `load_with_spandrel`; weights whose names are those of a known network and
            whose shapes are not.
    """
    state = read_weights(path)
    if not is_mfanet(state):
        return convert_weights(state, path) or load_with_spandrel(state, path)
    try:
        return infer_mfanet(state)
    except InputError as error:
        raise InputError(f"weights {path}: {' '.join(str(error).split()):.200}") from None


def rebuild(found: Checkpoint, path: str | Path, widths: str | Widths | None = None) -> Generator:
    """The generator of a checkpoint that is read already, in evaluation mode on the CPU.

    Args:
        found: What the file holds.
        path: Its path, for errors.
        widths: As in `load_generator`.

    Raises:
        InputError: As `load_generator`.
    """
    _require_generator(found, path)
    if found.network != MFANet.KIND:
        if widths is not None:
            raise InputError(f"checkpoint {path}: {found.network} has no slices; leave the widths out")
        return _peer(found.network).from_checkpoint(found, path)
    if widths is None:
        return MFANet.from_checkpoint(found, path)
    choice = Widths.parse(widths) if isinstance(widths, str) else widths
    if not _has_slices(found) and list(choice) != found.config.get("widths"):
        raise InputError(f"checkpoint {path}: a {found.role} has no slices; leave the widths out")
    return SuperGenerator.from_checkpoint(found, path).extract(require_choice(choice))


def rebuild_slices(found: Checkpoint, path: str | Path, widths: Sequence[str]) -> dict[str, Generator]:
    """Rebuild the slices of a checkpoint that is read already, or the whole network.

    Args:
        found: the checkpoint.
        path: its file, to name it in errors.
        widths: the slices, as text; none means the whole network, and so do any if it has no slices.

    Returns:
        Slice's short name -> network; the whole network has the name "".

    Raises:
        InputError: as `rebuild`; one slice given twice.
    """
    if not widths or not _has_slices(found):
        return {"": rebuild(found, path)}
    networks: dict[str, Generator] = {}
    for asked in widths:
        choice = Widths.parse(asked)
        name = str(choice.trunk) if choice == Widths.uniform(choice.trunk) else str(choice)
        if name in networks:
            raise InputError(f"widths {asked} are given twice; give each slice once")
        networks[name] = rebuild(found, path, choice)
    return networks


def min_side_px(network: Generator | SpandrelNetwork) -> int:
    """Find the smallest image that a network can enlarge.

    Args:
        network: a generator.

    Returns:
        Side of the LR image in px.
    """
    if isinstance(network, RFDN):
        return RFDN_MIN_SIDE_PX
    return 1 if network.residual is None else BicubicResidual.BORDER_PX


def _has_slices(found: Checkpoint) -> bool:
    """Whether narrower networks can be taken out: a SubGenerator was fine-tuned at its own widths alone."""
    return found.network == MFANet.KIND and found.role != "subgenerator"


def _require_generator(found: Checkpoint, path: str | Path) -> None:
    if found.network not in KINDS:
        raise InputError(
            f"checkpoint {path}: its network is {found.network!r}, a generator is needed here "
            f"({', '.join(KINDS)})"
        )


def _peer(kind: str) -> type[Peer]:
    if kind not in PEERS:
        raise InputError(f"network {kind!r} is unknown; choose one of: {', '.join(KINDS)}")
    return PEERS[kind]
