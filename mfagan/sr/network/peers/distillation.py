"""Peers that keep a part of the channels after each convolution: IMDN (Hui et al. 2019), RFDN (Liu et al. 2020).

Distillation of information is their authors' word for it; nothing is distilled from a teacher.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mfagan.errors import InputError
from mfagan.sr.network.layers import CCA_REDUCTION, ContrastAwareAttention, Group, Residual
from mfagan.sr.network.peers.peer import Peer, conv, leaky, pixel_shuffled

__all__ = ["IMDN", "RFDN", "RFDN_MIN_SIDE_PX"]

RFDN_MIN_SIDE_PX = 15
"""The shortest side of an image that RFDN takes."""


class IMDN(Peer):
    """Information multi-distillation network: blocks joined, fused, added to the head, enlarged at once."""

    KIND = "imdn"

    LAST = "enlarge.0"

    def __init__(
        self, scale: int = 4, n_blocks: int = 6, features: int = 64, residual: Residual = "none"
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
        self.blocks = nn.ModuleList(_DistillationBlock(features) for _ in range(n_blocks))
        self.fuse = conv(n_blocks * features, features, 1)
        self.smooth = conv(features, features)
        self.enlarge = pixel_shuffled(features, scale)
        self.start_from_bicubic()

    def forward(self, x: Tensor) -> Tensor:
        """Enlarge images.

        Args:
            x: LR images (N, 3, H, W) in [0, 1].

        Returns:
            HR images (N, 3, scale H, scale W), not clamped.
        """
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
    """Residual feature distillation network: IMDN with 1x1 distillation, inner skips and spatial attention."""

    KIND = "rfdn"

    LAST = "enlarge.0"

    def __init__(
        self, scale: int = 4, n_blocks: int = 4, features: int = 50, residual: Residual = "none"
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
        self.blocks = nn.ModuleList(_FeatureDistillationBlock(features) for _ in range(n_blocks))
        self.fuse = conv(n_blocks * features, features, 1)
        self.smooth = conv(features, features)
        self.enlarge = pixel_shuffled(features, scale)
        self.start_from_bicubic()

    def forward(self, x: Tensor) -> Tensor:
        """Enlarge images.

        Args:
            x: LR images (N, 3, H, W) in [0, 1].

        Returns:
            HR images (N, 3, scale H, scale W), not clamped.

        Raises:
            InputError: An image under 15 px a side, of which the attention's pooling leaves nothing.
        """
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


def _through_blocks(network: IMDN | RFDN, x: Tensor) -> Tensor:
    head = network.head(x)
    outputs, x = [], head
    for block in network.blocks:
        x = block(x)
        outputs.append(x)
    fused = leaky(network.fuse(torch.cat(outputs, 1)), 0.05)  # (N, n_blocks f, H, W) -> (N, f, H, W)
    return network.smooth(fused) + head
