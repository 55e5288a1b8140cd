"""Peers built of residual blocks: RRDBNet (ESRGAN), SRResNet and EDSR."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mfagan.sr.network.layers import Residual
from mfagan.sr.network.peers.peer import DIV2K_MEAN, LEVELS, STEPS, Peer, conv, leaky, shrink

__all__ = ["EDSR", "RRDBNet", "SRResNet"]


class RRDBNet(Peer):
    """ESRGAN's generator: residual in residual dense blocks, then nearest-neighbour enlargement in steps."""

    KIND = "rrdbnet"

    LAST = "tail"

    def __init__(
        self,
        scale: int = 4,
        n_blocks: int = 23,
        features: int = 64,
        growth: int = 32,
        residual: Residual = "none",
    ) -> None:
        """Build an untrained network.

        Args:
            scale: As in `Peer`.
            n_blocks: As in `Peer`.
            features: As in `Peer`.
            growth: Channels that each convolution of a dense block adds.
            residual: As in `Peer`.
        """
        super().__init__(scale, n_blocks, features, residual)
        self.growth = growth
        self.head = conv(3, features)
        self.body = nn.Sequential(
            *(_ScaledResidual(*(_DenseBlock(features, growth) for _ in range(3))) for _ in range(n_blocks))
        )
        self.body_end = conv(features, features)
        self.enlarge = nn.ModuleList(conv(features, features) for _ in STEPS[scale])
        self.refine = conv(features, features)
        self.tail = conv(features, 3)
        self.start_from_bicubic()

    def config(self) -> dict[str, object]:
        """The arguments that rebuild it, as plain data."""
        return super().config() | {"growth": self.growth}

    def forward(self, x: Tensor) -> Tensor:
        """Enlarge images.

        Args:
            x: LR images (N, 3, H, W) in [0, 1].

        Returns:
            HR images (N, 3, scale H, scale W), not clamped.
        """
        y = self.head(x)
        y = y + self.body_end(self.body(y))
        for factor, smooth in zip(STEPS[self.scale], self.enlarge, strict=True):
            y = F.interpolate(y, scale_factor=factor, mode="nearest")  # (N, f, factor H, factor W)
            y = leaky(smooth(y), 0.2)
        return self.add_residual(self.tail(leaky(self.refine(y), 0.2)), x)


class _ScaledResidual(nn.Sequential):
    """x + 0.2 f(x): keeps the deep stack stable without normalisation."""

    def forward(self, input: Tensor) -> Tensor:
        return torch.add(input, super().forward(input), alpha=0.2)


class _DenseBlock(nn.Module):
    """Five convolutions, each reading the input and all outputs before it."""

    def __init__(self, features: int, growth: int) -> None:
        super().__init__()
        self.convs = nn.ModuleList(conv(features + i * growth, growth) for i in range(4))
        self.fuse = conv(features + 4 * growth, features)
        shrink(self)

    def forward(self, x: Tensor) -> Tensor:
        parts = [x]
        for grow in self.convs:
            parts.append(leaky(grow(torch.cat(parts, 1)), 0.2))  # (N, growth, H, W)
        return torch.add(x, self.fuse(torch.cat(parts, 1)), alpha=0.2)


class SRResNet(Peer):
    """SRResNet (Ledig et al. 2017) without batch normalisation, added to the bilinearly enlarged input.

    With the bicubic residual, to that one instead.
    """

    KIND = "srresnet"

    LAST = "tail"

    def __init__(
        self, scale: int = 4, n_blocks: int = 16, features: int = 64, residual: Residual = "none"
    ) -> None:
        """Build an untrained network.

        Args:
            scale: As in `Peer`.
            n_blocks: As in `Peer`.
            features: As in `Peer`.
            residual: As in `Peer`.
        """
        super().__init__(scale, n_blocks, features, residual)
        self.head = conv(3, features)
        self.body = nn.Sequential(*(_ResidualBlock(features) for _ in range(n_blocks)))
        self.enlarge = nn.Sequential()
        for factor in STEPS[scale]:
            self.enlarge.extend(
                [
                    conv(features, features * factor**2),
                    nn.PixelShuffle(factor),
                    nn.LeakyReLU(0.1, inplace=True),
                ]
            )
        self.refine = conv(features, features)
        self.tail = conv(features, 3)
        shrink(self)
        self.start_from_bicubic()

    def forward(self, x: Tensor) -> Tensor:
        """Enlarge images.

        Args:
            x: LR images (N, 3, H, W) in [0, 1].

        Returns:
            HR images (N, 3, scale H, scale W), not clamped.
        """
        y = self.body(leaky(self.head(x), 0.1))
        y = self.enlarge(y)  # (N, f, scale H, scale W)
        image = self.tail(leaky(self.refine(y), 0.1))
        if self.residual is not None:
            return self.add_residual(image, x)
        return image + F.interpolate(x, scale_factor=self.scale, mode="bilinear", align_corners=False)


class _ResidualBlock(nn.Module):
    def __init__(self, features: int) -> None:
        super().__init__()
        self.conv_1 = conv(features, features)
        self.conv_2 = conv(features, features)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.conv_2(F.relu(self.conv_1(x), inplace=True))


class EDSR(Peer):
    """EDSR (Lim et al. 2017): residual blocks without normalisation, then enlargement in steps without activations.

    The defaults are those of EDSR-baseline. The input is centred and brought to 0..255; the output is brought back.
    With the bicubic residual, it is added to that one instead of the mean colour.
    """

    KIND = "edsr"

    mean: Tensor

    LAST = "tail"

    def __init__(
        self, scale: int = 4, n_blocks: int = 16, features: int = 64, residual: Residual = "none"
    ) -> None:
        """Build an untrained network.

        Args:
            scale: As in `Peer`.
            n_blocks: As in `Peer`.
            features: As in `Peer`.
            residual: As in `Peer`.
        """
        super().__init__(scale, n_blocks, features, residual)
        self.register_buffer("mean", torch.tensor(DIV2K_MEAN).view(1, 3, 1, 1), persistent=False)
        self.head = conv(3, features)
        self.body = nn.Sequential(*(_ResidualBlock(features) for _ in range(n_blocks)))
        self.body_end = conv(features, features)
        self.enlarge = nn.Sequential()
        for factor in STEPS[scale]:
            self.enlarge.extend([conv(features, features * factor**2), nn.PixelShuffle(factor)])
        self.tail = conv(features, 3)
        self.start_from_bicubic()

    def forward(self, x: Tensor) -> Tensor:
        """Enlarge images.

        Args:
            x: LR images (N, 3, H, W) in [0, 1].

        Returns:
            HR images (N, 3, scale H, scale W), not clamped.
        """
        head = self.head(LEVELS * (x - self.mean))
        y = head + self.body_end(self.body(head))
        image = self.tail(self.enlarge(y)) / LEVELS  # (N, 3, scale H, scale W)
        return self.add_residual(image, x) if self.residual is not None else image + self.mean
