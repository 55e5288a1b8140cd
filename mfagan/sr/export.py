"""Export of a generator to TensorFlow Lite, checked against PyTorch on a photo."""

import copy

import torch
from torch import Tensor

from mfagan.data.images import resize_bicubic
from mfagan.deploy import tflite
from mfagan.graph.passes import DEFAULT_PASSES, rewrite_operators
from mfagan.sr.kinds import Generator
from mfagan.sr.lowering import lower

__all__ = ["export_generator", "export_tiles"]


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


def export_tiles(network: Generator, size: tuple[int, int]) -> bytes:
    """Convert a generator to a TFLite file that enlarges pictures tile by tile.

    Args:
        network: a generator; it is not changed.
        size: (height, width) of a tile with its overlap, in LR px, for which memory is planned; others are possible.

    Returns:
        The file's content, with the signatures of `tflite.convert_tiles`.

    Raises:
        InputError: the network computes something that cannot be exported.
    """
    listed, weights = lower(copy.deepcopy(network).cpu().float().eval(), *size)
    rewritten = rewrite_operators(listed, DEFAULT_PASSES)
    return tflite.convert_tiles(rewritten.operators, rewritten.cut_weights(weights))
