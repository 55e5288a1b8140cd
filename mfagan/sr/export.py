"""Export of a generator to TensorFlow Lite, checked against PyTorch on a photo."""

import copy

import torch
from torch import Tensor

from mfagan.data.images import resize_bicubic
from mfagan.deploy import tflite
from mfagan.errors import InputError
from mfagan.graph.passes import DEFAULT_PASSES, rewrite_operators
from mfagan.sr.kinds import Generator
from mfagan.sr.network.mfanet import MFANet, operators

__all__ = ["export_generator", "export_tiles"]


def export_generator(network: Generator, size: tuple[int, int], photo: Tensor) -> tuple[bytes, float]:
    """Convert a generator to a TFLite file for LR images of one size.

    Args:
        network: an MFANet; it is not changed.
        size: (height, width) of the LR image in px.
        photo: (3, H, W) RGB in [0, 1], resized to `size` for the check against PyTorch.

    Returns:
        The file's content, and its largest absolute difference from PyTorch on the photo.

    Raises:
        InputError: the check fails, or the network is no MFANet: the TensorFlow network is built from a list of
            operators, which MFANet alone has.
    """
    if not isinstance(network, MFANet):
        raise InputError(f"network {network.KIND} cannot be exported: only an mfanet can; give one")
    network = copy.deepcopy(network).cpu().float().eval()
    image = resize_bicubic(photo, size=size).clamp(0, 1)
    weights = dict(network.state_dict())
    if network.residual is not None:
        weights["residual.filters"] = network.residual.filters
    listed = operators(network.widths, *size, network.scale, network.residual_kind)
    with torch.inference_mode():
        return tflite.export_tflite(listed, weights, network, image)


def export_tiles(network: MFANet, size: tuple[int, int]) -> bytes:
    """Convert a generator to a TFLite file that enlarges pictures tile by tile.

    Args:
        network: an MFANet; it is not changed.
        size: (height, width) of a tile with its overlap, in LR px, for which memory is planned; others are possible.

    Returns:
        The file's content, with the signatures of `tflite.convert_tiles`.
    """
    weights = {name: one.detach().cpu().float() for name, one in network.state_dict().items()}
    if network.residual is not None:
        weights["residual.filters"] = network.residual.filters
    listed = operators(network.widths, *size, network.scale, network.residual_kind)
    rewritten = rewrite_operators(listed, DEFAULT_PASSES)
    return tflite.convert_tiles(rewritten.operators, rewritten.cut_weights(weights))
