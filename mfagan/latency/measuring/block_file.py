"""A block as a TFLite file with random weights: latency depends on shapes, not on values."""

from mfagan.deploy.tflite import converter
from mfagan.graph.operators import Block
from mfagan.graph.weights import random_weights

__all__ = ["convert_block"]


def convert_block(block: Block) -> bytes:
    """Convert a block to a TFLite file, the same one each time.

    Args:
        block: One whose operators the TFLite mirror knows.

    Returns:
        The file's content.
    """
    return converter.convert(block.operators, random_weights(block.operators))
