"""Export of a generator to TensorFlow Lite, checked against PyTorch on a photo."""

import torch
from torch import Tensor

from mfagan.data.images import resize_bicubic
from mfagan.deploy import tflite
from mfagan.errors import InputError
from mfagan.sr.network.kinds import Generator
from mfagan.sr.network.mfanet import MFANet, operators


def export_generator(network: Generator, size: tuple[int, int], photo: Tensor) -> tuple[bytes, float]:
    """The TFLite file of `network` for LR images of `size` (height, width), and its largest absolute difference.

    `photo` (3, H, W) is resized to `size` for the parity check. InputError where the check fails, or for a
    peer: the mirror in TensorFlow is built from a list of operators, and MFANet alone has one.
    """
    if not isinstance(network, MFANet):
        raise InputError(f"network {network.KIND} cannot be exported: only an mfanet can; give one")
    network = network.cpu().float().eval()
    image = resize_bicubic(photo, size=size).clamp(0, 1)
    weights = dict(network.state_dict())
    if network.residual is not None:
        weights["residual.filters"] = network.residual.filters
    listed = operators(network.widths, *size, network.scale, network.residual_kind)
    with torch.inference_mode():
        return tflite.export_tflite(listed, weights, network, image)
