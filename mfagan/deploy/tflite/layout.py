"""Which activations a TensorFlow Lite file has as pictures (1, H, W, C), and which as vectors or rows of numbers."""

from collections.abc import Sequence

from mfagan.graph.operators import Activation, Block, Operator

__all__ = ["find_rows", "lay_out_inputs"]

_BREAKS = ("conv", "conv_transpose", "reshape", "pixel_shuffle", "inverse_haar")
"""Kinds whose inputs and output may have different layouts."""


def find_rows(operators: Sequence[Operator]) -> set[Activation]:
    """The activations that are vectors (1, 1, features) or rows of them: what linear layers read and make.

    Args:
        operators: A whole network's or a block's, in the order they run.
    """
    found = {x for op in operators if op.kind == "linear" for x in (*op.inputs, op.output)}
    before = 0
    while len(found) > before:
        before = len(found)
        for operator in operators:
            around = {*operator.inputs, operator.output}
            if operator.kind not in _BREAKS and not found.isdisjoint(around):
                found |= around
    return found


def lay_out_inputs(graph: Block) -> list[tuple[Activation, tuple[int, ...]]]:
    """The inputs of a graph, and their shapes in a file.

    Args:
        graph: The operators.

    Returns:
        Each input in order, with (1, features), (1, rows, features) or (1, height, width, channels).
    """
    rows = find_rows(graph.operators)

    def shape(x: Activation) -> tuple[int, ...]:
        if x not in rows:
            return 1, x.height, x.width, x.channels
        return (1, x.width) if x.height == 1 else (1, x.height, x.width)

    return [(x, shape(x)) for x in graph.inputs]
