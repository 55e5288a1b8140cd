"""A block as a TFLite file with random weights: latency depends on shapes, not on values."""

from mfagan.deploy.tflite import converter, integers
from mfagan.graph.operators import Block
from mfagan.graph.weights import random_weights

__all__ = ["convert_block"]


def convert_block(block: Block, precision: str = "fp32") -> bytes:
    """Convert a block to a TFLite file, the same one each time.

    Args:
        block: One whose operators the TFLite mirror knows; for int8 as `mfagan.graph.rounding.mark_integers` gives it.
        precision: fp32, fp16 or int8.

    Returns:
        The file's content.
    """
    weights = random_weights(block.operators)
    if precision == "int8":
        return integers.convert_int8_block(block, weights)
    return converter.convert(block.operators, weights, precision)
