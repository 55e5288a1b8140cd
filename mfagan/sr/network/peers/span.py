"""Peers with an attention made of their own features: SPAN (Wan et al. 2024) and its successor SPANV2 (2026)."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mfagan.sr.network.layers import N_COLOURS, Residual
from mfagan.sr.network.peers.peer import DIV2K_MEAN, LEVELS, Peer, conv, pixel_shuffled

__all__ = ["SPAN", "SPANV2"]


class SPAN(Peer):
    """Swift parameter-free attention network, winner of NTIRE 2024's efficiency challenge.

    As deployed: plain 3x3 convolutions, into which the authors fold the branches that they train with.
    The input is centred and brought to 0..255, for which the attention is made.
    """

    KIND = "span"

    mean: Tensor

    LAST = "enlarge.0"

    def __init__(
        self, scale: int = 4, n_blocks: int = 6, features: int = 48, residual: Residual = "none"
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
        self.blocks = nn.ModuleList(_ParameterFreeAttentionBlock(features) for _ in range(n_blocks))
        self.body_end = conv(features, features)
        self.fuse = conv(4 * features, features, 1)
        self.enlarge = pixel_shuffled(features, scale)
        self.start_from_bicubic()

    def forward(self, x: Tensor) -> Tensor:
        """Enlarge images.

        Args:
            x: LR images (N, 3, H, W) in [0, 1].

        Returns:
            HR images (N, 3, scale H, scale W), not clamped.
        """
        head = self.head(LEVELS * (x - self.mean))
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


class SPANV2(Peer):
    """SPAN with a learned gate and ReLU, winner of NTIRE 2026's efficiency challenge (team XiaomiMM).

    As deployed, without the branches that the authors train with. Each block after the first multiplies the sum of
    its input and its features by a 1x1 convolution of the features; the authors compute this in a CUDA operator of
    their own, which the challenge's counter does not see (it prints 1.59 G at 256x256, the first block and the end).
    """

    KIND = "spanv2"

    FIRST = "first.0"
    LAST = "enlarge.0"

    def __init__(
        self, scale: int = 4, n_blocks: int = 5, features: int = 32, residual: Residual = "none"
    ) -> None:
        """Build an untrained network.

        Args:
            scale: As in `Peer`.
            n_blocks: As in `Peer`; the first has no gate.
            features: As in `Peer`.
            residual: As in `Peer`.
        """
        super().__init__(scale, n_blocks, features, residual)
        pixels = N_COLOURS * scale**2
        self.near = nn.Conv2d(N_COLOURS, pixels, 3, padding=1, groups=N_COLOURS, bias=False)
        self.first = nn.Sequential(*_plain(N_COLOURS, features), nn.ReLU(inplace=True))
        self.blocks = nn.Sequential(*(_GatedBlock(features) for _ in range(n_blocks - 1)))
        joined = pixels + features
        self.gather = nn.Conv2d(joined, joined, 3, padding=1, groups=joined, bias=False)
        self.enlarge = nn.Sequential(nn.Conv2d(joined, pixels, 1, bias=False), nn.PixelShuffle(scale))
        with torch.no_grad():  # starts as nearest-neighbour enlargement
            self.near.weight.zero_()[:, :, 1, 1] = 1
        self.start_from_bicubic()

    def forward(self, x: Tensor) -> Tensor:
        """Enlarge images.

        Args:
            x: LR images (N, 3, H, W) in [0, 1].

        Returns:
            HR images (N, 3, scale H, scale W), not clamped.
        """
        joined = torch.cat((self.near(x), self.blocks(self.first(x))), 1)  # (N, 3 scale^2 + f, H, W)
        return self.add_residual(self.enlarge(self.gather(joined)), x)


def _plain(channels: int, features: int) -> list[nn.Module]:
    """Three convolutions without biases, the last one without an activation."""
    layers: list[nn.Module] = [nn.Conv2d(channels, features, 3, padding=1, bias=False)]
    for _ in range(2):
        layers += [nn.ReLU(inplace=True), nn.Conv2d(features, features, 3, padding=1, bias=False)]
    return layers


class _GatedBlock(nn.Module):
    """SPABV2: the sum of input and features, times a gate made of the features."""

    def __init__(self, features: int) -> None:
        super().__init__()
        self.convs = nn.Sequential(*_plain(features, features))
        self.gate = conv(features, features, 1)

    def forward(self, x: Tensor) -> Tensor:
        y = self.convs(x)
        return (x + y) * self.gate(y)
