"""The PatchGAN of pix2pix and CycleGAN (Isola et al. 2017): a logit for every patch, with norms between its layers."""

from itertools import pairwise
from typing import ClassVar, Literal

from torch import Tensor, nn
from torch.nn import functional as F

from mfagan.errors import InputError
from mfagan.networks.discriminators import SLOPE, Discriminator

__all__ = ["NormedPatchGAN"]

_START = 0.02
"""Standard deviation of the initial weights in the public code."""


class NormedPatchGAN(Discriminator):
    """Convolutions 4 with LeakyReLU 0.2: `n_layers` of stride 2, two of stride 1; channels double up to eight times.

    Each logit sees 70 x 70 px with 3 layers. No norm after the first and the last convolution. pix2pix gives it a
    picture and its translation, six channels; CycleGAN a picture.

    Args:
        channels: Of what it reads, values in [-1, 1].
        base: Output channels of the first convolution (ndf in the public code).
        n_layers: Convolutions of stride 2.
        norm: instance, without learned numbers, or batch, with them and without biases before them.

    InputError if a number is not positive, or the norm another.
    """

    KIND: ClassVar[str] = "normed_patchgan"

    def __init__(
        self,
        channels: int = 3,
        base: int = 64,
        n_layers: int = 3,
        norm: Literal["instance", "batch"] = "instance",
    ) -> None:
        super().__init__()
        for name, number in (("channels", channels), ("base", base), ("n_layers", n_layers)):
            if number < 1:
                raise InputError(f"{self.KIND}: {name} is {number}; give at least 1")
        if norm not in ("instance", "batch"):
            raise InputError(f"{self.KIND}: norm is {norm!r}; give instance or batch")
        self._arguments: dict[str, object] = {
            "channels": channels,
            "base": base,
            "n_layers": n_layers,
            "norm": norm,
        }
        widths = [base * min(2**number, 8) for number in range(n_layers + 1)]
        self.convs = nn.ModuleList([nn.Conv2d(channels, base, 4, stride=2, padding=1)])
        self.norms = nn.ModuleList()
        for number, (before, width) in enumerate(pairwise(widths), 1):
            stride = 2 if number < n_layers else 1
            self.convs.append(nn.Conv2d(before, width, 4, stride, padding=1, bias=norm == "instance"))
            self.norms.append(nn.InstanceNorm2d(width) if norm == "instance" else nn.BatchNorm2d(width))
        self.convs.append(nn.Conv2d(widths[-1], 1, 4, padding=1))
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.normal_(module.weight, 0.0, _START)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)
            elif isinstance(module, nn.BatchNorm2d):
                nn.init.normal_(module.weight, 1.0, _START)

    def config(self) -> dict[str, object]:
        """The arguments that rebuild this network."""
        return dict(self._arguments)

    def forward(self, images: Tensor) -> Tensor:
        """Compute the patches' logits.

        Args:
            images: (N, channels, H, W) in [-1, 1].

        Returns:
            (N, 1, h, w), high where the images look real: 30 x 30 of 256 x 256 px with 3 layers.
        """
        first, *middle, last = self.convs
        x = F.leaky_relu(first(images), SLOPE)
        for conv, norm in zip(middle, self.norms, strict=True):
            x = F.leaky_relu(norm(conv(x)), SLOPE)
        return last(x)
