"""The layers of StyleGAN2's synthesis network, which list their operators beside their `forward`: change both."""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mfagan.graph.operators import Activation, Window
from mfagan.graph.recorder import OperatorRecorder
from mfagan.mobilestylegan.network.layers.filters import Blur, FIRUpsampling
from mfagan.mobilestylegan.network.layers.linear import EqualisedLinear
from mfagan.mobilestylegan.network.layers.modulation import (
    GAIN,
    NoisyActivation,
    demodulate,
    demodulation_weights,
    write_demodulation,
    write_modulation,
    write_style,
)

__all__ = ["StyledConv", "ToRGB"]

_UP = Window.square(3, stride=2)


class ModulatedConv(nn.Module):
    """A 3x3 convolution whose inputs are scaled by a style, and whose outputs are demodulated.

    Args:
        channels: Input channels.
        out: Output channels.
        style_dim: Numbers of a style.
        up: Whether it doubles the size: a transposed convolution of stride 2, then the FIR filter.
    """

    def __init__(self, channels: int, out: int, style_dim: int, up: bool) -> None:
        super().__init__()
        self.affine = EqualisedLinear(style_dim, channels, bias=1.0)
        self.weight = nn.Parameter(torch.randn(out, channels, 3, 3))
        self.blur = Blur(padding=1, total=4.0) if up else None

    def forward(self, x: Tensor, w: Tensor) -> Tensor:
        """Apply it.

        Args:
            x: (N or 1, C, H, W).
            w: Styles (N, style_dim).

        Returns:
            (N, out, H, W) or (N, out, 2H, 2W), times `GAIN`.
        """
        style = self.affine(w)  # (N, C)
        weight = self._scaled()
        x = x * style[..., None, None]
        if self.blur is None:
            y = F.conv2d(x, weight, padding=1)
        else:
            y = self.blur(F.conv_transpose2d(x, weight.transpose(0, 1), stride=2))
        return y * demodulate(style, weight.square().sum((2, 3)), GAIN)

    def _scaled(self) -> Tensor:
        return self.weight / math.sqrt(self.weight[0].numel())

    def write_operators(
        self, recorder: OperatorRecorder, x: Activation | None, row: Activation, path: str
    ) -> Activation:
        """Record it.

        Args:
            recorder: What records the operators.
            x: Its input; None for the network's learned constant.
            row: Its row of W+.
            path: The module's path in the network.

        Returns:
            Its output.
        """
        out, channels = self.weight.shape[:2]
        style, factors = write_style(recorder, row, f"{path}.affine", channels)
        x = write_modulation(recorder, x, factors)
        if self.blur is None:
            y = recorder.conv(x, path, out, 3, bias=False)
        else:
            y = recorder.conv_transpose(x, path, out, _UP, bias=False)
            y = self.blur.write_operators(recorder, y, f"{path}.blur")
        d = write_demodulation(recorder, style, f"{path}.demodulation", out, GAIN)
        return recorder.elementwise("multiply", y, d)

    def constants(self, path: str) -> dict[str, Tensor]:
        """The weights that its operators name.

        Args:
            path: The module's path in the network.
        """
        weight, energy = self._scaled(), self._scaled().square().sum((2, 3))
        found = {f"{path}.demodulation.weight": demodulation_weights(energy, GAIN)}
        found[f"{path}.affine.weight"], found[f"{path}.affine.bias"] = self.affine.used()
        if self.blur is None:
            return found | {f"{path}.weight": weight}
        return (
            found
            | {f"{path}.weight": weight.transpose(0, 1)}
            | self.blur.constants(len(weight), f"{path}.blur")
        )


class StyledConv(nn.Module):
    """A modulated convolution, noise, bias and LeakyReLU.

    Args:
        channels: Input channels.
        out: Output channels.
        style_dim: Numbers of a style.
        up: Whether it doubles the size.
    """

    def __init__(self, channels: int, out: int, style_dim: int, up: bool = False) -> None:
        super().__init__()
        self.conv = ModulatedConv(channels, out, style_dim, up)
        self.activation = NoisyActivation(out, GAIN)

    def forward(self, x: Tensor, w: Tensor, noise: Tensor | None) -> Tensor:
        """Apply it to (N or 1, C, H, W), with styles (N, style_dim) and noise (N or 1, 1, H', W')."""
        return self.activation(self.conv(x, w), noise)

    def write_operators(
        self, recorder: OperatorRecorder, x: Activation | None, row: Activation, path: str, noisy: bool
    ) -> Activation:
        """Record it; as `ModulatedConv` and `NoisyActivation`."""
        y = self.conv.write_operators(recorder, x, row, f"{path}.conv")
        return self.activation.write_operators(recorder, y, f"{path}.activation", noisy)

    def constants(self, path: str, noise: Tensor | None) -> dict[str, Tensor]:
        """The weights that its operators name; as `ModulatedConv` and `NoisyActivation`."""
        return self.conv.constants(f"{path}.conv") | self.activation.constants(f"{path}.activation", noise)


class ToRGB(nn.Module):
    """A modulated 1x1 convolution without demodulation, added to the enlarged image so far.

    Args:
        channels: Input channels.
        style_dim: Numbers of a style.
        up: Whether there is an image so far.
    """

    def __init__(self, channels: int, style_dim: int, up: bool = True) -> None:
        super().__init__()
        self.affine = EqualisedLinear(style_dim, channels, bias=1.0)
        self.weight = nn.Parameter(torch.randn(3, channels, 1, 1))
        self.bias = nn.Parameter(torch.zeros(3))
        self.skip = FIRUpsampling() if up else None

    def forward(self, x: Tensor, w: Tensor, image: Tensor | None) -> Tensor:
        """Apply it.

        Args:
            x: (N, C, H, W).
            w: Styles (N, style_dim).
            image: The image so far, (N, 3, H / 2, W / 2), or None.

        Returns:
            (N, 3, H, W).
        """
        y = F.conv2d(x * self.affine(w)[..., None, None], self._scaled(), self.bias)
        return y if self.skip is None or image is None else y + self.skip(image)

    def _scaled(self) -> Tensor:
        return self.weight / math.sqrt(self.weight.shape[1])

    def write_operators(
        self, recorder: OperatorRecorder, x: Activation, row: Activation, image: Activation | None, path: str
    ) -> Activation:
        """Record it.

        Args:
            recorder: What records the operators.
            x: Its input.
            row: Its row of W+.
            image: The image so far, or None.
            path: The module's path in the network.

        Returns:
            The image.
        """
        _, factors = write_style(recorder, row, f"{path}.affine", x.channels)
        y = recorder.conv(write_modulation(recorder, x, factors), f"{path}.rgb", 3, 1)
        if self.skip is None or image is None:
            return y
        return recorder.elementwise("add", y, self.skip.write_operators(recorder, image, f"{path}.skip"))

    def constants(self, path: str) -> dict[str, Tensor]:
        """The weights that its operators name.

        Args:
            path: The module's path in the network.
        """
        found = {f"{path}.rgb.weight": self._scaled(), f"{path}.rgb.bias": self.bias}
        found[f"{path}.affine.weight"], found[f"{path}.affine.bias"] = self.affine.used()
        return found if self.skip is None else found | self.skip.constants(3, f"{path}.skip")
