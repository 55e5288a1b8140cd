"""Networks of other authors to be measured against, written anew from their papers.

Each is a plain module: (N, 3, H, W), RGB in [0, 1] -> (N, 3, scale H, scale W), not clamped. `scale` is 2, 3
or 4; another is an InputError.

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
from mfagan.sr.layers import CCA_REDUCTION, ContrastAwareAttention, Group

_STEPS = {2: (2,), 3: (3,), 4: (2, 2)}  # factors of the networks that enlarge in steps


class RRDBNet(nn.Module):
    """ESRGAN's generator: residual in residual dense blocks, then nearest-neighbour enlargement in steps."""

    def __init__(self, scale: int = 4, n_blocks: int = 23, features: int = 64, growth: int = 32) -> None:
        super().__init__()
        steps = _STEPS[_checked(scale)]
        self.steps = steps
        self.head = _conv(3, features)
        self.body = nn.Sequential(
            *(_ScaledResidual(*(_DenseBlock(features, growth) for _ in range(3))) for _ in range(n_blocks))
        )
        self.body_end = _conv(features, features)
        self.enlarge = nn.ModuleList(_conv(features, features) for _ in steps)
        self.refine = _conv(features, features)
        self.tail = _conv(features, 3)

    def forward(self, x: Tensor) -> Tensor:
        """(N, 3, H, W) -> (N, 3, scale H, scale W)."""
        x = self.head(x)
        x = x + self.body_end(self.body(x))
        for factor, conv in zip(self.steps, self.enlarge, strict=True):
            x = _leaky(
                conv(F.interpolate(x, scale_factor=factor, mode="nearest")), 0.2
            )  # (N, f, factor H, factor W)
        return self.tail(_leaky(self.refine(x), 0.2))


class _ScaledResidual(nn.Sequential):
    """x + 0.2 f(x): keeps the deep stack stable without normalisation."""

    def forward(self, input: Tensor) -> Tensor:
        return torch.add(input, super().forward(input), alpha=0.2)


class _DenseBlock(nn.Module):
    """Five convolutions, each reading the input and all outputs before it."""

    def __init__(self, features: int, growth: int) -> None:
        super().__init__()
        self.convs = nn.ModuleList(_conv(features + i * growth, growth) for i in range(4))
        self.fuse = _conv(features + 4 * growth, features)
        _shrink(self)

    def forward(self, x: Tensor) -> Tensor:
        parts = [x]
        for conv in self.convs:
            parts.append(_leaky(conv(torch.cat(parts, 1)), 0.2))  # (N, growth, H, W)
        return torch.add(x, self.fuse(torch.cat(parts, 1)), alpha=0.2)


class SRResNet(nn.Module):
    """SRResNet (Ledig et al. 2017) without batch normalisation, added to the bilinearly enlarged input."""

    def __init__(self, scale: int = 4, n_blocks: int = 16, features: int = 64) -> None:
        super().__init__()
        steps = _STEPS[_checked(scale)]
        self.scale = scale
        self.head = _conv(3, features)
        self.body = nn.Sequential(*(_ResidualBlock(features) for _ in range(n_blocks)))
        self.enlarge = nn.Sequential()
        for factor in steps:
            self.enlarge.extend(
                [
                    _conv(features, features * factor**2),
                    nn.PixelShuffle(factor),
                    nn.LeakyReLU(0.1, inplace=True),
                ]
            )
        self.refine = _conv(features, features)
        self.tail = _conv(features, 3)
        _shrink(self)

    def forward(self, x: Tensor) -> Tensor:
        """(N, 3, H, W) -> (N, 3, scale H, scale W)."""
        base = F.interpolate(x, scale_factor=self.scale, mode="bilinear", align_corners=False)
        y = self.body(_leaky(self.head(x), 0.1))
        y = self.enlarge(y)  # (N, f, scale H, scale W)
        return self.tail(_leaky(self.refine(y), 0.1)) + base


class _ResidualBlock(nn.Module):
    def __init__(self, features: int) -> None:
        super().__init__()
        self.conv_1 = _conv(features, features)
        self.conv_2 = _conv(features, features)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.conv_2(F.relu(self.conv_1(x), inplace=True))


class IMDN(nn.Module):
    """Information multi-distillation network: blocks joined, fused, added to the head, enlarged at once."""

    def __init__(self, scale: int = 4, n_blocks: int = 6, features: int = 64) -> None:
        super().__init__()
        self.head = _conv(3, features)
        self.blocks = nn.ModuleList(_DistillationBlock(features) for _ in range(n_blocks))
        self.fuse = _conv(n_blocks * features, features, 1)
        self.smooth = _conv(features, features)
        self.enlarge = _enlarge(features, scale)

    def forward(self, x: Tensor) -> Tensor:
        """(N, 3, H, W) -> (N, 3, scale H, scale W)."""
        return self.enlarge(_through_blocks(self, x))


class _DistillationBlock(nn.Module):
    """IMDB: after each convolution a quarter of the channels is kept and the rest goes on."""

    def __init__(self, features: int) -> None:
        super().__init__()
        self.kept = features // 4
        rest = features - self.kept
        self.convs = nn.ModuleList([_conv(features, features), *(_conv(rest, features) for _ in range(2))])
        self.last = _conv(rest, self.kept)
        joined = Group("joined", 4 * self.kept)
        self.attention = ContrastAwareAttention(
            (joined,), Group("hidden", max(1, joined.size // CCA_REDUCTION))
        )
        self.fuse = _conv(4 * self.kept, features, 1)

    def forward(self, x: Tensor) -> Tensor:
        kept, rest = [], x
        for conv in self.convs:
            y = _leaky(conv(rest), 0.05)
            kept.append(y[:, : self.kept])  # (N, f / 4, H, W)
            rest = y[:, self.kept :]
        kept.append(self.last(rest))
        return self.fuse(self.attention(torch.cat(kept, 1))) + x


class RFDN(nn.Module):
    """Residual feature distillation network: IMDN with 1x1 distillation, inner skips and spatial attention.

    Images of at least 15 x 15 pixels.
    """

    def __init__(self, scale: int = 4, n_blocks: int = 4, features: int = 50) -> None:
        super().__init__()
        self.head = _conv(3, features)
        self.blocks = nn.ModuleList(_FeatureDistillationBlock(features) for _ in range(n_blocks))
        self.fuse = _conv(n_blocks * features, features, 1)
        self.smooth = _conv(features, features)
        self.enlarge = _enlarge(features, scale)

    def forward(self, x: Tensor) -> Tensor:
        """(N, 3, H, W) -> (N, 3, scale H, scale W)."""
        return self.enlarge(_through_blocks(self, x))


class _FeatureDistillationBlock(nn.Module):
    """RFDB: at each step a 1x1 convolution keeps half the channels, beside a shallow residual block."""

    def __init__(self, features: int) -> None:
        super().__init__()
        kept = features // 2
        self.keep = nn.ModuleList(_conv(features, kept, 1) for _ in range(3))
        self.refine = nn.ModuleList(_conv(features, features) for _ in range(3))
        self.last = _conv(features, kept)
        self.fuse = _conv(4 * kept, features, 1)
        self.attention = _SpatialAttention(features)

    def forward(self, x: Tensor) -> Tensor:
        kept = []
        for keep, refine in zip(self.keep, self.refine, strict=True):
            kept.append(_leaky(keep(x), 0.05))  # (N, f / 2, H, W)
            x = _leaky(refine(x) + x, 0.05)
        kept.append(_leaky(self.last(x), 0.05))
        return self.attention(self.fuse(torch.cat(kept, 1)))


class _SpatialAttention(nn.Module):
    """ESA: every position is scaled by a gate that sees a wide neighbourhood through pooling."""

    def __init__(self, features: int) -> None:
        super().__init__()
        hidden = features // 4
        self.squeeze = _conv(features, hidden, 1)
        self.bypass = _conv(hidden, hidden, 1)
        self.stride = nn.Conv2d(hidden, hidden, 3, stride=2)
        self.pooled = nn.Sequential(
            _conv(hidden, hidden),
            nn.ReLU(inplace=True),
            _conv(hidden, hidden),
            nn.ReLU(inplace=True),
            _conv(hidden, hidden),
        )
        self.excite = _conv(hidden, features, 1)

    def forward(self, x: Tensor) -> Tensor:
        narrow = self.squeeze(x)  # (N, f / 4, H, W)
        wide = self.pooled(F.max_pool2d(self.stride(narrow), 7, 3))  # (N, f / 4, about H / 6, about W / 6)
        wide = F.interpolate(wide, x.shape[2:], mode="bilinear", align_corners=False)
        return x * self.excite(wide + self.bypass(narrow)).sigmoid()


class SPAN(nn.Module):
    """Swift parameter-free attention network, winner of NTIRE 2024's efficiency challenge.

    As deployed: plain 3x3 convolutions, into which the authors fold the branches that they train with.
    The input is centred and brought to 0..255, for which the attention is made.
    """

    mean: Tensor

    def __init__(self, scale: int = 4, n_blocks: int = 6, features: int = 48) -> None:
        super().__init__()
        self.register_buffer(
            "mean", torch.tensor((0.4488, 0.4371, 0.4040)).view(1, 3, 1, 1), persistent=False
        )
        self.head = _conv(3, features)
        self.blocks = nn.ModuleList(_ParameterFreeAttentionBlock(features) for _ in range(n_blocks))
        self.body_end = _conv(features, features)
        self.fuse = _conv(4 * features, features, 1)
        self.enlarge = _enlarge(features, scale)

    def forward(self, x: Tensor) -> Tensor:
        """(N, 3, H, W) -> (N, 3, scale H, scale W)."""
        head = self.head(255 * (x - self.mean))
        outputs, x, inner = [], head, head
        for block in self.blocks:
            x, inner = block(x)
            outputs.append(x)
        # The fourth part is the last block's first activation, not its output.
        joined = torch.cat((head, self.body_end(x), outputs[0], inner), 1)  # (N, 4f, H, W)
        return self.enlarge(self.fuse(joined))


class _ParameterFreeAttentionBlock(nn.Module):
    """SPAB: a residual block scaled by an odd function of its own features."""

    def __init__(self, features: int) -> None:
        super().__init__()
        self.convs = nn.ModuleList(_conv(features, features) for _ in range(3))

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
    fused = _leaky(network.fuse(torch.cat(outputs, 1)), 0.05)  # (N, n_blocks f, H, W) -> (N, f, H, W)
    return network.smooth(fused) + head


def _conv(channels: int, out_channels: int, kernel: int = 3) -> nn.Conv2d:
    return nn.Conv2d(channels, out_channels, kernel, padding=kernel // 2)


def _enlarge(features: int, scale: int) -> nn.Sequential:
    return nn.Sequential(_conv(features, 3 * _checked(scale) ** 2), nn.PixelShuffle(scale))


def _leaky(x: Tensor, slope: float) -> Tensor:
    return F.leaky_relu(x, slope, inplace=True)


def _shrink(module: nn.Module) -> None:
    """ESRGAN's initialisation: a tenth of He's, biases zero."""
    for conv in module.modules():
        if isinstance(conv, nn.Conv2d):
            nn.init.kaiming_normal_(conv.weight)
            assert conv.bias is not None
            with torch.no_grad():
                conv.weight.mul_(0.1)
                conv.bias.zero_()


def _checked(scale: int) -> int:
    if scale not in _STEPS:
        raise InputError(f"scale is {scale}; choose 2, 3 or 4")
    return scale
