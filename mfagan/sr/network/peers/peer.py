"""What the peers are built of: the arguments they share, their convolutions and their initialisation."""

from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mfagan.networks.initial_weights import start_with_details
from mfagan.networks.saved_module import SavedModule
from mfagan.sr.network.layers import (
    BicubicResidual,
    Residual,
    require_residual,
    require_scale,
)

__all__ = ["DIV2K_MEAN", "LEVELS", "STEPS", "Peer", "conv", "leaky", "pixel_shuffled", "shrink"]

STEPS = {2: (2,), 3: (3,), 4: (2, 2)}
"""Scale -> the factors of the networks that enlarge in steps."""
DIV2K_MEAN = (0.4488, 0.4371, 0.4040)
"""Mean RGB of DIV2K in [0, 1], which several authors subtract from the input."""
LEVELS = 255.0
"""The largest value of the input of networks whose authors compute in 8-bit levels."""


class Peer(SavedModule):
    """A network that may add the bicubically enlarged input.

    Args:
        scale: Factor by which height and width are enlarged: 2, 3 or 4.
        n_blocks: How many blocks its body has.
        features: Channels of its body.
        residual: "bicubic" adds the enlarged input to the output, "none" does not.

    InputError for another scale or residual.
    """

    FIRST: ClassVar[str | None] = "head"
    """The path of the convolution that reads the image, None if it must not begin with details alone."""

    LAST: ClassVar[str]
    """The path of the convolution that writes the output."""

    def __init__(self, scale: int, n_blocks: int, features: int, residual: Residual) -> None:
        super().__init__()
        self.scale = require_scale(scale)
        self.n_blocks = n_blocks
        self.features = features
        self.residual_kind: Residual = require_residual(residual)
        self.residual = BicubicResidual(scale) if residual == "bicubic" else None

    def config(self) -> dict[str, object]:
        """The arguments that rebuild it, as plain data."""
        return {
            "scale": self.scale,
            "n_blocks": self.n_blocks,
            "features": self.features,
            "residual": self.residual_kind,
        }

    def start_from_bicubic(self) -> None:
        """Make the untrained network bicubic enlargement if it adds the input, with filters that see details.

        Its last weights become zero, and the first ones as in our own network, so that none has a better start.
        """
        if self.residual is None:
            return
        for parameter in self.get_submodule(self.LAST).parameters():
            nn.init.zeros_(parameter)
        if self.FIRST is not None:
            first = self.get_submodule(self.FIRST)
            assert isinstance(first, nn.Conv2d)
            start_with_details(first)

    def add_residual(self, image: Tensor, x: Tensor) -> Tensor:
        """The output plus the enlarged input, or the output alone without a residual.

        Args:
            image: The network's output (N, 3, scale H, scale W).
            x: Its input (N, 3, H, W).
        """
        return image if self.residual is None else self.residual(image, x)


def conv(channels: int, out_channels: int, kernel: int = 3) -> nn.Conv2d:
    """A convolution with a bias that keeps the size.

    Args:
        channels: Input channels.
        out_channels: Output channels.
        kernel: Side of the filter, in pixels; an odd number.
    """
    return nn.Conv2d(channels, out_channels, kernel, padding=kernel // 2)


def pixel_shuffled(features: int, scale: int) -> nn.Sequential:
    """The end of a network that enlarges at once: (N, features, H, W) -> (N, 3, scale H, scale W).

    Args:
        features: Input channels.
        scale: Factor of height and width.
    """
    return nn.Sequential(conv(features, 3 * scale**2), nn.PixelShuffle(scale))


def leaky(x: Tensor, slope: float) -> Tensor:
    """LeakyReLU, in place.

    Args:
        x: Activations of any shape; they are changed.
        slope: Slope for negative inputs.
    """
    return F.leaky_relu(x, slope, inplace=True)


def shrink(module: nn.Module) -> None:
    """Initialise convolutions as ESRGAN does: a tenth of He's weights, biases zero.

    Args:
        module: All of its convolutions are initialised.
    """
    for layer in module.modules():
        if isinstance(layer, nn.Conv2d):
            nn.init.kaiming_normal_(layer.weight)
            assert layer.bias is not None
            with torch.no_grad():
                layer.weight.mul_(0.1)
                layer.bias.zero_()
