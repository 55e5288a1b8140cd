"""The weights that operators read: their shapes, and random ones."""

import math
from collections.abc import Iterable

import torch
from torch import Tensor

from mfagan.graph.operators import Operator

__all__ = ["random_weights", "weight_shapes"]

SEED = 0


def weight_shapes(operator: Operator) -> dict[str, tuple[int, ...]]:
    """Name -> shape of the weights that an operator reads, as PyTorch holds them.

    Args:
        operator: One of any kind; the result is empty for one without weights.
    """
    if not operator.weights:
        return {}
    if operator.kind == "linear":
        shape: tuple[int, ...] = (operator.output.width, operator.terms)
        return _with_bias(operator, shape)
    if operator.kind in ("batch_norm", "instance_norm"):
        return _norm_shapes(operator)
    if operator.kind not in ("conv", "conv_transpose"):
        return {operator.weights: operator.operand or (operator.output.channels, 1, 1)}
    out, groups = operator.output.channels, operator.groups
    assert operator.window is not None
    if operator.kind == "conv":
        shape = (out, operator.inputs[0].channels // groups, *operator.window.kernel)
    else:
        shape = (operator.inputs[0].channels, out // groups, *operator.window.kernel)
    return _with_bias(operator, shape) if operator.parameters else {operator.weights: shape}


def _norm_shapes(operator: Operator) -> dict[str, tuple[int, ...]]:
    names = ("weight", "bias") if operator.parameters else ()
    if operator.kind == "batch_norm":
        names = (*names, "running_mean", "running_var")
    return {f"{operator.weights}.{name}": (operator.output.channels,) for name in names}


def _with_bias(operator: Operator, shape: tuple[int, ...]) -> dict[str, tuple[int, ...]]:
    features = operator.output.width if operator.kind == "linear" else operator.output.channels
    bias: dict[str, tuple[int, ...]] = {f"{operator.weights}.bias": (features,)} if operator.bias else {}
    return {f"{operator.weights}.weight": shape} | bias


def random_weights(operators: Iterable[Operator]) -> dict[str, Tensor]:
    """Name -> random weights, the same ones each time, that keep the size of the numbers they are applied to.

    Args:
        operators: Those that read them.
    """
    generator = torch.Generator().manual_seed(SEED)
    return {
        name: torch.randn(shape, generator=generator) / max(1, math.prod(shape[1:])) ** 0.5
        for operator in operators
        for name, shape in weight_shapes(operator).items()
    }
