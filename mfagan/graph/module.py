"""Each kind of operator of our networks in PyTorch's operators, on tensors (1, C, H, W)."""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from mfagan.graph.norms import EPSILON
from mfagan.graph.operators import Activation, Block, Operator

__all__ = ["OperatorModule"]

_AXES = {"channels": 1, "height": 2, "width": 3}
_PADS = {"zero": "constant", "reflect": "reflect", "replicate": "replicate"}


class OperatorModule(nn.Module):
    """A list of operators as a module: what the networks' own modules compute, without their classes."""

    def __init__(self, operators: Sequence[Operator], weights: Mapping[str, Tensor]) -> None:
        """Take the operators and their weights.

        Args:
            operators: In the order they run. The inputs are the activations that none of them makes, in the order of
                first use; the output is the last operator's.
            weights: As `mfagan.deploy.tflite.converter.convert` takes them.
        """
        super().__init__()
        self.graph = Block("", tuple(operators))
        self._finished = _find_finished(self.graph)
        self._names = {name: name.replace(".", "_") for name in weights}
        for name, tensor in weights.items():
            self.register_buffer(self._names[name], tensor)

    def forward(self, *inputs: Tensor) -> Tensor:
        """Compute all operators.

        Args:
            *inputs: Each (1, C, H, W).
        """
        values = dict(zip(self.graph.inputs, inputs, strict=True))
        for operator, finished in zip(self.graph.operators, self._finished, strict=True):
            values[operator.output] = self._apply_one(operator, [values[x] for x in operator.inputs])
            for x in finished:
                del values[x]
        return values[self.graph.output]

    def _weight(self, name: str) -> Tensor | None:
        return getattr(self, self._names[name]) if name in self._names else None

    def _apply_one(self, operator: Operator, x: list[Tensor]) -> Tensor:
        constant = self._weight(operator.weights)
        match operator.kind:
            case "conv" | "conv_transpose":
                window = operator.window
                kernel = self._weight(f"{operator.weights}.weight") if constant is None else constant
                assert window is not None
                assert kernel is not None
                bias = self._weight(f"{operator.weights}.bias")
                fields = {"stride": window.stride, "padding": window.padding, "dilation": window.dilation}
                if operator.kind == "conv":
                    return functional.conv2d(x[0], kernel, bias, groups=operator.groups, **fields)
                return functional.conv_transpose2d(
                    x[0],
                    kernel,
                    bias,
                    output_padding=window.output_padding,
                    groups=operator.groups,
                    **fields,
                )
            case "linear":
                kernel = self._weight(f"{operator.weights}.weight")
                assert kernel is not None
                return functional.linear(x[0], kernel, self._weight(f"{operator.weights}.bias"))
            case "reshape":
                return x[0].reshape(1, *operator.output.shape)
            case "add":
                return x[0] + (x[1] if constant is None else constant)
            case "multiply":
                return x[0] * (x[1] if constant is None else constant)
            case "subtract":
                return x[0] - x[1]
            case "slice":
                return x[0].narrow(
                    _AXES[operator.axis], operator.span[0], operator.span[1] - operator.span[0]
                )
            case "add_scalar":
                return x[0] + operator.value
            case "divide":
                return x[0] / x[1]
            case "maximum":
                return x[0].clamp(min=operator.value)
            case "abs":
                return x[0].abs()
            case "amax":
                return x[0].amax((2, 3), keepdim=True)
            case "square":
                return x[0].square()
            case "sqrt":
                return x[0].sqrt()
            case "rsqrt":
                return x[0].rsqrt()
            case "leaky_relu":
                return functional.leaky_relu(x[0], operator.value)
            case "relu":
                return functional.relu(x[0])
            case "sigmoid":
                return x[0].sigmoid()
            case "tanh":
                return x[0].tanh()
            case "instance_norm":
                scale, shift = (self._weight(f"{operator.weights}.{name}") for name in ("weight", "bias"))
                return functional.instance_norm(x[0], weight=scale, bias=shift, eps=EPSILON)
            case "mean":
                return x[0].mean((2, 3), keepdim=True)
            case "concat":
                return torch.cat(x, _AXES[operator.axis])
            case "pad" if operator.mode == "symmetric":
                return _pad_symmetric(x[0], operator.border)
            case "pad" if operator.mode in _PADS:
                top, bottom, left, right = operator.border
                return functional.pad(x[0], (left, right, top, bottom), _PADS[operator.mode])
            case "pixel_shuffle":
                return functional.pixel_shuffle(x[0], int(operator.value))
            case "inverse_haar":
                return _invert_haar(x[0])
            case kind:
                raise ValueError(f"operator {kind}: the PyTorch module does not know it")


def _find_finished(graph: Block) -> list[list[Activation]]:
    """For each operator the activations that no later one reads, whose memory is free from then on."""
    finished: list[list[Activation]] = []
    read = {graph.output}
    for operator in reversed(graph.operators):
        used = {*operator.inputs, operator.output}
        finished.append([x for x in used if x not in read])
        read |= used
    return finished[::-1]


def _invert_haar(bands: Tensor) -> Tensor:
    """Twice the inverse Haar transform of bands that stand one after the other."""
    low, vertical, horizontal, diagonal = bands.chunk(4, 1)
    above, below = low + vertical, low - vertical
    right, left = horizontal + diagonal, horizontal - diagonal
    pixels = torch.stack([above + right, above - right, below + left, below - left], 2)
    return functional.pixel_shuffle(pixels.flatten(1, 2), 2)


def _pad_symmetric(x: Tensor, border: tuple[int, int, int, int]) -> Tensor:
    """A mirrored border with the edge repeated, which PyTorch does not have."""
    for axis, (before, after) in ((2, border[:2]), (3, border[2:])):
        size = x.shape[axis]
        parts = [x.narrow(axis, 0, before).flip(axis), x, x.narrow(axis, size - after, after).flip(axis)]
        x = torch.cat([part for part in parts if part.shape[axis]], axis)
    return x
