"""Operators that are timed beside blocks and networks: by some a machine is known again, by others its pace."""

from dataclasses import replace

from mfagan.graph.operators import Activation, Block, Operator, Window

__all__ = ["REFERENCE", "calibration_blocks", "reference_block"]

REFERENCE = "reference"
"""The key of what runs before and after every run that is timed."""
_REFERENCE_CONVOLUTIONS = 3


def calibration_blocks() -> dict[str, Block]:
    """One matrix product (as a 1x1 convolution) and two convolutions, whose times tell machines apart."""
    return {
        "gemm": Block("gemm", (_convolution("gemm", 256, 256, 1, 32),)),
        "convolution 3x3": Block("convolution 3x3", (_convolution("convolution 3x3", 32, 32, 3, 64),)),
        "convolution 5x5": Block("convolution 5x5", (_convolution("convolution 5x5", 8, 16, 5, 96),)),
    }


def reference_block() -> Block:
    """Three 3x3 convolutions of 48 channels: about as long as a block, and with as much memory."""
    operators: list[Operator] = []
    for number in range(_REFERENCE_CONVOLUTIONS):
        operator = _convolution(f"{REFERENCE} {number}", 48, 48, 3, 96)
        inputs = (operators[-1].output,) if operators else operator.inputs
        operators.append(replace(operator, inputs=inputs))
    integers = frozenset(x for operator in operators for x in (*operator.inputs, operator.output))
    return Block(REFERENCE, tuple(operators), integers)


def _convolution(name: str, channels: int, out_channels: int, kernel: int, side_px: int) -> Operator:
    x = Activation(f"{name}.in", channels, side_px, side_px)
    terms = channels * kernel**2
    return Operator(
        "conv",
        (x,),
        Activation(f"{name}.out", out_channels, side_px, side_px),
        weights=name.replace(" ", "_"),
        parameters=out_channels * (terms + 1),
        terms=terms,
        window=Window.same(kernel),
        bias=True,
    )
