"""Weights before instance norms scaled for half precision, whose largest number is 65,504.

An instance norm squares what a convolution makes, which overflows from 256 on, and undoes any factor of a channel. So
the weights of each output channel whose norm exceeds 1 are divided by it: the channel then spreads about as much as the
convolution's input, which is a picture or what another norm has made. The norm's epsilon is not scaled with it, and a
bias before the norm, which has no effect, is scaled like the weights.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from torch import Tensor

from mfagan.graph.operators import Activation, Operator
from mfagan.graph.rewriting import Pass

__all__ = ["HalfPrecision"]


@dataclass(frozen=True)
class _Scaled:
    """The weights of a convolution, scaled.

    Args:
        layer: path of the weights.
        transposed: whether it is a transposed one.
        repeat: output channels that a pixel shuffle joins to one, which are scaled alike.
    """

    layer: str
    transposed: bool
    repeat: int

    def make(self, path: str, weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """As in `mfagan.graph.rewriting.Made`."""
        kernel = weights[f"{self.layer}.weight"]
        by_channel = (kernel.transpose(0, 1) if self.transposed else kernel).flatten(1)
        norms = (
            by_channel.norm(dim=1).view(-1, self.repeat).amax(1).clamp(min=1).repeat_interleave(self.repeat)
        )
        found = {f"{path}.weight": kernel / norms.view((1, -1, 1, 1) if self.transposed else (-1, 1, 1, 1))}
        if f"{self.layer}.bias" in weights:
            found[f"{path}.bias"] = weights[f"{self.layer}.bias"] / norms
        return found


class HalfPrecision(Pass):
    """Scales the weights of convolutions that an instance norm alone reads, through a pixel shuffle if there is one."""

    def __init__(self, operators: Sequence[Operator]) -> None:
        super().__init__(operators)
        self._paths: dict[Activation, str] = {}
        """Output of a convolution whose weights are scaled -> their new path."""
        for operator in operators:
            if operator.kind == "instance_norm":
                self._scale(operator.inputs[0])

    def _scale(self, x: Activation) -> None:
        joined = x.channels
        shuffle = self.maker(x, "pixel_shuffle")
        if shuffle is not None and len(self.readers[x]) == 1:
            (x,) = shuffle.inputs
        layer = self.made.get(x)
        if layer is None or layer.kind not in ("conv", "conv_transpose") or len(self.readers[x]) > 1:
            return
        path = f"{layer.weights}:scaled"
        self._paths[x] = path
        self.weights[path] = _Scaled(layer.weights, layer.kind == "conv_transpose", x.channels // joined)

    def rewrite(self, operator: Operator) -> list[Operator]:
        """As `Pass.rewrite`."""
        path = self._paths.get(operator.output)
        return [operator if path is None else replace(operator, weights=path)]
