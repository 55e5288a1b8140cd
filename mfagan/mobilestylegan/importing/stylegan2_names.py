"""StyleGAN2 under the names of the public PyTorch implementation, rosinality/stylegan2-pytorch."""

import re
from collections.abc import Mapping
from pathlib import Path

from torch import Tensor

from mfagan.errors import InputError
from mfagan.importing.naming import Source, fill, first_shape
from mfagan.mobilestylegan.network.generator import StyleGAN2
from mfagan.mobilestylegan.network.teacher.mapping import Mapping as MappingNetwork
from mfagan.mobilestylegan.network.teacher.synthesis import Synthesis

__all__ = ["convert_stylegan2"]

_IGNORED = re.compile(r"noises\..*|.*\.kernel")
_LR_MUL = 0.01

_CONV = {
    "conv.weight": "conv.weight",
    "conv.affine.weight": "conv.modulation.weight",
    "conv.affine.bias": "conv.modulation.bias",
    "activation.strength": "noise.weight",
    "activation.bias": "activate.bias",
}
_RGB = {
    "weight": "conv.weight",
    "bias": "bias",
    "affine.weight": "conv.modulation.weight",
    "affine.bias": "conv.modulation.bias",
}
_LAYERS = {"convs": ("conv1", "convs", _CONV), "to_rgb": ("to_rgb1", "to_rgbs", _RGB)}
"""Our list of layers -> their first layer, their list of the others, and the names in a layer."""


def convert_stylegan2(state: Mapping[str, Tensor], path: str | Path) -> StyleGAN2:
    """The network of a generator's weights. Its size, channels and layers follow from their shapes.

    Args:
        state: the generator's state dict.
        path: its file, to name it.

    Returns:
        The network, without its mean style.

    Raises:
        InputError: weights are missing, unexpected or of other shapes; or the generator is conditional, or its images
            are not RGB.
    """
    _, channels, _, _, _ = first_shape(state, "conv1.conv.weight", 5, path)
    _, features = first_shape(state, "conv1.conv.modulation.weight", 2, path)
    _, read = first_shape(state, "style.1.weight", 2, path)
    if read != features:
        raise InputError(
            f"weights {path}: its mapping network reads {read} numbers for styles of {features}; conditional "
            "generators (with labels) are not taken, give one without"
        )
    colours = first_shape(state, "to_rgb1.conv.weight", 5, path)[1]
    if colours != 3:
        raise InputError(
            f"weights {path}: its images have {colours} channel(s); give a generator of RGB images"
        )
    widths = [channels]
    for i in range(1, _count_convs(state), 2):
        widths.append(first_shape(state, f"convs.{i}.conv.weight", 5, path)[1])
    try:
        network = StyleGAN2(
            MappingNetwork(features, _count_layers(state), _LR_MUL),
            Synthesis(widths, features),
        )
    except InputError as error:
        raise InputError(f"weights {path}: {error}") from None
    sources = {name: Source(_their_name(name)) for name in network.state_dict() if name != "w_mean"}
    fill(network, sources, state, _IGNORED, path)
    return network


def _count_convs(state: Mapping[str, Tensor]) -> int:
    """One more than the largest number in their names, so that one that is missing is named."""
    numbers = (re.match(r"convs\.(\d+)\.", name) for name in state)
    return max((int(found[1]) + 1 for found in numbers if found), default=0)


def _count_layers(state: Mapping[str, Tensor]) -> int:
    """How many layers the mapping network has."""
    number = 1
    while f"style.{number + 1}.weight" in state:
        number += 1
    return number


def _their_name(name: str) -> str:
    """`synthesis.convs.3.conv.affine.weight` -> `convs.2.conv.modulation.weight`."""
    kind, *rest = name.split(".")
    if kind == "mapping":
        _, number, leaf = rest
        return f"style.{int(number) + 1}.{leaf}"
    if rest == ["constant"]:
        return "input.input"
    layers, number, *inner = rest
    first, others, leaves = _LAYERS[layers]
    path = f"{others}.{int(number) - 1}" if int(number) else first
    return f"{path}.{leaves['.'.join(inner)]}"
