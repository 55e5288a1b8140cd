"""Discriminators that more than one system builds with: their base class, and MFAGAN's PatchGAN (paper section 3.3).

PatchGAN gives a logit for every local patch, not one for the whole image.

MFAGAN's paper gives seven convolutions without normalisation and nothing of their shape. Chosen here, after the
70-pixel PatchGAN of pix2pix (Isola et al. 2017): the first three halve the image (4x4, stride 2), so that a
patch stays smaller than the paper's crops, and 3x3 convolutions follow; channels double up to eight times the
base.

    convolution    1   2   3   4   5   6   7
    kernel         4   4   4   3   3   3   3
    stride         2   2   2   1   1   1   1
    channels       b  2b  4b  8b  8b  8b   1
"""

from abc import ABC, abstractmethod
from typing import ClassVar

from torch import Tensor, nn
from torch.nn import functional as F

from mfagan.errors import InputError
from mfagan.networks.initial_weights import start_with_details

__all__ = ["RECEPTIVE_FIELD_PX", "SLOPE", "TAPS", "Discriminator", "PatchGAN"]

SLOPE = 0.2
"""Of every LeakyReLU for negative values."""
TAPS = (2, 4, 6)
"""The convolutions, counted from 1, whose activated outputs are distilled (paper equation (4))."""
RECEPTIVE_FIELD_PX = 86

# Channels / base, kernel, stride.
_LAYERS = (
    (1, 4, 2),
    (2, 4, 2),
    (4, 4, 2),
    (8, 3, 1),
    (8, 3, 1),
    (8, 3, 1),
)


class Discriminator(nn.Module, ABC):
    """Images (N, 3, H, W), RGB in [0, 1] -> logits, high where they look real."""

    KIND: ClassVar[str]
    """What checkpoints call it."""

    @abstractmethod
    def config(self) -> dict[str, object]:
        """The arguments that rebuild this network."""


class PatchGAN(Discriminator):
    """Seven convolutions: LeakyReLU 0.2 after the first six, raw patch logits after the seventh.

    Each logit sees 86 x 86 pixels. Images have at least 8 x 8 pixels.
    """

    KIND: ClassVar[str] = "patchgan"

    def __init__(self, base: int = 48) -> None:
        """Make an untrained PatchGAN.

        Args:
            base: output channels of the first convolution; 48 for MFAGAN_L, 32 for the distilled student.

        Raises:
            InputError: `base` is not positive.
        """
        super().__init__()
        if base < 1:
            raise InputError(f"PatchGAN: base width is {base}; give at least 1")
        self.base = base
        self.convs = nn.ModuleList()
        channels = 3
        for multiple, kernel, stride in _LAYERS:
            self.convs.append(nn.Conv2d(channels, multiple * base, kernel, stride, padding=1))
            channels = multiple * base
        self.convs.append(nn.Conv2d(channels, 1, 3, padding=1))
        self._start()

    def _start(self) -> None:
        """Draw the weights.

        With PyTorch's defaults the logits follow the images' brightness, which real and generated images share, and
        hundreds of steps pass before a generator whose images are merely blurred is told from the originals. So
        the first filters see details alone, biases are zero, and He's weights keep the variance of the activations.
        """
        for conv in self.convs:
            assert isinstance(conv, nn.Conv2d)
            assert conv.bias is not None
            nn.init.kaiming_normal_(conv.weight, a=SLOPE)
            nn.init.zeros_(conv.bias)
            if conv is self.convs[0]:
                start_with_details(conv)

    @property
    def tap_channels(self) -> tuple[int, ...]:
        """Channels of each tap, in the order of `TAPS`."""
        return tuple(_LAYERS[number - 1][0] * self.base for number in TAPS)

    def config(self) -> dict[str, object]:
        """The arguments that rebuild this network."""
        return {"base": self.base}

    def forward(self, images: Tensor) -> Tensor:
        """Compute the patches' logits.

        Args:
            images: (N, 3, H, W), RGB in [0, 1].

        Returns:
            (N, 1, H // 8, W // 8), high where the images look real.
        """
        return self.taps(images)[0]

    def taps(self, images: Tensor) -> tuple[Tensor, tuple[Tensor, ...]]:
        """Compute the logits and the activated outputs of convolutions 2, 4 and 6, which are distilled.

        Args:
            images: (N, 3, H, W), RGB in [0, 1].

        Returns:
            Logits (N, 1, H // 8, W // 8), and taps (N, 2b, H // 4, W // 4), (N, 8b, H // 8, W // 8) and
            (N, 8b, H // 8, W // 8), where b is the base width.
        """
        *activated, last = self.convs
        x, taps = images, []
        for number, conv in enumerate(activated, start=1):
            x = F.leaky_relu(conv(x), SLOPE, inplace=True)  # convolutions 1 to 3 halve H and W
            if number in TAPS:
                taps.append(x)
        return last(x), tuple(taps)
