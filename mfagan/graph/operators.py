"""A network's operators as plain data: the one description that costs, latency prices and the TFLite mirror read.

A network lists its operators with an `OperatorRecorder` (mfagan/graph/recorder.py), block by block; a test traces
the real network (mfagan/graph/trace.py) and requires the same list. The batch size is 1 throughout.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, Self

__all__ = [
    "IN_PLACE",
    "Activation",
    "Axis",
    "Block",
    "Operator",
    "TransposedAt",
    "Window",
]

IN_PLACE = ("clamp", "hardtanh", "leaky_relu", "relu", "reshape")
"""Kinds of operators that write no new memory: they work in place, or only give the numbers another shape."""

Pair = tuple[int, int]

Axis = Literal["channels", "height", "width"]

TransposedAt = Literal["input", "output"]
"""The resolution at which the multiply-accumulates of a transposed convolution are counted (see `Operator.macs_at`)."""


@dataclass(frozen=True)
class Activation:
    """An activation of shape (channels, height, width) with a name that is unique in its network.

    A vector of F features is (1, 1, F).
    """

    name: str
    channels: int
    height: int
    width: int

    @property
    def shape(self) -> tuple[int, int, int]:
        """(channels, height, width)."""
        return self.channels, self.height, self.width

    @property
    def elements(self) -> int:
        """How many numbers it holds."""
        return self.channels * self.height * self.width


@dataclass(frozen=True)
class Window:
    """The geometry of a convolution or a pooling, as PyTorch defines it; every pair is (height, width).

    kernel: the size of the filter. stride, padding, dilation: as of `torch.nn.Conv2d`, padding with zeros on both
    sides. output_padding: of a transposed convolution alone.
    """

    kernel: Pair
    stride: Pair = (1, 1)
    padding: Pair = (0, 0)
    dilation: Pair = (1, 1)
    output_padding: Pair = (0, 0)

    @classmethod
    def square(
        cls, kernel: int, stride: int = 1, padding: int = 0, dilation: int = 1, output_padding: int = 0
    ) -> Self:
        """The window that has the same numbers along height and width.

        Args:
            kernel: Side of the filter, in pixels.
            stride: Step between two positions, in pixels.
            padding: Rows and columns of zeros that are added on each side.
            dilation: Distance of two taps of the filter, in pixels.
            output_padding: Rows and columns that a transposed convolution adds at the bottom and on the right.
        """
        return cls(*((number, number) for number in (kernel, stride, padding, dilation, output_padding)))

    @classmethod
    def same(cls, kernel: int) -> Self:
        """The window of a convolution that keeps the size.

        Args:
            kernel: Side of the filter, in pixels; an odd number.
        """
        return cls.square(kernel, padding=kernel // 2)

    @property
    def keeps_size(self) -> bool:
        """Whether the output of a convolution is as large as its input, with equal padding on both sides."""
        return self.stride == (1, 1) and all(
            2 * p == d * (k - 1) for p, d, k in zip(self.padding, self.dilation, self.kernel, strict=True)
        )

    def pads_as_same(self, height: int, width: int) -> bool:
        """Whether TensorFlow's padding SAME gives a convolution the same border, at this and every larger multiple.

        SAME pads less at the top and on the left than at the other sides if it pads an odd number, and what it pads
        depends on the size.

        Args:
            height: Rows of the input.
            width: Columns of the input.
        """
        return all(
            n % s == 0 and 2 * p == d * (k - 1) + 1 - s
            for n, k, s, p, d in zip(
                (height, width), self.kernel, self.stride, self.padding, self.dilation, strict=True
            )
        )

    @property
    def transposes_as_same(self) -> bool:
        """Whether TensorFlow's padding SAME gives a transposed convolution the output that PyTorch gives it."""
        pairs = zip(self.kernel, self.stride, self.padding, strict=True)
        return self.output_padding == (0, 0) and all(2 * p + s == k for k, s, p in pairs)

    @property
    def area(self) -> int:
        """How many taps the filter has."""
        return self.kernel[0] * self.kernel[1]

    def conv_size(self, height: int, width: int) -> Pair:
        """(height, width) of a convolution's or a pooling's output.

        Args:
            height: Rows of the input.
            width: Columns of the input.
        """
        first, second = (
            (n + 2 * p - d * (k - 1) - 1) // s + 1
            for n, k, s, p, d in zip(
                (height, width), self.kernel, self.stride, self.padding, self.dilation, strict=True
            )
        )
        return first, second

    def transposed_size(self, height: int, width: int) -> Pair:
        """(height, width) of a transposed convolution's output.

        Args:
            height: Rows of the input.
            width: Columns of the input.
        """
        first, second = (
            (n - 1) * s - 2 * p + d * (k - 1) + o + 1
            for n, k, s, p, d, o in zip(
                (height, width),
                self.kernel,
                self.stride,
                self.padding,
                self.dilation,
                self.output_padding,
                strict=True,
            )
        )
        return first, second


@dataclass(frozen=True)
class Operator:
    """One operator of a network.

    kind: conv, conv_transpose, linear, matmul; batch_norm, instance_norm, group_norm, layer_norm; leaky_relu, relu,
        sigmoid, tanh, silu, softplus, softmax, ...; add, subtract, multiply, divide, add_scalar, square, sqrt, rsqrt;
        concat, mean, pad, resample, max_pool, avg_pool, adaptive_max_pool, adaptive_avg_pool, pixel_shuffle,
        pixel_unshuffle, reshape, slice; of lowered networks also prelu, maximum, minimum, flip; after passes also
        inverse_haar (`mfagan.graph.wavelets`), abs, amax (over height and width, as a mean). A trace keeps
        PyTorch's name for a kind that is not in this list.
    inputs: the activations it reads. Weights and constants are not among them: an add, multiply or prelu with `weights`
        has one input and a constant for each channel.
    output: the activation it writes.
    weights: the module path of the weights it reads, if it was recorded; a trace does not know it. A norm reads
        `PATH.weight` and `PATH.bias` if it has parameters, and a batch norm `PATH.running_mean` and `PATH.running_var`.
    parameters: how many learned numbers it reads. A fixed filter has 0.
    terms: how many products are summed for one number of the output: of a convolution
        input channels / groups x taps; of a linear layer its input features.
    window: the geometry of a convolution or a pooling.
    groups: of a convolution or a group norm.
    bias: whether a convolution or a linear layer adds a bias.
    value: slope of a leaky_relu, the number that an add_scalar adds, limit of a maximum or minimum, factor of a
        pixel_shuffle.
    mode: of a pad: zero, reflect, replicate or symmetric (mirrored with the edge repeated); of a resample: nearest,
        bilinear or bicubic; of a fixed convolution haar, if it is the matrix of the inverse Haar transform.
    border: of a pad, the rows and columns it adds: (top, bottom, left, right).
    axis: of a concat, slice or flip.
    span: of a slice, where it begins and where it ends.
    operand: shape of the constant that an elementwise operator reads, broadcast over the output; None for one number
        for each channel.
    """

    kind: str
    inputs: tuple[Activation, ...]
    output: Activation
    weights: str = ""
    parameters: int = 0
    terms: int = 0
    window: Window | None = None
    groups: int = 1
    bias: bool = False
    value: float = 0.0
    mode: str = ""
    border: tuple[int, int, int, int] = (0, 0, 0, 0)
    axis: Axis = "channels"
    span: Pair = (0, 0)
    operand: tuple[int, int, int] | None = None

    @property
    def macs(self) -> int:
        """Multiply-accumulates, those of a transposed convolution at its input's resolution."""
        return self.macs_at("input")

    def macs_at(self, transposed: TransposedAt) -> int:
        """Multiply-accumulates by a convention; 0 for kinds other than conv, conv_transpose, linear and matmul.

        Args:
            transposed: The resolution at which a transposed convolution is counted. "input": the products that are
                really computed, one for each input pixel, channel pair and tap. "output": as if it were a
                convolution at the enlarged resolution, stride x the input's, which several papers print; stride x
                stride times as many.
        """
        if self.kind != "conv_transpose":
            return self.output.elements * self.terms
        assert self.window is not None
        x = self.inputs[0]
        enlarged = math.prod(self.window.stride) if transposed == "output" else 1
        return x.height * x.width * self.output.channels * self.terms * enlarged

    @property
    def signature(self) -> tuple[object, ...]:
        """What a trace of the real network can see of it: everything but the names."""
        return (
            self.kind,
            tuple(x.shape for x in self.inputs),
            self.output.shape,
            self.parameters,
            self.terms,
            self.window,
            self.groups,
            self.bias,
            self.value,
            "" if self.kind == "conv" else self.mode,
            self.border,
        )


@dataclass(frozen=True)
class Block:
    """Operators that are timed together.

    key: names their kind and widths; the look-up table's key.
    operators: in the order they run.
    integers: those of their inputs and outputs that are 8-bit integers (`mfagan.graph.rounding.mark_integers`).
    """

    key: str
    operators: tuple[Operator, ...]
    integers: frozenset[Activation] = frozenset()

    @cached_property
    def inputs(self) -> tuple[Activation, ...]:
        """The activations it reads from outside, in the order of first use."""
        made = {operator.output for operator in self.operators}
        read = (x for operator in self.operators for x in operator.inputs)
        return tuple(dict.fromkeys(x for x in read if x not in made))

    @cached_property
    def made(self) -> frozenset[str]:
        """Names of the activations that its operators make."""
        return frozenset(operator.output.name for operator in self.operators)

    @property
    def output(self) -> Activation:
        """The activation of its last operator."""
        return self.operators[-1].output


def join_blocks(key: str, blocks: Iterable[Block]) -> Block:
    """A network's blocks as one.

    Args:
        key: Of the whole.
        blocks: In the order they run.
    """
    listed = tuple(blocks)
    operators = tuple(operator for block in listed for operator in block.operators)
    return Block(key, operators, frozenset[Activation]().union(*(block.integers for block in listed)))
