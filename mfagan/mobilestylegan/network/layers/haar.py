"""The Haar wavelet transform of images, and the two orders in which channels hold its bands.

Each block of 2x2 pixels becomes one number of each of the bands LL, LH (detail along the height), HL (along the
width) and HH. In GROUP order channel 4c + b holds band b of image channel c, so that the first 4n channels are n whole
groups and the transform is a fixed 4x4 matrix for each group beside a PixelShuffle. The matrix is symmetric and its own
inverse. The authors' files hold all LL first, then LH, HL, HH of each channel in turn.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mfagan.graph.operators import Activation
from mfagan.graph.recorder import OperatorRecorder
from mfagan.mobilestylegan.network.layers.geometry import BANDS

__all__ = ["HAAR", "InverseHaar", "forward_haar", "group_order", "inverse_haar"]

HAAR = (
    (0.5, 0.5, 0.5, 0.5),
    (0.5, 0.5, -0.5, -0.5),
    (0.5, -0.5, 0.5, -0.5),
    (0.5, -0.5, -0.5, 0.5),
)
"""Rows: pixels (0, 0), (0, 1), (1, 0), (1, 1) of a 2x2 block; columns: bands LL, LH, HL, HH."""


def forward_haar(image: Tensor) -> Tensor:
    """The wavelet transform of images.

    Args:
        image: (N, C, H, W) with even H and W.

    Returns:
        The bands in group order, (N, 4C, H / 2, W / 2).
    """
    return _mix(F.pixel_unshuffle(image, 2), image.new_tensor(HAAR))


def inverse_haar(bands: Tensor) -> Tensor:
    """The images of wavelet transforms.

    Args:
        bands: in group order, (N, 4C, H, W).

    Returns:
        (N, C, 2H, 2W).
    """
    return F.pixel_shuffle(_mix(bands, bands.new_tensor(HAAR)), 2)


def _mix(x: Tensor, matrix: Tensor) -> Tensor:
    """Apply a 4x4 matrix to each group of four channels."""
    groups = x.shape[1] // BANDS
    return F.conv2d(x, matrix[:, :, None, None].repeat(groups, 1, 1, 1), groups=groups)


class InverseHaar(nn.Module):
    """`inverse_haar` as a module that lists its operators."""

    matrix: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("matrix", torch.tensor(HAAR), persistent=False)

    def forward(self, bands: Tensor) -> Tensor:
        """Turn bands (N, 4C, H, W) in group order into images (N, C, 2H, 2W)."""
        return F.pixel_shuffle(_mix(bands, self.matrix), 2)

    def write_operators(self, recorder: OperatorRecorder, x: Activation, path: str) -> Activation:
        """Record the matrix on each group and the PixelShuffle.

        Args:
            recorder: What records the operators.
            x: The bands.
            path: The module's path in the network.

        Returns:
            The images.
        """
        mixed = recorder.filter(x, path, x.channels, 1, groups=x.channels // BANDS, mode="haar")
        return recorder.pixel_shuffle(mixed, 2)

    def constants(self, channels: int, path: str) -> dict[str, Tensor]:
        """The weights that its operators name.

        Args:
            channels: Channels of the bands.
            path: The module's path in the network.
        """
        return {path: self.matrix[:, :, None, None].repeat(channels // BANDS, 1, 1, 1)}


def group_order(channels: int) -> Tensor:
    """Where the authors' files hold the channels of group order.

    Args:
        channels: a multiple of 4.

    Returns:
        Index i -> the position in the authors' order of channel i in group order, (channels,).
    """
    quarter = channels // BANDS
    low = torch.arange(quarter)[:, None]
    details = quarter + torch.arange(channels - quarter).view(quarter, BANDS - 1)
    return torch.cat([low, details], 1).flatten()
