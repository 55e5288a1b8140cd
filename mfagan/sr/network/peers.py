"""Networks of other authors to be measured against, written anew from their papers.

Each is a plain module: (N, 3, H, W), RGB in [0, 1] -> (N, 3, scale H, scale W), not clamped. `scale` is 2, 3
or 4; another is an InputError. `residual="bicubic"` adds the enlarged input, as MFANet's does (not in their
papers; it costs no parameters).

    RRDBNet    ESRGAN (Wang et al. 2018)               16,697,987 parameters at x4
    SRResNet   without batch normalisation, as BasicSR's MSRResNet   1,517,571 (our count)
    IMDN       Hui et al. 2019                            715,176
    RFDN       Liu et al. 2020                            433,448
    SPAN       Wan et al. 2024, as deployed               426,288 (our count; the paper rounds to 426 K)
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mfagan.errors import InputError
from mfagan.sr.network.layers import CCA_REDUCTION, ContrastAwareAttention, Group, Residual
from mfagan.sr.network.peer_layers import STEPS, Peer, conv, leaky, pixel_shuffled, shrink

RFDN_MIN_SIDE_PX = 15


class RRDBNet(Peer):
    """ESRGAN's generator: residual in residual dense blocks, then nearest-neighbour enlargement in steps."""

    KIND = "rrdbnet"

    last = "tail"

    def __init__(
        self,
        scale: int = 4,
        n_blocks: int = 23,
        features: int = 64,
        growth: int = 32,
        residual: Residual = "none",
    ) -> None:
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
        """What rebuilds it, as plain data."""
        return super().config() | {"growth": self.growth}

    def forward(self, x: Tensor) -> Tensor:
        """(N, 3, H, W) -> (N, 3, scale H, scale W)."""
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

    last = "tail"

    def __init__(
        self, scale: int = 4, n_blocks: int = 16, features: int = 64, residual: Residual = "none"
    ) -> None:
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
        """(N, 3, H, W) -> (N, 3, scale H, scale W)."""
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


class IMDN(Peer):
    """Information multi-distillation network: blocks joined, fused, added to the head, enlarged at once."""

    KIND = "imdn"

    last = "enlarge.0"

    def __init__(
        self, scale: int = 4, n_blocks: int = 6, features: int = 64, residual: Residual = "none"
    ) -> None:
        super().__init__(scale, n_blocks, features, residual)
        self.head = conv(3, features)
        self.blocks = nn.ModuleList(_DistillationBlock(features) for _ in range(n_blocks))
        self.fuse = conv(n_blocks * features, features, 1)
        self.smooth = conv(features, features)
        self.enlarge = pixel_shuffled(features, scale)
        self.start_from_bicubic()

    def forward(self, x: Tensor) -> Tensor:
        """(N, 3, H, W) -> (N, 3, scale H, scale W)."""
        return self.add_residual(self.enlarge(_through_blocks(self, x)), x)


class _DistillationBlock(nn.Module):
    """IMDB: after each convolution a quarter of the channels is kept and the rest goes on."""

    def __init__(self, features: int) -> None:
        super().__init__()
        self.kept = features // 4
        rest = features - self.kept
        self.convs = nn.ModuleList([conv(features, features), *(conv(rest, features) for _ in range(2))])
        self.last = conv(rest, self.kept)
        joined = Group("joined", 4 * self.kept)
        self.attention = ContrastAwareAttention(
            (joined,), Group("hidden", max(1, joined.size // CCA_REDUCTION))
        )
        self.fuse = conv(4 * self.kept, features, 1)

    def forward(self, x: Tensor) -> Tensor:
        kept, rest = [], x
        for distil in self.convs:
            y = leaky(distil(rest), 0.05)
            kept.append(y[:, : self.kept])  # (N, f / 4, H, W)
            rest = y[:, self.kept :]
        kept.append(self.last(rest))
        return self.fuse(self.attention(torch.cat(kept, 1))) + x


class RFDN(Peer):
    """Residual feature distillation network: IMDN with 1x1 distillation, inner skips and spatial attention.

    InputError for images under 15 px a side, of which the attention's pooling leaves nothing.
    """

    KIND = "rfdn"

    last = "enlarge.0"

    def __init__(
        self, scale: int = 4, n_blocks: int = 4, features: int = 50, residual: Residual = "none"
    ) -> None:
        super().__init__(scale, n_blocks, features, residual)
        self.head = conv(3, features)
        self.blocks = nn.ModuleList(_FeatureDistillationBlock(features) for _ in range(n_blocks))
        self.fuse = conv(n_blocks * features, features, 1)
        self.smooth = conv(features, features)
        self.enlarge = pixel_shuffled(features, scale)
        self.start_from_bicubic()

    def forward(self, x: Tensor) -> Tensor:
        """(N, 3, H, W) -> (N, 3, scale H, scale W)."""
        height, width = x.shape[2:]
        if min(height, width) < RFDN_MIN_SIDE_PX:
            raise InputError(
                f"image of {width}x{height} px: RFDN needs {RFDN_MIN_SIDE_PX} px a side; use larger images"
            )
        return self.add_residual(self.enlarge(_through_blocks(self, x)), x)


class _FeatureDistillationBlock(nn.Module):
    """RFDB: at each step a 1x1 convolution keeps half the channels, beside a shallow residual block."""

    def __init__(self, features: int) -> None:
        super().__init__()
        kept = features // 2
        self.keep = nn.ModuleList(conv(features, kept, 1) for _ in range(3))
        self.refine = nn.ModuleList(conv(features, features) for _ in range(3))
        self.last = conv(features, kept)
        self.fuse = conv(4 * kept, features, 1)
        self.attention = _SpatialAttention(features)

    def forward(self, x: Tensor) -> Tensor:
        kept = []
        for keep, refine in zip(self.keep, self.refine, strict=True):
            kept.append(leaky(keep(x), 0.05))  # (N, f / 2, H, W)
            x = leaky(refine(x) + x, 0.05)
        kept.append(leaky(self.last(x), 0.05))
        return self.attention(self.fuse(torch.cat(kept, 1)))


class _SpatialAttention(nn.Module):
    """ESA: every position is scaled by a gate that sees a wide neighbourhood through pooling."""

    def __init__(self, features: int) -> None:
        super().__init__()
        hidden = features // 4
        self.squeeze = conv(features, hidden, 1)
        self.bypass = conv(hidden, hidden, 1)
        self.stride = nn.Conv2d(hidden, hidden, 3, stride=2)
        self.pooled = nn.Sequential(
            conv(hidden, hidden),
            nn.ReLU(inplace=True),
            conv(hidden, hidden),
            nn.ReLU(inplace=True),
            conv(hidden, hidden),
        )
        self.excite = conv(hidden, features, 1)

    def forward(self, x: Tensor) -> Tensor:
        narrow = self.squeeze(x)  # (N, f / 4, H, W)
        wide = self.pooled(F.max_pool2d(self.stride(narrow), 7, 3))  # (N, f / 4, about H / 6, about W / 6)
        wide = F.interpolate(wide, x.shape[2:], mode="bilinear", align_corners=False)
        return x * self.excite(wide + self.bypass(narrow)).sigmoid()


class SPAN(Peer):
    """Swift parameter-free attention network, winner of NTIRE 2024's efficiency challenge.

    As deployed: plain 3x3 convolutions, into which the authors fold the branches that they train with.
    The input is centred and brought to 0..255, for which the attention is made.
    """

    KIND = "span"

    mean: Tensor

    last = "enlarge.0"

    def __init__(
        self, scale: int = 4, n_blocks: int = 6, features: int = 48, residual: Residual = "none"
    ) -> None:
        super().__init__(scale, n_blocks, features, residual)
        self.register_buffer(
            "mean", torch.tensor((0.4488, 0.4371, 0.4040)).view(1, 3, 1, 1), persistent=False
        )
        self.head = conv(3, features)
        self.blocks = nn.ModuleList(_ParameterFreeAttentionBlock(features) for _ in range(n_blocks))
        self.body_end = conv(features, features)
        self.fuse = conv(4 * features, features, 1)
        self.enlarge = pixel_shuffled(features, scale)
        self.start_from_bicubic()

    def forward(self, x: Tensor) -> Tensor:
        """(N, 3, H, W) -> (N, 3, scale H, scale W)."""
        head = self.head(255 * (x - self.mean))
        outputs, y, inner = [], head, head
        for block in self.blocks:
            y, inner = block(y)
            outputs.append(y)
        # The fourth part is the last block's first activation, not its output.
        joined = torch.cat((head, self.body_end(y), outputs[0], inner), 1)  # (N, 4f, H, W)
        return self.add_residual(self.enlarge(self.fuse(joined)), x)


class _ParameterFreeAttentionBlock(nn.Module):
    """SPAB: a residual block scaled by an odd function of its own features."""

    def __init__(self, features: int) -> None:
        super().__init__()
        self.convs = nn.ModuleList(conv(features, features) for _ in range(3))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        first, second, third = self.convs
        inner = F.silu(first(x))
        y = third(F.silu(second(inner)))
        return (y + x) * (y.sigmoid() - 0.5), inner


def _through_blocks(network: IMDN | RFDN, x: Tensor) -> Tensor:
    head = network.head(x)
    outputs, x = [], head
    for block in network.blocks:
        x = block(x)
        outputs.append(x)
    fused = leaky(network.fuse(torch.cat(outputs, 1)), 0.05)  # (N, n_blocks f, H, W) -> (N, f, H, W)
    return network.smooth(fused) + head
