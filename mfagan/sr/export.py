"""Export of a generator to TensorFlow Lite, checked against PyTorch on a photo."""

import copy

import torch
from torch import Tensor

from mfagan.data.images import resize_bicubic
from mfagan.deploy import tflite
from mfagan.sr.kinds import Generator
from mfagan.sr.lowering import lower

__all__ = ["export_generator"]


def export_generator(network: Generator, size: tuple[int, int], photo: Tensor) -> tuple[bytes, float]:
    """Convert a generator to a TFLite file for LR images of one size.

    Args:
        network: any generator; it is not changed.
        size: (height, width) of the LR image in px.
        photo: (3, H, W) RGB in [0, 1], resized to `size` for the check against PyTorch.

    Returns:
        The file's content, and its largest absolute difference from PyTorch on the photo.

    Raises:
        InputError: the check fails, or the network computes something that cannot be exported.
    """
    network = copy.deepcopy(network).cpu().float().eval()
    image = resize_bicubic(photo, size=size).clamp(0, 1)
    listed, weights = lower(network, *size)
    with torch.inference_mode():
        return tflite.export_tflite(listed, weights, network, image)
