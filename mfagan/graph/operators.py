"""A network's operators as plain data: the one description that costs, latency prices and the TFLite mirror read.

A network lists its operators with a `OperatorRecorder`, block by block; a test traces the real network
(`trace_operators`) and demands the same list. Batch size is 1 throughout.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

IN_PLACE = ("leaky_relu", "relu")


@dataclass(frozen=True)
class Activation:
    """An activation of shape (channels, height, width) with a name that is unique in its network."""

    name: str
    channels: int
    height: int
    width: int

    @property
    def shape(self) -> tuple[int, int, int]:
        """(C, H, W)."""
        return self.channels, self.height, self.width

    @property
    def elements(self) -> int:
        """How many numbers it holds."""
        return self.channels * self.height * self.width


@dataclass(frozen=True)
class Operator:
    """One operator.

    kind: conv, leaky_relu, relu, concat, add, mean, subtract, square, add_scalar, sqrt, sigmoid, multiply,
        pad (symmetric, along one axis), pixel_shuffle.
    weights: the module path of a convolution's parameters; empty elsewhere.
    value: slope of a leaky_relu, the number an add_scalar adds, the factor of a pixel_shuffle.
    axis: 1 (height) or 2 (width) of a pad, which adds `value` rows or columns on both sides.
    """

    kind: str
    inputs: tuple[Activation, ...]
    output: Activation
    weights: str = ""
    kernel: int = 0
    groups: int = 1
    bias: bool = False
    value: float = 0.0
    axis: int = 0

    @property
    def parameters(self) -> int:
        """Learned numbers: weights and biases of a convolution. A convolution without a bias is a fixed filter."""
        return self.output.channels * (self._taps + 1) if self.kind == "conv" and self.bias else 0

    @property
    def macs(self) -> int:
        """Multiply-accumulates of a convolution, 0 for every other kind."""
        return self.output.elements * self._taps if self.kind == "conv" else 0

    @property
    def _taps(self) -> int:
        return self.inputs[0].channels // self.groups * self.kernel**2

    @property
    def signature(self) -> tuple:
        """What a trace of the real network can see of it."""
        return self.kind, tuple(v.shape for v in self.inputs), self.output.shape, self.kernel, self.groups


@dataclass(frozen=True)
class Block:
    """Operators that are timed together: `key` names their kind and widths and is the look-up table's key."""

    key: str
    operators: tuple[Operator, ...]

    @property
    def inputs(self) -> tuple[Activation, ...]:
        """The activations it reads from outside, in the order of first use."""
        made = {operator.output for operator in self.operators}
        read = (value for operator in self.operators for value in operator.inputs)
        return tuple(dict.fromkeys(value for value in read if value not in made))

    @property
    def output(self) -> Activation:
        """The activation of its last operator."""
        return self.operators[-1].output


class OperatorRecorder:
    """Writes down operators, in order, grouped into blocks."""

    def __init__(self) -> None:
        self.blocks: list[Block] = []
        self._operators: list[Operator] = []
        self._n_values = 0

    def close_block(self, key: str) -> None:
        """All operators since the last block form a block called `key`."""
        self.blocks.append(Block(key, tuple(self._operators)))
        self._operators = []

    def value(self, channels: int, height: int, width: int) -> Activation:
        """A new activation that no operator on the recorder makes, such as the network's input."""
        self._n_values += 1
        return Activation(f"v{self._n_values}", channels, height, width)

    def _write(
        self, kind: str, inputs: tuple[Activation, ...], shape: tuple[int, int, int], **fields
    ) -> Activation:
        output = self.value(*shape)
        self._operators.append(Operator(kind, inputs, output, **fields))
        return output

    def conv(self, x: Activation, weights: str, channels: int, kernel: int) -> Activation:
        """A learned convolution with a bias; a border of kernel // 2 zeros keeps the size."""
        shape = (channels, x.height, x.width)
        return self._write("conv", (x,), shape, weights=weights, kernel=kernel, bias=True)

    def filter(self, x: Activation, weights: str, channels: int, kernel: int) -> Activation:
        """A fixed filter bank on each channel alone, without padding or bias."""
        shape = (channels, x.height - kernel + 1, x.width - kernel + 1)
        return self._write("conv", (x,), shape, weights=weights, kernel=kernel, groups=x.channels)

    def concat(self, *parts: Activation) -> Activation:
        """Channels joined."""
        channels = sum(part.channels for part in parts)
        return self._write("concat", parts, (channels, parts[0].height, parts[0].width))

    def elementwise(self, kind: str, *inputs: Activation, value: float = 0.0) -> Activation:
        """An operator whose output has the shape of its first input."""
        return self._write(kind, inputs, inputs[0].shape, value=value)

    def mean(self, x: Activation) -> Activation:
        """The mean over height and width."""
        return self._write("mean", (x,), (x.channels, 1, 1))

    def pad(self, x: Activation, border: int, axis: int) -> Activation:
        """Symmetric padding of one axis (1: height, 2: width) on both sides."""
        shape = (x.channels, x.height + 2 * border * (axis == 1), x.width + 2 * border * (axis == 2))
        return self._write("pad", (x,), shape, value=border, axis=axis)

    def pixel_shuffle(self, x: Activation, scale: int) -> Activation:
        """Channels to space."""
        shape = (x.channels // scale**2, x.height * scale, x.width * scale)
        return self._write("pixel_shuffle", (x,), shape, value=scale)


_KINDS = {
    "convolution": "conv",
    "leaky_relu": "leaky_relu",
    "leaky_relu_": "leaky_relu",
    "relu": "relu",
    "relu_": "relu",
    "cat": "concat",
    "mean": "mean",
    "sub": "subtract",
    "sqrt": "sqrt",
    "sigmoid": "sigmoid",
    "mul": "multiply",
    "pixel_shuffle": "pixel_shuffle",
}
_NOT_COUNTED = ("detach", "view", "_unsafe_view", "expand", "slice", "clone", "select", "unsqueeze", "flip")


class _Recorder(TorchDispatchMode):
    """Writes down every operator that reaches the dispatcher."""

    def __init__(self) -> None:
        super().__init__()
        self.operators: list[Operator] = []

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        result = func(*args, **(kwargs or {}))
        name = func.overloadpacket.__name__
        if name == "pow":
            kind = "square"
        elif name == "cat" and args[1:] not in ((1,), (-3,)):
            kind = "pad"  # a mirrored border is joined to the image along its height or width
        elif name in ("add", "add_"):
            kind = "add" if isinstance(args[1], Tensor) else "add_scalar"
        elif name in _NOT_COUNTED:
            return result
        else:
            # An operator without a name of ours keeps PyTorch's, so that a comparison shows it.
            kind = _KINDS.get(name, name)
        tensors = args[0] if name == "cat" else [a for a in args if isinstance(a, Tensor)]
        if kind == "pad":
            tensors = tensors[1:2]
        elif kind == "conv":
            tensors = tensors[:1]
        fields = {}
        if kind == "conv":
            fields = {"kernel": args[1].shape[-1], "groups": args[8], "bias": args[2] is not None}
        inputs = tuple(_as_value(tensor) for tensor in tensors)
        output = result[0] if isinstance(result, tuple) else result  # max_pool2d also returns its indices
        self.operators.append(Operator(kind, inputs, _as_value(output), **fields))
        return result


def _as_value(tensor: Tensor) -> Activation:
    shape = tuple(tensor.shape[-3:])
    channels, height, width = (1,) * (3 - len(shape)) + shape
    return Activation("", channels, height, width)


def trace_operators(network: nn.Module, height: int, width: int) -> list[Operator]:
    """Every operator that a real forward pass of an RGB image runs, by PyTorch's dispatcher.

    Module hooks would miss concatenations and additions. Works for any network, the peers' included, and on
    the meta device, where nothing is computed.
    """
    parameter = next(network.parameters())
    x = torch.zeros(1, 3, height, width, device=parameter.device, dtype=parameter.dtype)
    with torch.no_grad(), _Recorder() as recorder:
        network(x)
    return recorder.operators
