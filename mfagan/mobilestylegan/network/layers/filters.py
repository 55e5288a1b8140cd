"""The FIR filter [1, 3, 3, 1] x [1, 3, 3, 1] of StyleGAN2, which smooths where maps change their size."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mfagan.graph.operators import Activation, Window
from mfagan.graph.recorder import OperatorRecorder

__all__ = ["Blur", "FIRUpsampling"]

_TAPS = (1.0, 3.0, 3.0, 1.0)


def _kernel(total: float) -> Tensor:
    """The filter (4, 4) of this sum."""
    row = torch.tensor(_TAPS)
    return row[:, None] * row * (total / row.sum() ** 2)


class _Filter(nn.Module):
    """A fixed filter on each channel alone.

    Args:
        total: Sum of its taps.
        window: Its geometry.
    """

    kernel: Tensor

    def __init__(self, total: float, window: Window) -> None:
        super().__init__()
        self.register_buffer("kernel", _kernel(total), persistent=False)
        self.window = window

    def constants(self, channels: int, path: str) -> dict[str, Tensor]:
        """The weights that its operators name.

        Args:
            channels: Channels of its input.
            path: The module's path in the network.
        """
        return {path: self.kernel.repeat(channels, 1, 1, 1)}


class Blur(_Filter):
    """The filter with zeros around the map.

    Args:
        padding: Rows and columns of zeros on each side.
        total: Sum of the taps: 4 after a transposed convolution of stride 2, whose output is three quarters zeros'.
        stride: Step between two outputs, in pixels.
    """

    def __init__(self, padding: int, total: float = 1.0, stride: int = 1) -> None:
        super().__init__(total, Window.square(len(_TAPS), stride, padding))

    def forward(self, x: Tensor) -> Tensor:
        """Filter (N, C, H, W)."""
        channels = x.shape[1]
        kernel = self.kernel.expand(channels, 1, *self.kernel.shape)
        return F.conv2d(x, kernel, None, self.window.stride, self.window.padding, groups=channels)

    def write_operators(self, recorder: OperatorRecorder, x: Activation, path: str) -> Activation:
        """Record it.

        Args:
            recorder: What records the operators.
            x: Its input.
            path: The module's path in the network.

        Returns:
            Its output.
        """
        return recorder.filter(x, path, x.channels, self.window)


class FIRUpsampling(_Filter):
    """Twice the size: a zero between the pixels, then the filter of sum 4, as one transposed convolution."""

    def __init__(self) -> None:
        super().__init__(4.0, Window.square(len(_TAPS), stride=2, padding=1))

    def forward(self, x: Tensor) -> Tensor:
        """Enlarge (N, C, H, W) to (N, C, 2H, 2W)."""
        channels = x.shape[1]
        kernel = self.kernel.expand(channels, 1, *self.kernel.shape)
        return F.conv_transpose2d(x, kernel, None, self.window.stride, self.window.padding, groups=channels)

    def write_operators(self, recorder: OperatorRecorder, x: Activation, path: str) -> Activation:
        """Record it.

        Args:
            recorder: What records the operators.
            x: Its input.
            path: The module's path in the network.

        Returns:
            Its output.
        """
        return recorder.filter_transposed(x, path, self.window)
