"""Styles and weights scaled for half precision, whose largest number is 65,504.

An input channel times its style can overflow before demodulation brings it back. Demodulation undoes every factor of
the style and of the weights of an output channel, so each style is divided by its largest magnitude, depthwise weights
by theirs, and the weights of each output channel by theirs times sqrt(inputs of a sum), as in NVIDIA's networks in half
precision (Karras et al. 2020, StyleGAN2-ADA). Layers that are not demodulated stay as they are, and so do those of the
form `fixed`, whose factors do not depend on the style.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from mfagan.graph.operators import Activation, Operator
from mfagan.graph.rewriting import Made, Pass

__all__ = ["HalfPrecision"]

_LEAST_STYLE = 2.0**-14
"""The least normal number of half precision, which a style of zeros is divided by."""


@dataclass(frozen=True)
class _Layer:
    """The weights of a demodulated convolution.

    last: path of the convolution that mixes the channels.
    transposed: whether that is a transposed one.
    depthwise: path of the depthwise convolution before it, or "".
    terms: inputs of a sum, those of both convolutions multiplied.
    """

    last: str
    transposed: bool
    depthwise: str
    terms: int

    def depthwise_factor(self, weights: Mapping[str, Tensor]) -> Tensor:
        """What depthwise weights are multiplied by."""
        if not self.depthwise:
            return torch.tensor(1.0)
        return 1 / weights[f"{self.depthwise}.weight"].abs().amax()

    def last_factors(self, weights: Mapping[str, Tensor]) -> Tensor:
        """What the weights of each output channel are multiplied by, (out,)."""
        kernel = weights[f"{self.last}.weight"]
        largest = kernel.abs().amax((0, 2, 3) if self.transposed else (1, 2, 3))
        return 1 / (largest.clamp(min=torch.finfo(kernel.dtype).tiny) * math.sqrt(self.terms))


@dataclass(frozen=True)
class _Depthwise:
    """The depthwise weights of a layer, scaled."""

    layer: _Layer

    def make(self, path: str, weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """As in `mfagan.graph.rewriting.Made`."""
        kernel = weights[f"{self.layer.depthwise}.weight"]
        return {f"{path}.weight": kernel * self.layer.depthwise_factor(weights)}


@dataclass(frozen=True)
class _Last:
    """The weights of a layer's last convolution, scaled."""

    layer: _Layer

    def make(self, path: str, weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """As in `mfagan.graph.rewriting.Made`."""
        factors = self.layer.last_factors(weights)
        shape = (1, -1, 1, 1) if self.layer.transposed else (-1, 1, 1, 1)
        return {f"{path}.weight": weights[f"{self.layer.last}.weight"] * factors.view(shape)}


@dataclass(frozen=True)
class _Demodulation:
    """The matrix of a layer's demodulation, for the scaled weights."""

    layer: _Layer
    weights: str

    def make(self, path: str, weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """As in `mfagan.graph.rewriting.Made`."""
        factors = self.layer.last_factors(weights) * self.layer.depthwise_factor(weights)
        return {f"{path}.weight": weights[f"{self.weights}.weight"] * factors.square()[:, None]}


class HalfPrecision(Pass):
    """Scales the styles and the weights of demodulated convolutions."""

    def __init__(self, operators: Sequence[Operator]) -> None:
        super().__init__(operators)
        self._styles: dict[Activation, Activation] = {}
        """Style -> the scaled one, which is read instead."""
        self._paths: dict[Activation, str] = {}
        """Output of an operator whose weights are scaled -> their new path."""
        self._shifts: dict[Activation, float] = {}
        """Output of the operator that adds a demodulation's epsilon -> the epsilon for the scaled weights."""
        for operator in operators:
            if operator.kind == "multiply" and len(operator.inputs) == 2:
                self._scale(*operator.inputs)

    def _scale(self, y: Activation, factors: Activation) -> None:
        """Scale the layer that makes `y`, if `factors` demodulate it."""
        kinds = ("reshape", "rsqrt", "add_scalar", "linear", "square")
        chain: list[Operator] = []
        x = factors
        for kind in kinds:
            operator = self.maker(x, kind)
            if operator is None:
                return
            chain.append(operator)
            (x,) = operator.inputs
        while not (last := self.made[y]).parameters:  # the fixed filter after a transposed convolution
            (y,) = last.inputs
        before = self.maker(last.inputs[0], "conv")
        terms = last.terms * (1 if before is None else before.terms)
        depthwise = "" if before is None else before.weights
        layer = _Layer(last.weights, last.kind == "conv_transpose", depthwise, terms)
        _, _, shift, matrix, _ = chain
        self._name(matrix, _Demodulation(layer, matrix.weights))
        self._name(last, _Last(layer))
        if before is not None:
            self._name(before, _Depthwise(layer))
        self._shifts[shift.output] = shift.value / terms
        self._styles[x] = replace(x, name=f"{x.name}.scaled")

    def _name(self, operator: Operator, weights: Made) -> None:
        path = f"{operator.weights}:scaled"
        self._paths[operator.output] = path
        self.weights[path] = weights

    def rewrite(self, operator: Operator) -> list[Operator]:
        """As `Pass.rewrite`."""
        x = operator.output
        operator = replace(operator, inputs=tuple(self._styles.get(one, one) for one in operator.inputs))
        if x in self._paths:
            return [replace(operator, weights=self._paths[x])]
        if x in self._shifts:
            return [replace(operator, value=self._shifts[x])]
        if x not in self._styles:
            return [operator]
        magnitudes, number = (replace(x, name=f"{x.name}.{role}") for role in ("magnitudes", "largest"))
        largest = replace(number, width=1)
        divisor = replace(largest, name=f"{x.name}.divisor")
        return [
            operator,
            Operator("abs", (x,), magnitudes),
            Operator("amax", (magnitudes,), largest),
            Operator("maximum", (largest,), divisor, value=_LEAST_STYLE),
            Operator("divide", (x, divisor), self._styles[x]),
        ]
