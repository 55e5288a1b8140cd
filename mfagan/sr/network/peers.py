"""Networks of other authors to be measured against, written from their papers and published code.

Each is a plain module: (N, 3, H, W), RGB in [0, 1] -> (N, 3, scale H, scale W), not clamped. The arguments are those of
`Peer`, with the authors' values as defaults. `residual="bicubic"` adds the enlarged input, as MFANet's does (not in
their papers; it costs no parameters).

    RRDBNet          ESRGAN (Wang et al. 2018)               16,697,987 parameters at x4
    SRResNet         without batch normalisation, as BasicSR's MSRResNet   1,517,571 (our count)
    EDSR             EDSR-baseline (Lim et al. 2017)          1,517,571
    SRVGGNetCompact  Real-ESRGAN's general-x4v3 (2021)        1,213,296 (our count; printed as 1.21 M)
    IMDN             Hui et al. 2019                            715,176
    QuickSRNet       QuickSRNet-Large (Berger et al. 2023)      435,888 (our count; printed as 436 K)
    RFDN             Liu et al. 2020                            433,448
    SPAN             Wan et al. 2024, as deployed               426,288 (our count; the paper rounds to 426 K)
    SPAN, 28 features  NTIRE 2024's and 2026's reference        150,688
    SPANV2           NTIRE 2026's winner, as deployed           139,104
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mfagan.sr.network.distillation_peers import IMDN, RFDN
from mfagan.sr.network.layers import Residual
from mfagan.sr.network.peer_layers import DIV2K_MEAN, LEVELS, STEPS, Peer, conv, leaky, shrink
from mfagan.sr.network.plain_peers import QuickSRNet, SRVGGNetCompact
from mfagan.sr.network.span_peers import SPAN, SPANV2

__all__ = ["EDSR", "IMDN", "RFDN", "SPAN", "SPANV2", "QuickSRNet", "RRDBNet", "SRResNet", "SRVGGNetCompact"]


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
