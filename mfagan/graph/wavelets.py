"""The pass `wavelets`: inverse Haar transforms without a matrix product.

In group order channel 4c + b holds band b of channel c, and the transform is a matrix on each group before a
PixelShuffle. In band order channel b C / 4 + c holds it: the transform is eight sums and differences of quarters of the
channels. So the layers that make the bands give their channels in band order. Behind a learned convolution the matrix
goes into the convolution's weights, and the PixelShuffle alone is left.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from mfagan.graph.operators import Activation, Operator
from mfagan.graph.rewriting import Pass

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["Wavelets"]

_BANDS = 4
_SIGNS = ((1, 1, 1, 1), (1, 1, -1, -1), (1, -1, 1, -1), (1, -1, -1, 1))
"""Of the bands LL, LH, HL, HH (columns) in the pixels of a 2x2 block (rows)."""
_CHANNELWISE = ("add", "leaky_relu", "multiply", "relu")
"""Kinds that keep channels apart."""


@dataclass(frozen=True)
class _Bands:
    """Weights whose output channels, in group order, are put into another form.

    weights: path of the weights.
    form: ordered: in band order; halved: likewise, times 1/2; pixels: each group times the transform's matrix.
    """

    weights: str
    form: Literal["ordered", "halved", "pixels"]

    def make(self, path: str, weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """As in `mfagan.graph.rewriting.Made`."""
        return {
            f"{path}{ending}": self._change(weights[f"{self.weights}{ending}"])
            for ending in ("", ".weight", ".bias")
            if f"{self.weights}{ending}" in weights
        }

    def _change(self, weights: Tensor) -> Tensor:
        groups = weights.reshape(-1, _BANDS, weights[0].numel())
        if self.form == "pixels":
            matrix = weights.new_tensor(_SIGNS) / 2
            return (matrix @ groups).reshape(weights.shape)
        factor = 0.5 if self.form == "halved" else 1.0
        return groups.transpose(0, 1).reshape(weights.shape) * factor


class Wavelets(Pass):
    """matrix on groups -> PixelShuffle becomes inverse_haar in band order, or a PixelShuffle of a convolution."""

    def __init__(self, operators: Sequence[Operator]) -> None:
        super().__init__(operators)
        self._forms: dict[Activation, Literal["ordered", "halved", "pixels"]] = {}
        """Outputs of the operators whose weights change -> how."""
        self._whole: set[Activation] = set()
        """What PixelShuffles make that take their matrix in."""
        self._dropped: set[Activation] = set()
        """What matrices make that are not computed."""
        for operator in operators:
            matrix = self.maker(operator.inputs[0], "conv") if operator.kind == "pixel_shuffle" else None
            if matrix is not None and matrix.mode == "haar":
                self._take(operator, matrix)

    def _take(self, shuffle: Operator, matrix: Operator) -> None:
        bands = matrix.inputs[0]
        if not self._is_single(matrix.output) or not self._is_single(bands):
            return
        source = self.maker(bands, "conv")
        if source is not None and source.parameters and source.groups == 1:
            self._forms[bands] = "pixels"
        else:
            forms = self._order(bands, halve=True)
            if forms is None:
                return
            self._forms |= forms
            self._whole.add(shuffle.output)
        self._dropped.add(matrix.output)

    def _is_single(self, x: Activation) -> bool:
        return len(self.readers.get(x, [])) == 1

    def _order(
        self, x: Activation, halve: bool
    ) -> dict[Activation, Literal["ordered", "halved", "pixels"]] | None:
        """The operators whose weights change so that an activation is in band order; None if it cannot be.

        Args:
            x: it is read once.
            halve: whether it shall be half as large too.
        """
        made = self.made.get(x)
        if made is None or not self._is_single(x):
            return None
        if made.kind in ("linear", "conv") and made.weights and made.groups == 1:
            return {x: "halved" if halve else "ordered"}
        if made.kind == "reshape" and made.inputs[0].elements == x.channels:
            return self._order(made.inputs[0], halve)
        if made.kind in ("rsqrt", "add_scalar", "square") and not halve:
            return self._order(made.inputs[0], halve)
        if made.kind not in _CHANNELWISE:
            return None
        found: dict[Activation, Literal["ordered", "halved", "pixels"]] = {}
        if made.weights and (made.operand is None or made.operand[0] == x.channels):
            found[x] = "ordered"
        for one in reversed(made.inputs):  # of a product the style, which comes second, is halved
            forms = self._order(one, halve)
            if forms is None:
                return None
            found |= forms
            halve = halve and made.kind != "multiply"
        return None if halve and made.weights else found

    def rewrite(self, operator: Operator) -> list[Operator]:
        """As `Pass.rewrite`."""
        if operator.output in self._dropped:
            return []
        if operator.kind == "pixel_shuffle" and operator.inputs[0] in self._dropped:
            (bands,) = self.made[operator.inputs[0]].inputs
            if operator.output in self._whole:
                return [Operator("inverse_haar", (bands,), operator.output)]
            return [replace(operator, inputs=(bands,))]
        form = self._forms.get(operator.output)
        if form is None:
            return [operator]
        path = f"{operator.weights}:{form}"
        self.weights[path] = _Bands(operator.weights, form)
        return [replace(operator, weights=path)]
