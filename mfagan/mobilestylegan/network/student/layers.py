"""The layers of MobileStyleGAN's student, which list their operators beside their `forward`: change both.

No layer's `forward` looks at its width, so a network runs on the front channels of its weights as it is
(mfagan/mobilestylegan/network/student/slices.py).
"""

import math
from abc import abstractmethod
from typing import Literal, get_args

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mfagan.errors import InputError
from mfagan.graph.operators import Activation
from mfagan.graph.recorder import OperatorRecorder
from mfagan.mobilestylegan.network.layers.geometry import BANDS
from mfagan.mobilestylegan.network.layers.haar import InverseHaar
from mfagan.mobilestylegan.network.layers.modulation import (
    EPSILON,
    NoisyActivation,
    demodulate,
    demodulation_weights,
    write_demodulation,
    write_modulation,
    write_style,
)

__all__ = ["Demodulation", "DenseConv", "Head", "SeparableConv", "Up", "require_demodulation"]

Demodulation = Literal["style", "fixed"]
"""What stands for the input's scale when outputs are demodulated: the style itself, or a constant vector for each
layer, as in the authors' files, which then folds into the weights."""

_COLOURS = 3
_TAPS = 9


def require_demodulation(form: object) -> Demodulation:
    """The same form, if it is one of `Demodulation`.

    Args:
        form: Its name, of any type.

    Raises:
        InputError: It is another value.
    """
    for known in get_args(Demodulation):
        if form == known:
            return known
    raise InputError(f"demodulation {form!r}: give {' or '.join(get_args(Demodulation))}")


def plain_affine(style_dim: int, channels: int) -> nn.Linear:
    """The layer that makes a style of a row of W+: not equalised, scales begin at 1.

    Args:
        style_dim: Numbers of a row.
        channels: Channels that are scaled.
    """
    layer = nn.Linear(style_dim, channels)
    nn.init.ones_(layer.bias)
    return layer


def affine_constants(affine: nn.Linear, path: str) -> dict[str, Tensor]:
    """The weights that the operator of `plain_affine` names.

    Args:
        affine: The layer.
        path: Its path in the network.
    """
    return {f"{path}.weight": affine.weight, f"{path}.bias": affine.bias}


class _StyledConv(nn.Module):
    """A modulated and demodulated 3x3 convolution, noise, bias and LeakyReLU.

    Args:
        channels: Input channels.
        out: Output channels.
        style_dim: Numbers of a style.
        demodulation: As in `Demodulation`.
    """

    fixed_style: Tensor | None

    def __init__(self, channels: int, out: int, style_dim: int, demodulation: Demodulation) -> None:
        super().__init__()
        self.affine = plain_affine(style_dim, channels)
        self.register_buffer("fixed_style", torch.randn(channels) if demodulation == "fixed" else None)
        self.activation = NoisyActivation(out)

    @abstractmethod
    def energy(self) -> Tensor:
        """Sum of the squared scaled taps from each input to each output channel, (out, channels)."""

    @abstractmethod
    def convolve(self, x: Tensor, factors: Tensor | float) -> Tensor:
        """The scaled convolution without modulation.

        Args:
            x: (N, C, H, W).
            factors: Of the output channels, (out, 1, 1, 1), taken into the weights.
        """

    def forward(self, x: Tensor, w: Tensor, noise: Tensor | None) -> Tensor:
        """Apply it.

        Args:
            x: (N or 1, C, H, W).
            w: Styles (N, style_dim).
            noise: (N or 1, 1, H, W), or None for none.

        Returns:
            (N, out, H, W).
        """
        style = self.affine(w)  # (N, C)
        modulated = x * style[..., None, None]
        if self.fixed_style is not None:
            return self.activation(self.convolve(modulated, self._fixed_factors()), noise)
        y = self.convolve(modulated, 1.0)
        return self.activation(y * demodulate(style, self.energy()), noise)

    def _fixed_factors(self) -> Tensor:
        """The demodulation by the fixed style, (out, 1, 1, 1)."""
        assert self.fixed_style is not None
        return (self.energy() @ self.fixed_style.square() + EPSILON).rsqrt()[:, None, None, None]

    def write_operators(
        self, recorder: OperatorRecorder, x: Activation | None, row: Activation, path: str, noisy: bool
    ) -> Activation:
        """Record it.

        Args:
            recorder: What records the operators.
            x: Its input; None for the network's learned constant.
            row: Its row of W+.
            path: The module's path in the network.
            noisy: Whether it adds a constant map of noise.

        Returns:
            Its output.
        """
        style, factors = write_style(recorder, row, f"{path}.affine", self.affine.out_features)
        y = self.write_convolution(recorder, write_modulation(recorder, x, factors), path)
        if self.fixed_style is None:
            d = write_demodulation(recorder, style, f"{path}.demodulation", y.channels)
            y = recorder.elementwise("multiply", y, d)
        return self.activation.write_operators(recorder, y, f"{path}.activation", noisy)

    @abstractmethod
    def write_convolution(self, recorder: OperatorRecorder, x: Activation, path: str) -> Activation:
        """Record the convolution alone."""

    def constants(self, path: str, noise: Tensor | None) -> dict[str, Tensor]:
        """The weights that its operators name.

        Args:
            path: The module's path in the network.
            noise: The constant map (1, 1, H, W), or None.
        """
        found = affine_constants(self.affine, f"{path}.affine")
        found |= self.activation.constants(f"{path}.activation", noise)
        if self.fixed_style is not None:
            return found | self.convolution_constants(path, self._fixed_factors())
        found[f"{path}.demodulation.weight"] = demodulation_weights(self.energy())
        return found | self.convolution_constants(path, 1.0)

    @abstractmethod
    def convolution_constants(self, path: str, factors: Tensor | float) -> dict[str, Tensor]:
        """The weights that the convolution's operators name."""


class DenseConv(_StyledConv):
    """The styled convolution at 4 px, with a full 3x3 kernel. Arguments as in `_StyledConv`."""

    def __init__(self, channels: int, out: int, style_dim: int, demodulation: Demodulation) -> None:
        super().__init__(channels, out, style_dim, demodulation)
        self.weight = nn.Parameter(torch.randn(out, channels, 3, 3))

    def energy(self) -> Tensor:
        """As in `_StyledConv`."""
        return self._scaled(1.0).square().sum((2, 3))

    def _scaled(self, factors: Tensor | float) -> Tensor:
        return self.weight * (factors / math.sqrt(self.weight[0].numel()))

    def convolve(self, x: Tensor, factors: Tensor | float) -> Tensor:
        """As in `_StyledConv`."""
        return F.conv2d(x, self._scaled(factors), padding=1)

    def write_convolution(self, recorder: OperatorRecorder, x: Activation, path: str) -> Activation:
        """As in `_StyledConv`."""
        return recorder.conv(x, f"{path}.dense", len(self.weight), 3, bias=False)

    def convolution_constants(self, path: str, factors: Tensor | float) -> dict[str, Tensor]:
        """As in `_StyledConv`."""
        return {f"{path}.dense.weight": self._scaled(factors)}


class SeparableConv(_StyledConv):
    """A styled convolution of a depthwise 3x3 and a pointwise kernel. Arguments as in `_StyledConv`."""

    def __init__(self, channels: int, out: int, style_dim: int, demodulation: Demodulation) -> None:
        super().__init__(channels, out, style_dim, demodulation)
        self.depthwise = nn.Parameter(torch.randn(channels, 1, 3, 3))
        self.pointwise = nn.Parameter(torch.randn(out, channels, 1, 1))

    def energy(self) -> Tensor:
        """As in `_StyledConv`; its kernel from channel i to o is depthwise_i pointwise_oi."""
        return self._scaled(1.0).square().flatten(1) * self.depthwise.square().sum((1, 2, 3))

    def _scaled(self, factors: Tensor | float) -> Tensor:
        return self.pointwise * (factors / math.sqrt(_TAPS * self.pointwise.shape[1]))

    def convolve(self, x: Tensor, factors: Tensor | float) -> Tensor:
        """As in `_StyledConv`."""
        y = F.conv2d(x, self.depthwise, padding=1, groups=x.shape[1])
        return F.conv2d(y, self._scaled(factors))

    def write_convolution(self, recorder: OperatorRecorder, x: Activation, path: str) -> Activation:
        """As in `_StyledConv`."""
        y = recorder.conv(x, f"{path}.depthwise", x.channels, 3, groups=x.channels, bias=False)
        return recorder.conv(y, f"{path}.pointwise", len(self.pointwise), 1, bias=False)

    def convolution_constants(self, path: str, factors: Tensor | float) -> dict[str, Tensor]:
        """As in `_StyledConv`."""
        return {
            f"{path}.depthwise.weight": self.depthwise,
            f"{path}.pointwise.weight": self._scaled(factors),
        }


class Up(nn.Module):
    """Channels scaled by a style, then the inverse Haar transform: a quarter of the channels, twice the size.

    Args:
        channels: Input channels, a multiple of 4, in group order.
        style_dim: Numbers of a style.
    """

    def __init__(self, channels: int, style_dim: int) -> None:
        super().__init__()
        self.affine = plain_affine(style_dim, channels)
        self.haar = InverseHaar()

    def forward(self, x: Tensor, w: Tensor) -> Tensor:
        """Apply it to (N, C, H, W) with styles (N, style_dim); (N, C / 4, 2H, 2W)."""
        return self.haar(x * self.affine(w)[..., None, None])

    def write_operators(
        self, recorder: OperatorRecorder, x: Activation, row: Activation, path: str
    ) -> Activation:
        """Record it.

        Args:
            recorder: What records the operators.
            x: Its input.
            row: Its row of W+.
            path: The module's path in the network.

        Returns:
            Its output.
        """
        _, factors = write_style(recorder, row, f"{path}.affine", x.channels)
        return self.haar.write_operators(recorder, write_modulation(recorder, x, factors), f"{path}.haar")

    def constants(self, path: str) -> dict[str, Tensor]:
        """The weights that its operators name.

        Args:
            path: The module's path in the network.
        """
        haar = self.haar.constants(self.affine.out_features, f"{path}.haar")
        return affine_constants(self.affine, f"{path}.affine") | haar


class Head(nn.Module):
    """A modulated 1x1 convolution to the wavelet transform of the image: 12 channels, 4 bands of each colour.

    Args:
        channels: Input channels.
        style_dim: Numbers of a style.
        full_channels: Input channels of the network whose slice this is; they set the scale of the weights.
    """

    def __init__(self, channels: int, style_dim: int, full_channels: int) -> None:
        super().__init__()
        self.affine = plain_affine(style_dim, channels)
        self.weight = nn.Parameter(torch.randn(BANDS * _COLOURS, channels, 1, 1))
        self.bias = nn.Parameter(torch.zeros(BANDS * _COLOURS))
        self.haar = InverseHaar()
        self.scale = 1 / math.sqrt(full_channels)

    def forward(self, x: Tensor, w: Tensor) -> Tensor:
        """Apply it to (N, C, H, W) with styles (N, style_dim); bands in group order, (N, 12, H, W)."""
        return F.conv2d(x * self.affine(w)[..., None, None], self.weight * self.scale, self.bias)

    def write_operators(
        self, recorder: OperatorRecorder, x: Activation, row: Activation, path: str
    ) -> Activation:
        """Record it and the inverse transform.

        Args:
            recorder: What records the operators.
            x: Its input.
            row: Its row of W+.
            path: The module's path in the network.

        Returns:
            The image.
        """
        _, factors = write_style(recorder, row, f"{path}.affine", x.channels)
        bands = recorder.conv(write_modulation(recorder, x, factors), f"{path}.bands", len(self.weight), 1)
        return self.haar.write_operators(recorder, bands, f"{path}.haar")

    def constants(self, path: str) -> dict[str, Tensor]:
        """The weights that its operators name.

        Args:
            path: The module's path in the network.
        """
        found = affine_constants(self.affine, f"{path}.affine")
        found |= {f"{path}.bands.weight": self.weight * self.scale, f"{path}.bands.bias": self.bias}
        return found | self.haar.constants(len(self.weight), f"{path}.haar")
