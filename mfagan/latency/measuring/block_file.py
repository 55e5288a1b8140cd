"""A block as a TFLite file with random weights: latency depends on shapes, not on values."""

from mfagan.deploy.tflite import converter, integers
from mfagan.graph.operators import Block
from mfagan.graph.weights import random_weights

__all__ = ["convert_block"]


def convert_block(block: Block, precision: str = "fp32") -> bytes:
    """Convert a block to a TFLite file as it stands in a network, the same one each time.

    What a pixel shuffle of the block reads from another block has its channels in the order of DEPTH_TO_SPACE: in a
    network that block's convolutions give it, and no operator of this one.

    Args:
        block: One whose operators the TFLite mirror knows; for int8 as `mfagan.graph.rounding.mark_integers` gives it.
        precision: fp32, fp16 or int8.

    Returns:
        The file's content.
    """
    weights = random_weights(block.operators)
    if precision == "int8":
        return integers.convert_int8_block(block, weights, block.inputs)
    return converter.convert(block.operators, weights, precision, block.inputs)
