"""A block as a TFLite file with random weights: latency depends on shapes, not on values."""

import math

import torch

from mfagan.deploy import tflite
from mfagan.graph.operators import Block

__all__ = ["convert_block"]

SEED = 0


def convert_block(block: Block) -> bytes:
    """Convert a block to a TFLite file, the same one each time.

    Args:
        block: one whose operators the TFLite mirror knows.

    Returns:
        The file's content.
    """
    generator = torch.Generator().manual_seed(SEED)
    weights = {
        name: torch.randn(shape, generator=generator) / max(1, math.prod(shape[1:])) ** 0.5
        for operator in block.operators
        for name, shape in tflite.weight_shapes(operator).items()
    }
    return tflite.convert(block.operators, weights)
