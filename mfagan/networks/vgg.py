"""The convolutions of VGG16 and VGG19 (Simonyan and Zisserman 2015), whose feature maps perceptual losses compare."""

from collections.abc import Collection, Sequence
from typing import Literal

from torch import Tensor, nn

from mfagan.errors import InputError

__all__ = ["VggBackbone", "VggFeatures", "vgg_layers"]

VggBackbone = Literal["vgg19", "vgg16"]

_CONVOLUTIONS: dict[VggBackbone, Sequence[int]] = {"vgg19": (2, 2, 4, 4, 4), "vgg16": (2, 2, 3, 3, 3)}
"""How many each of the five blocks has; a pooling ends a block."""
_CHANNELS = (64, 128, 256, 512, 512)


def vgg_layers(backbone: VggBackbone) -> dict[str, int]:
    """The convolutions of a VGG by name.

    Args:
        backbone: which VGG.

    Returns:
        `conv1_1` to the last, in order -> the index among torchvision's `features`.
    """
    layers: dict[str, int] = {}
    index = 0
    for block, convolutions in enumerate(_CONVOLUTIONS[backbone], start=1):
        for number in range(1, convolutions + 1):
            layers[f"conv{block}_{number}"] = index
            index += 2  # an activation follows each
        index += 1  # the pooling
    return layers


class VggFeatures(nn.Module):
    """A VGG up to the last of the layers that are read, with torchvision's names of weights."""

    def __init__(self, backbone: VggBackbone, layers: Collection[str]) -> None:
        """Make the layers, with random weights.

        Args:
            backbone: which VGG.
            layers: names of the convolutions to read, at least one, such as `conv5_4`.

        Raises:
            InputError: no layer, or one that the VGG does not have.
        """
        super().__init__()
        known = vgg_layers(backbone)
        for name in layers:
            if name not in known:
                raise InputError(f"{backbone} has no layer {name!r}: choose from {', '.join(known)}")
        if not layers:
            raise InputError(f"no layer of {backbone} is given: choose from {', '.join(known)}")
        self._read = tuple(known[name] for name in layers)
        modules: list[nn.Module] = []
        channels = 3
        for convolutions, width in zip(_CONVOLUTIONS[backbone], _CHANNELS, strict=True):
            for _ in range(convolutions):
                # Not in place: the map before the activation is what is read.
                modules += [nn.Conv2d(channels, width, 3, padding=1), nn.ReLU()]
                channels = width
            modules.append(nn.MaxPool2d(2))
        self.features = nn.Sequential(*modules[: max(self._read) + 1])

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        """Compute the feature maps before their activations.

        Args:
            images: (N, 3, H, W), RGB normalised with ImageNet's mean and standard deviation, at least 16 x 16 px.

        Returns:
            One map a layer, in the order given: (N, C, H / 2^b, W / 2^b), rounded down, after b poolings.
        """
        maps: dict[int, Tensor] = {}
        x = images
        for index, layer in enumerate(self.features):
            x = layer(x)
            if index in self._read:
                maps[index] = x
        return tuple(maps[index] for index in self._read)
