"""Normalisations of channels: batch norms folded into the layers before them.

A batch norm with running statistics is a scale and a shift of each channel at inference, so the layer before it takes
them into its weights and its bias. An instance norm depends on the picture and stays an operator.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from mfagan.graph.operators import Activation, Operator
from mfagan.graph.rewriting import Pass

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["EPSILON", "FoldedNorms"]

EPSILON = 1e-5
"""What PyTorch's batch and instance norms add to a variance unless they are told otherwise, as ours are not."""


@dataclass(frozen=True)
class _Folded:
    """The weights of a layer that has taken a batch norm in.

    Args:
        layer: path of the layer's weights.
        norm: path of the batch norm's.
        transposed: whether the layer is a transposed convolution, whose kernel has its outputs second.
        repeat: channels of the layer for each one of the norm: those that a pixel shuffle between them joins.
    """

    layer: str
    norm: str
    transposed: bool
    repeat: int

    def make(self, path: str, weights: "Mapping[str, Tensor]") -> "dict[str, Tensor]":
        """As in `mfagan.graph.rewriting.Made`."""
        kernel = weights[f"{self.layer}.weight"]
        scale = (weights[f"{self.norm}.running_var"] + EPSILON).rsqrt()
        if f"{self.norm}.weight" in weights:
            scale = scale * weights[f"{self.norm}.weight"]
        shift = weights.get(f"{self.norm}.bias", 0) - weights[f"{self.norm}.running_mean"] * scale
        scale, shift = (one.repeat_interleave(self.repeat) for one in (scale, shift))
        sizes = [1] * kernel.dim()
        sizes[1 if self.transposed else 0] = -1
        bias = weights.get(f"{self.layer}.bias", 0) * scale + shift
        return {f"{path}.weight": kernel * scale.view(sizes), f"{path}.bias": bias}


class FoldedNorms(Pass):
    """Folds batch norms into the convolution or linear layer before them, through a pixel shuffle if there is one.

    One whose input is read by another operator too, or does not come from such a layer, stays.
    """

    def __init__(self, operators: Sequence[Operator]) -> None:
        super().__init__(operators)
        self._norms: dict[Activation, Operator] = {}
        """Output of a layer -> the batch norm that it takes in."""
        self._outputs: dict[Activation, Activation] = {}
        """What a batch norm reads -> what it made."""
        for norm in operators:
            layer = self._layer_before(norm) if norm.kind == "batch_norm" else None
            if layer is not None:
                self._norms[layer.output] = norm
                self._outputs[norm.inputs[0]] = norm.output

    def rewrite(self, operator: Operator) -> list[Operator]:
        """As `Pass.rewrite`."""
        x = operator.output
        if operator.inputs[0] in self._outputs:
            return []
        norm = self._norms.get(x)
        if norm is not None:
            operator = self._fold(operator, norm)
        return [replace(operator, output=self._outputs.get(x, x))]

    def _fold(self, layer: Operator, norm: Operator) -> Operator:
        path, channels = layer.weights, layer.output.channels
        if path and norm.weights:
            path = f"{layer.weights}:{norm.weights}"
            repeat = channels // norm.output.channels
            transposed = layer.kind == "conv_transpose"
            self.weights[path] = _Folded(layer.weights, norm.weights, transposed, repeat)
        learned = layer.parameters + (0 if layer.bias else channels)
        return replace(layer, weights=path, bias=True, parameters=learned)

    def _layer_before(self, norm: Operator) -> Operator | None:
        """The layer that takes a batch norm in, if there is one."""
        source = self._only_read(norm.inputs[0])
        if source is not None and source.kind == "pixel_shuffle":
            source = self._only_read(source.inputs[0])
        if source is None:
            return None
        takes = source.kind in ("conv", "linear") or (source.kind == "conv_transpose" and source.groups == 1)
        return source if takes else None

    def _only_read(self, x: Activation) -> Operator | None:
        """What makes an activation that one operator alone reads."""
        return self.made.get(x) if len(self.readers[x]) == 1 else None
