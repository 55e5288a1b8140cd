"""Discriminators: PatchGAN, MFAGAN's (paper section 3.3), and ESRGAN's, which the paper compares it with.

PatchGAN judges local patches, not the whole image.

The paper gives seven convolutions without normalisation and nothing of their shape. Chosen here, after the
70-pixel PatchGAN of pix2pix (Isola et al. 2017): the first three halve the image (4x4, stride 2), so that a
patch stays smaller than the paper's crops, and 3x3 convolutions follow; channels double up to eight times the
base.

    convolution    1   2   3   4   5   6   7
    kernel         4   4   4   3   3   3   3
    stride         2   2   2   1   1   1   1
    channels       b  2b  4b  8b  8b  8b   1
"""

from abc import ABC, abstractmethod
from pathlib import Path

from torch import Tensor, nn
from torch.nn import functional as F

from mfagan import checkpoint
from mfagan.errors import InputError

SLOPE = 0.2
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

    KIND: str
    """What checkpoints call it."""

    @abstractmethod
    def config(self) -> dict[str, object]:
        """The arguments that rebuild this network."""


class PatchGAN(Discriminator):
    """Seven convolutions: LeakyReLU 0.2 after the first six, raw patch logits after the seventh.

    base: output channels of the first convolution; 48 for MFAGAN_L, 32 for the distilled student.

    Each logit sees 86 x 86 pixels. Images of at least 8 x 8 pixels; InputError where `base` is not positive.
    """

    KIND = "patchgan"

    def __init__(self, base: int = 48) -> None:
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

    @property
    def tap_channels(self) -> tuple[int, ...]:
        """Channels of each tap, in the order of `TAPS`."""
        return tuple(_LAYERS[number - 1][0] * self.base for number in TAPS)

    def config(self) -> dict[str, object]:
        """The arguments that rebuild this network."""
        return {"base": self.base}

    def forward(self, images: Tensor) -> Tensor:
        """Images (N, 3, H, W), RGB in [0, 1] -> patch logits (N, 1, H // 8, W // 8), high where real."""
        return self.taps(images)[0]

    def taps(self, images: Tensor) -> tuple[Tensor, tuple[Tensor, ...]]:
        """The logits, and the activated outputs of convolutions 2, 4 and 6.

        Images (N, 3, H, W) -> logits (N, 1, H // 8, W // 8);
        taps (N, 2b, H // 4, W // 4), (N, 8b, H // 8, W // 8), (N, 8b, H // 8, W // 8).
        """
        *activated, last = self.convs
        x, taps = images, []
        for number, conv in enumerate(activated, start=1):
            x = F.leaky_relu(conv(x), SLOPE, inplace=True)  # convolutions 1 to 3 halve H and W
            if number in TAPS:
                taps.append(x)
        return last(x), tuple(taps)


class ESRGANDiscriminator(Discriminator):
    """ESRGAN's (Wang et al. 2018): ten convolutions with batch normalisation, then two linear layers, one logit.

    It follows SRGAN's: every second convolution halves the image, channels double from `base` to eight times it.
    The linear layers tie it to one size of image. image_px: its side, a multiple of 32, at least 64: at 32 one pixel
    would be left, of which a batch of one image has no statistics to normalise by. InputError for others.
    """

    KIND = "esrgan_discriminator"
    HIDDEN = 100

    def __init__(self, image_px: int = 128, base: int = 64) -> None:
        super().__init__()
        if image_px < 64 or image_px % 32:
            raise InputError(
                f"ESRGAN's discriminator: images of {image_px} px; it halves them five times, give a multiple of 32, "
                "at least 64"
            )
        self.image_px = image_px
        self.base = base
        layers: list[nn.Module] = []
        channels = 3
        for multiple in (1, 2, 4, 8, 8):
            width = multiple * base
            layers += [nn.Conv2d(channels, width, 3, padding=1, bias=not layers)]
            layers += [nn.BatchNorm2d(width)] if channels != 3 else []
            layers += [nn.LeakyReLU(SLOPE, inplace=True), nn.Conv2d(width, width, 4, 2, 1, bias=False)]
            layers += [nn.BatchNorm2d(width), nn.LeakyReLU(SLOPE, inplace=True)]
            channels = width
        self.features = nn.Sequential(*layers)
        self.judge = nn.Sequential(
            nn.Linear(channels * (image_px // 32) ** 2, self.HIDDEN),
            nn.LeakyReLU(SLOPE, inplace=True),
            nn.Linear(self.HIDDEN, 1),
        )

    def config(self) -> dict[str, object]:
        """The arguments that rebuild this network."""
        return {"image_px": self.image_px, "base": self.base}

    def forward(self, images: Tensor) -> Tensor:
        """Images (N, 3, image_px, image_px), RGB in [0, 1] -> logits (N, 1)."""
        return self.judge(self.features(images).flatten(1))


DISCRIMINATORS: dict[str, type[Discriminator]] = {kind.KIND: kind for kind in (PatchGAN, ESRGANDiscriminator)}


def load_discriminator(path: str | Path, role: str | None = None) -> Discriminator:
    """The discriminator of a checkpoint, in float32 whatever the file keeps; InputError: another network or role."""
    found = checkpoint.read(path, role=role)
    if found.network not in DISCRIMINATORS:
        raise InputError(
            f"checkpoint {path}: its network is {found.network!r}, a discriminator is needed here"
        )
    try:
        network = DISCRIMINATORS[found.network](**found.config)
    except TypeError:
        raise InputError(
            f"checkpoint {path}: it does not describe a discriminator ({found.config})"
        ) from None
    return checkpoint.load_weights(network, found, path)
