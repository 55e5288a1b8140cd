"""The distances of distillation: images, their wavelet transforms, and features of VGG16 (Belousov 2021)."""

from pathlib import Path
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mfagan import pretrained

__all__ = ["FeatureDistance", "Targets", "difference", "resize_target"]

Targets = Literal["bilinear", "area"]
"""How a teacher's image is resized for the heads at lower resolutions. bilinear: corners on corners, without
antialiasing, as in the authors' code, which at 8 px reads 8 corners of a row of 1024; area: the mean of each block."""

VGG16_LAYERS = ("conv1_2", "conv2_2", "conv3_3", "conv4_3")
_VGG_SIDE_PX = 256


def difference(made: Tensor, wanted: Tensor) -> Tensor:
    """The mean absolute and the mean squared difference, added, in float32 at least.

    Args:
        made: any shape.
        wanted: the same shape.

    Returns:
        A scalar.
    """
    made, wanted = (x.to(torch.promote_types(x.dtype, torch.float32)) for x in (made, wanted))
    return F.l1_loss(made, wanted) + F.mse_loss(made, wanted)


def resize_target(image: Tensor, side: int, targets: Targets) -> Tensor:
    """What a head learns of a teacher's image.

    Args:
        image: (N, C, H, H).
        side: side of the head's image in px.
        targets: see `Targets`.

    Returns:
        (N, C, side, side).
    """
    if image.shape[-1] == side:
        return image
    if targets == "area":
        return F.interpolate(image, (side, side), mode="area")
    return F.interpolate(image, (side, side), mode="bilinear", align_corners=True)


class FeatureDistance(nn.Module):
    """The perceptual term: the mean absolute difference of activated feature maps of VGG16, added over four layers.

    Images are resized to 256 px and go in as they are, in [-1, 1], as in the authors' code.
    """

    def __init__(self, features: nn.Module) -> None:
        """Make the distance.

        Args:
            features: images -> feature maps before their activations, as `pretrained.load_vgg` gives; frozen here.
        """
        super().__init__()
        self.features = features.requires_grad_(False)

    @classmethod
    def from_weights(cls, path: str | Path) -> "FeatureDistance":
        """The distance by weights of VGG16 that are published.

        Args:
            path: their file.

        Returns:
            The distance.

        Raises:
            InputError: as `pretrained.load_vgg`.
        """
        return cls(pretrained.load_vgg("vgg16", path, VGG16_LAYERS))

    def forward(self, made: Tensor, wanted: Tensor) -> Tensor:
        """Compute the distance.

        Args:
            made: images (N, 3, H, W) in [-1, 1].
            wanted: the teacher's, likewise; they receive no gradient.

        Returns:
            A scalar.
        """
        pairs = zip(self._describe(made), self._describe(wanted.detach()), strict=True)
        return torch.stack([F.l1_loss(a.float(), b.float()) for a, b in pairs]).sum()

    def _describe(self, images: Tensor) -> list[Tensor]:
        side = (_VGG_SIDE_PX, _VGG_SIDE_PX)
        resized = F.interpolate(images, side, mode="bilinear", align_corners=False)
        return [F.relu(one) for one in self.features(resized)]
