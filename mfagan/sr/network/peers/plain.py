"""Peers that are one plain stack of convolutions: SRVGGNetCompact (Real-ESRGAN) and QuickSRNet (Qualcomm)."""

from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mfagan.errors import InputError
from mfagan.sr.network.layers import N_COLOURS, Residual
from mfagan.sr.network.peers.peer import Peer, conv, pixel_shuffled

__all__ = ["CompactActivation", "QuickSRNet", "SRVGGNetCompact"]

CompactActivation = Literal["prelu", "relu", "leakyrelu"]
"""The activations of SRVGGNetCompact by its authors' names: PReLU, ReLU, LeakyReLU of slope 0.1."""

_SLOPES: dict[CompactActivation, float] = {"prelu": 0.25, "relu": 0.0, "leakyrelu": 0.1}
"""Of the activations of an untrained network, for negative values."""


class SRVGGNetCompact(Peer):
    """The compact network of Real-ESRGAN (Wang et al. 2021), added to the input enlarged by nearest neighbours.

    The defaults are those of its general-x4v3 weights; 16 blocks are the XS form, that of its video weights for anime.
    With the bicubic residual, it is added to that one instead.
    """

    KIND = "srvggnetcompact"

    FIRST = "body.0"
    LAST = "enlarge.0"

    def __init__(
        self,
        scale: int = 4,
        n_blocks: int = 32,
        features: int = 64,
        residual: Residual = "none",
        activation: CompactActivation = "prelu",
    ) -> None:
        """Build an untrained network.

        Args:
            scale: As in `Peer`.
            n_blocks: Convolutions between the first and the last one.
            features: As in `Peer`.
            residual: As in `Peer`.
            activation: After each convolution but the last.
        """
        super().__init__(scale, n_blocks, features, residual)
        self.activation: CompactActivation = activation
        self.body = nn.Sequential(conv(N_COLOURS, features), _activate(activation, features))
        for _ in range(n_blocks):
            self.body.extend([conv(features, features), _activate(activation, features)])
        self.enlarge = pixel_shuffled(features, scale)
        self.start_from_bicubic()

    def start_from_bicubic(self) -> None:
        """As of every peer, with He's weights in its body if it adds the input.

        With PyTorch's, each convolution passes on a fraction of what it gets, and after 32 of them without a skip
        nothing is left to learn from.
        """
        if self.residual is not None:
            for layer in self.body:
                if isinstance(layer, nn.Conv2d):
                    nn.init.kaiming_normal_(layer.weight, a=_SLOPES[self.activation])
                    assert layer.bias is not None
                    nn.init.zeros_(layer.bias)
        super().start_from_bicubic()

    def config(self) -> dict[str, object]:
        """The arguments that rebuild it, as plain data."""
        return super().config() | {"activation": self.activation}

    def forward(self, x: Tensor) -> Tensor:
        """Enlarge images.

        Args:
            x: LR images (N, 3, H, W) in [0, 1].

        Returns:
            HR images (N, 3, scale H, scale W), not clamped.
        """
        image = self.enlarge(self.body(x))
        if self.residual is not None:
            return self.add_residual(image, x)
        return image + F.interpolate(x, scale_factor=self.scale, mode="nearest")


def _activate(name: object, features: int) -> nn.Module:
    match name:
        case "prelu":
            return nn.PReLU(features)
        case "relu":
            return nn.ReLU(inplace=True)
        case "leakyrelu":
            return nn.LeakyReLU(_SLOPES["leakyrelu"], inplace=True)
        case _:
            raise InputError(f"activation {name!r}: give prelu, relu or leakyrelu")


class QuickSRNet(Peer):
    """QuickSRNet (Berger et al. 2023): convolutions clipped to [0, 1], added to a learned copy of the input.

    The defaults are those of QuickSRNet-Large. Each convolution starts near the identity. The authors clip the output
    to [0, 1] as well; here that is left to the caller, as for all networks. With the bicubic residual, the learned copy
    starts at zero.
    """

    KIND = "quicksrnet"

    FIRST = None  # its activations are clipped to the range of the image, [0, 1]
    LAST = "enlarge.0"

    def __init__(
        self, scale: int = 4, n_blocks: int = 11, features: int = 64, residual: Residual = "none"
    ) -> None:
        """Build an untrained network.

        Args:
            scale: As in `Peer`.
            n_blocks: Convolutions between the first and the last one.
            features: As in `Peer`.
            residual: As in `Peer`.
        """
        super().__init__(scale, n_blocks, features, residual)
        self.body = nn.Sequential()
        for channels in (N_COLOURS, *[features] * n_blocks):
            self.body.extend([_add_identity(conv(channels, features)), nn.Hardtanh(0, 1, inplace=True)])
        self.anchor = conv(N_COLOURS, N_COLOURS * scale**2, 1)
        self.enlarge = pixel_shuffled(features, scale)
        with torch.no_grad():
            nn.init.zeros_(self.anchor.weight)
            assert self.anchor.bias is not None
            nn.init.zeros_(self.anchor.bias)
            if self.residual is None:  # nearest-neighbour enlargement
                for colour, weights in enumerate(self.anchor.weight.split(scale**2)):
                    weights[:, colour] = 1
        self.start_from_bicubic()

    def forward(self, x: Tensor) -> Tensor:
        """Enlarge images.

        Args:
            x: LR images (N, 3, H, W) in [0, 1].

        Returns:
            HR images (N, 3, scale H, scale W), not clamped.
        """
        last, shuffle = self.enlarge
        return self.add_residual(shuffle(self.anchor(x) + last(self.body(x))), x)


def _add_identity(layer: nn.Conv2d) -> nn.Conv2d:
    """Add one to the middle tap of each channel that the layer both reads and writes."""
    middle = layer.kernel_size[0] // 2
    with torch.no_grad():
        layer.weight[:, :, middle, middle].diagonal().add_(1)
    return layer
