"""MobileStyleGAN's student under its authors' names and in their order of channels (bes-dev/MobileStyleGAN.pytorch)."""

import re
from collections.abc import Callable, Mapping
from pathlib import Path

from torch import Tensor

from mfagan.errors import InputError
from mfagan.importing.naming import Source, fill, first_shape
from mfagan.mobilestylegan.network.generator import MobileStyleGAN
from mfagan.mobilestylegan.network.layers.haar import group_order
from mfagan.mobilestylegan.network.student.student import RowLayout, Student
from mfagan.mobilestylegan.network.teacher.mapping import Mapping as MappingNetwork

__all__ = ["convert_student"]

_IGNORED = re.compile(r".*\bidwt\..*|.*\bdevice_info|(?!student\.|mapping_net\.|style_mean$).*")
"""Fixed filters, and what the file holds beside student and mapping network: teacher, discriminator, Inception."""

_STYLED = {
    "weight": "conv.weight",
    "depthwise": "conv.weight_dw",
    "pointwise": "conv.weight_permute",
    "fixed_style": "conv.style_inv",
    "affine.weight": "conv.modulation.weight",
    "affine.bias": "conv.modulation.bias",
    "activation.strength": "noise.weight",
    "activation.bias": "bias",
}
_HEAD = {
    "weight": "conv.weight",
    "bias": "bias",
    "affine.weight": "conv.modulation.weight",
    "affine.bias": "conv.modulation.bias",
}
_UP = {"affine.weight": "modulation.weight", "affine.bias": "modulation.bias"}

_MADE = ("weight", "pointwise", "activation.bias")
"""Weights of a styled convolution whose first axis is its output channels."""


def convert_student(
    state: Mapping[str, Tensor], path: str | Path, rows: RowLayout = "ours"
) -> MobileStyleGAN:
    """The network of the authors' file, in the form with fixed demodulation, with channels in group order.

    Args:
        state: the Lightning module's state dict.
        path: its file, to name it.
        rows: as in `RowLayout`; the authors' own W+ have rows of another layout.

    Returns:
        The network, with its mean style.

    Raises:
        InputError: weights are missing, unexpected or of other shapes.
    """
    first, _, _, _ = first_shape(state, "student.conv1.conv.weight", 4, path)
    _, features = first_shape(state, "student.conv1.conv.modulation.weight", 2, path)
    widths = [first]
    while (name := f"student.layers.{len(widths) - 1}.conv2.conv.weight_permute") in state:
        widths.append(first_shape(state, name, 4, path)[0])
    n_layers = 0
    while f"mapping_net.layers.{n_layers + 1}.weight" in state:
        n_layers += 1
    try:
        student = Student(widths, features, demodulation="fixed", rows=rows)
        mapping = MappingNetwork(features, n_layers)
    except InputError as error:
        raise InputError(f"weights {path}: {error}") from None
    mean = state.get("style_mean")
    if mean is None or mean.shape[-1:] != (features,):
        what = "is missing" if mean is None else f"has the shape {tuple(mean.shape)}"
        raise InputError(f"weights {path}: style_mean {what}, {features} numbers for each row are needed")
    # One mean, repeated for each row of their W+.
    network = MobileStyleGAN(mapping, student, mean.reshape(-1, features)[0])
    sources = {name: _source(name, student) for name in network.state_dict() if name != "w_mean"}
    fill(network, sources, {name: one for name, one in state.items() if name != "style_mean"}, _IGNORED, path)
    return network


def _source(name: str, student: Student) -> Source:
    kind, part, *rest = name.split(".")
    if kind == "mapping":
        number, leaf = rest
        return Source(f"mapping_net.layers.{int(number) + 1}.{leaf}")
    match part:
        case "constant":
            return Source("student.input.input")
        case "first":
            leaf = ".".join(rest)
            return Source(f"student.conv1.{_STYLED[leaf]}", _permuted(leaf in _MADE))
        case "heads":
            side, leaf = rest[0], ".".join(rest[1:])
            number = student.sides.index(int(side))
            path = f"student.layers.{number - 1}.to_img" if number else "student.to_img1"
            return Source(f"{path}.{_HEAD[leaf]}", _head_order if leaf == "weight" else _permuted(True))
    number, layer, leaf = rest[0], rest[1], ".".join(rest[2:])
    path = f"student.layers.{number}"
    if layer == "up":
        return Source(f"{path}.up.{_UP[leaf]}", _permuted(True))
    their = {"a": "conv1", "b": "conv2"}[layer]
    return Source(f"{path}.{their}.{_STYLED[leaf]}", _permuted(layer == "b" and leaf in _MADE))


def _permuted(rows: bool) -> Callable[[Tensor], Tensor]:
    """Puts the first axis into group order if it is one of channels that an inverse transform reads."""
    return (lambda weight: weight[group_order(len(weight))]) if rows else (lambda weight: weight)


def _head_order(weight: Tensor) -> Tensor:
    """Both axes of a head's weights: bands of the image, and the channels it reads."""
    return weight[group_order(len(weight))][:, group_order(weight.shape[1])]
