"""Normalisations of channels: batch norms folded into the layers before them.

A batch norm with running statistics is a scale and a shift of each channel at inference, so the layer before it takes
them into its weights and its bias. An instance norm depends on the picture and stays an operator.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from mfagan.graph.operators import Block, Operator
from mfagan.graph.rewriting import Pass, Rewritten, apply

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["EPSILON", "FoldedNorms", "fold_batch_norms"]

EPSILON = 1e-5
"""What PyTorch's batch and instance norms add to a variance unless they are told otherwise, as ours are not."""


@dataclass(frozen=True)
class _Folded:
    """The weights of a layer that has taken a batch norm in.

    Args:
        layer: path of the layer's weights.
        norm: path of the batch norm's.
        transposed: whether the layer is a transposed convolution, whose kernel has its outputs second.
    """

    layer: str
    norm: str
    transposed: bool

    def make(self, path: str, weights: "Mapping[str, Tensor]") -> "dict[str, Tensor]":
        """As in `mfagan.graph.rewriting.Made`."""
        kernel = weights[f"{self.layer}.weight"]
        mean, variance = (weights[f"{self.norm}.running_{name}"] for name in ("mean", "var"))
        scale = (variance + EPSILON).rsqrt()
        if f"{self.norm}.weight" in weights:
            scale = scale * weights[f"{self.norm}.weight"]
        shift = (weights.get(f"{self.layer}.bias", 0) - mean) * scale + weights.get(f"{self.norm}.bias", 0)
        sizes = [1] * kernel.dim()
        sizes[1 if self.transposed else 0] = -1
        return {f"{path}.weight": kernel * scale.view(sizes), f"{path}.bias": shift}


class FoldedNorms(Pass):
    """Folds batch norms into the convolution or linear layer before them.

    One whose input is read by another operator too, or does not come from such a layer, stays.
    """

    def rewrite(self, operator: Operator) -> list[Operator]:
        """As `Pass.rewrite`."""
        if operator.kind == "batch_norm":
            source = self.made.get(operator.inputs[0])
            return [operator] if source is None or self._norm_after(source) is None else []
        norm = self._norm_after(operator)
        if norm is None:
            return [operator]
        path = operator.weights
        if path and norm.weights:
            path = f"{operator.weights}:{norm.weights}"
            self.weights[path] = _Folded(operator.weights, norm.weights, operator.kind == "conv_transpose")
        learned = operator.parameters + (0 if operator.bias else operator.output.channels)
        return [replace(operator, output=norm.output, weights=path, bias=True, parameters=learned)]

    def _norm_after(self, layer: Operator) -> Operator | None:
        """The batch norm that a layer takes in, if there is one."""
        readers = self.readers.get(layer.output, [])
        if len(readers) != 1 or readers[0].kind != "batch_norm":
            return None
        takes = layer.kind in ("conv", "linear") or (layer.kind == "conv_transpose" and layer.groups == 1)
        return readers[0] if takes else None


def fold_batch_norms(operators: Sequence[Operator]) -> list[Operator]:
    """The operators after each batch norm is folded into the convolution or linear layer before it.

    Args:
        operators: A whole network's, with names of activations.

    Returns:
        The list without the folded batch norms (`FoldedNorms`); the layers that took them have a bias.
    """
    return apply(FoldedNorms, Rewritten([Block("", tuple(operators))])).operators
