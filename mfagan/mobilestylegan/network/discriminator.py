"""StyleGAN2's residual discriminator (Karras et al. 2020, figure 7 (c): residual nets)."""

import itertools
import math
from collections.abc import Sequence
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mfagan.errors import InputError
from mfagan.mobilestylegan.network.layers.filters import Blur
from mfagan.mobilestylegan.network.layers.geometry import require_channels, require_size
from mfagan.mobilestylegan.network.layers.linear import EqualisedLinear
from mfagan.mobilestylegan.network.layers.modulation import EPSILON, GAIN, SLOPE

__all__ = ["ResidualDiscriminator", "append_deviation"]

_MAX_GROUP = 4


def append_deviation(x: Tensor) -> Tensor:
    """Append a channel that tells how much the images of a group differ (Karras et al. 2018, section 3).

    Args:
        x: (N, C, H, W). Groups have the largest divisor of N up to 4 images.

    Returns:
        (N, C + 1, H, W).
    """
    n, channels, height, width = x.shape
    size = max(divisor for divisor in range(1, _MAX_GROUP + 1) if n % divisor == 0)
    groups = x.view(size, n // size, channels, height, width)
    deviation = (groups.var(0, unbiased=False) + EPSILON).sqrt().mean((1, 2, 3))  # (N / size,)
    return torch.cat([x, deviation.repeat(size)[:, None, None, None].expand(n, 1, height, width)], 1)


class _Conv(nn.Module):
    """An equalised convolution, with a bias and LeakyReLU unless it is plain; it may halve the size after a blur.

    Args:
        channels: Input channels.
        out: Output channels.
        kernel: Side of the filter, 1 or 3.
        down: Whether it halves the size.
        plain: Without bias and activation.
    """

    def __init__(self, channels: int, out: int, kernel: int, down: bool = False, plain: bool = False) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(out, channels, kernel, kernel))
        self.bias = None if plain else nn.Parameter(torch.zeros(out))
        # A 1x1 kernel reads every other pixel of the blurred map: the blur need not make the others.
        self.blur = Blur(padding=kernel // 2 + 1, stride=1 if kernel > 1 else 2) if down else None
        self.stride = 2 if down and kernel > 1 else 1
        self.padding = 0 if down else kernel // 2

    def forward(self, x: Tensor) -> Tensor:
        """Apply it to (N, C, H, W)."""
        x = x if self.blur is None else self.blur(x)
        weight = self.weight / math.sqrt(self.weight[0].numel())
        if self.bias is None:
            return F.conv2d(x, weight, None, self.stride, self.padding)
        y = F.conv2d(x, weight * GAIN, self.bias * GAIN, self.stride, self.padding)
        return F.leaky_relu(y, SLOPE)


class _Residual(nn.Module):
    """Two convolutions beside a linear one, at half the size.

    Args:
        channels: Input channels.
        out: Output channels.
    """

    def __init__(self, channels: int, out: int) -> None:
        super().__init__()
        self.first = _Conv(channels, channels, 3)
        self.second = _Conv(channels, out, 3, down=True)
        self.skip = _Conv(channels, out, 1, down=True, plain=True)

    def forward(self, x: Tensor) -> Tensor:
        """Apply it: (N, C, H, W) -> (N, out, H / 2, W / 2)."""
        return (self.second(self.first(x)) + self.skip(x)) / math.sqrt(2)


class ResidualDiscriminator(nn.Module):
    """Images (N, 3, size, size) in [-1, 1] -> logits (N, 1), high where they look real."""

    KIND: ClassVar[str] = "stylegan2-discriminator"
    """The network's name in checkpoints."""

    def __init__(self, channels: Sequence[int]) -> None:
        """Make an untrained network.

        Args:
            channels: At 4, 8, ..., size px; `standard_channels` gives the published ones.

        Raises:
            InputError: Channels that are not positive, or a size that is not one from 16 to 1024 px.
        """
        super().__init__()
        self.channels = require_channels(channels, "discriminator")
        self.size = require_size(4 << (len(self.channels) - 1))
        down = self.channels[::-1]
        last = down[-1]
        self.from_rgb = _Conv(3, down[0], 1)
        self.body = nn.Sequential(*(_Residual(a, b) for a, b in itertools.pairwise(down)))
        self.last = _Conv(last + 1, last, 3)
        self.hidden = EqualisedLinear(16 * last, last)
        self.logit = EqualisedLinear(last, 1)

    def config(self) -> dict[str, object]:
        """The arguments that rebuild it, as plain data."""
        return {"channels": list(self.channels)}

    def forward(self, images: Tensor) -> Tensor:
        """Compute logits.

        Args:
            images: (N, 3, size, size) in [-1, 1].

        Returns:
            (N, 1).

        Raises:
            InputError: Images of another shape.
        """
        if images.shape[1:] != (3, self.size, self.size):
            raise InputError(
                f"discriminator: images of the shape {tuple(images.shape)}; give (N, 3, {self.size}, {self.size})"
            )
        x = self.last(append_deviation(self.body(self.from_rgb(images))))  # (N, C, 4, 4)
        return self.logit(F.leaky_relu(self.hidden(x.flatten(1), GAIN), SLOPE))
