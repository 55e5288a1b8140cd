"""PatchGAN, the discriminator of MFAGAN (paper section 3.3): it judges local patches, not the whole image.

The paper gives seven convolutions without normalisation and nothing of their shape. Chosen here, after the
70-pixel PatchGAN of pix2pix (Isola et al. 2017): the first three halve the image (4x4, stride 2), so that a
patch stays smaller than the paper's crops, and 3x3 convolutions follow; channels double up to eight times the
base.

    convolution    1   2   3   4   5   6   7
    kernel         4   4   4   3   3   3   3
    stride         2   2   2   1   1   1   1
    channels       b  2b  4b  8b  8b  8b   1
"""

from torch import Tensor, nn
from torch.nn import functional as F

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


class PatchGAN(nn.Module):
    """Seven convolutions: LeakyReLU 0.2 after the first six, raw patch logits after the seventh.

    base: output channels of the first convolution; 48 for MFAGAN_L, 32 for the distilled student.

    Each logit sees 86 x 86 pixels. Images of at least 8 x 8 pixels; InputError where `base` is not positive.
    """

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
