"""MFANets of weights alone, without a description: sizes from their shapes, the residual from what they compute."""

from collections.abc import Container, Mapping

import torch
from torch import Tensor
from torch.nn import functional as F

from mfagan.errors import InputError
from mfagan.sr.network.layers import CFABS_PER_MFAM, find_scale
from mfagan.sr.network.mfanet import MFANet
from mfagan.sr.network.widths import NAMES, Widths

__all__ = ["infer_mfanet", "is_mfanet"]

_CFABS = [
    f"mfams.{number // CFABS_PER_MFAM}.cfab_{'ab'[number % CFABS_PER_MFAM]}"
    for number in range(len(NAMES) - 2)
]
_MARKS = [
    "head.weight",
    *(f"{path}.{part}.weight" for path in _CFABS for part in ("convs.0", "cca.squeeze")),
    "fusion.squeeze.weight",
    "fusion.reconstruct.weight",
]
_PROBE_PX = 16


def is_mfanet(names: Container[str]) -> bool:
    """Whether weights are those of an MFANet, by their names.

    Args:
        names: the names of the weights, or a state dict.

    Returns:
        True for a SuperGenerator too, which is an MFANet; False for other networks.
    """
    return all(mark in names for mark in _MARKS)


def infer_mfanet(state: Mapping[str, Tensor]) -> MFANet:
    """Rebuild the MFANet that weights belong to.

    The eight widths and the scale are read from shapes. The bicubic residual has no weights: without it a trained
    network gives the enlarged picture, with it only what is added to that, which is near zero. So the weights
    enlarge a picture of colour ramps without the residual, and it is added if the result is nearer to zero than to the
    picture. Weights that were never trained tell nothing.

    Args:
        state: name -> weight, of an MFANet (`is_mfanet`).

    Returns:
        The network in evaluation mode on the CPU, in float32.

    Raises:
        InputError: shapes are of no MFANet, or weights are missing or left over.
    """
    trunk, fusion = len(state["head.weight"]), len(state["fusion.squeeze.weight"])
    widths = Widths.of([trunk, *(len(state[f"{path}.convs.0.weight"]) for path in _CFABS), fusion])
    scale = find_scale(len(state["fusion.reconstruct.weight"]))
    network = _load(MFANet(widths, scale), state)
    if _gives_pictures(network):
        return network
    return _load(MFANet(widths, scale, "bicubic"), state)


def _load(network: MFANet, state: Mapping[str, Tensor]) -> MFANet:
    try:
        network.load_state_dict(state)
    except RuntimeError as error:
        raise InputError(f"not the weights of an MFANet of widths {network.widths} ({error})") from None
    return network.eval()


@torch.inference_mode()
def _gives_pictures(network: MFANet) -> bool:
    """Whether a network's output is nearer to the enlarged picture than to zero."""
    down = torch.linspace(0, 1, _PROBE_PX)[:, None].expand(-1, _PROBE_PX)
    picture = torch.stack((down, down.T, (down + down.T.flip(1)) / 2))[None]  # (1, 3, h, w)
    enlarged = F.interpolate(picture, scale_factor=network.scale, mode="bicubic")
    output = network(picture)
    return bool((output - enlarged).square().mean() < output.square().mean())
