"""Modulation by activations: inputs are scaled by a style, a plain convolution runs, its outputs are demodulated.

This equals the weight form of StyleGAN2 (Karras et al. 2020, equations (1) and (3)), needs no grouped convolution for
a batch of styles, and is what a phone can run. Teacher and student use it.
"""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mfagan.graph.operators import Activation
from mfagan.graph.recorder import OperatorRecorder

__all__ = [
    "EPSILON",
    "GAIN",
    "SLOPE",
    "NoisyActivation",
    "demodulate",
    "demodulation_weights",
    "write_demodulation",
    "write_modulation",
    "write_style",
]

EPSILON = 1e-8
"""Added to sums of squares before their roots."""
SLOPE = 0.2
"""Of every LeakyReLU for negative values."""
GAIN = math.sqrt(2)
"""Of every LeakyReLU of StyleGAN2; its student has 1."""


def demodulate(style: Tensor, energy: Tensor, gain: float = 1.0) -> Tensor:
    """The factor that gives each output channel of a modulated convolution unit variance.

    Args:
        style: Factors of the input channels, (N, C).
        energy: Sum of the squared taps from each input channel to each output channel, (O, C).
        gain: Factor of the result.

    Returns:
        gain / sqrt(sum_i style_i^2 energy_oi + 1e-8), (N, O, 1, 1).
    """
    weights = demodulation_weights(energy, gain)
    return F.linear(style.square(), weights).add(EPSILON / gain**2).rsqrt()[..., None, None]


def demodulation_weights(energy: Tensor, gain: float = 1.0) -> Tensor:
    """The matrix (O, C) that `demodulate` applies to squared styles.

    Args:
        energy: As in `demodulate`.
        gain: As in `demodulate`.
    """
    return energy / gain**2


def write_style(
    recorder: OperatorRecorder, row: Activation, path: str, channels: int
) -> tuple[Activation, Activation]:
    """Record a style's affine layer.

    Args:
        recorder: What records the operators.
        row: A row of W+, (1, 1, features).
        path: Path of the layer's weights.
        channels: Channels that are scaled.

    Returns:
        The style as a vector (1, 1, channels), and the same numbers as a map (channels, 1, 1).
    """
    style = recorder.linear(row, path, channels)
    return style, recorder.reshape(style, (channels, 1, 1))


def write_modulation(recorder: OperatorRecorder, x: Activation | None, factors: Activation) -> Activation:
    """Record the scaling of channels by a style.

    Args:
        recorder: What records the operators.
        x: What is scaled; None for the network's learned constant, channels x 4 x 4, with the path "constant".
        factors: The style, (channels, 1, 1).

    Returns:
        The scaled map.
    """
    if x is not None:
        return recorder.elementwise("multiply", x, factors)
    shape = (factors.channels, 4, 4)
    return recorder.elementwise(
        "multiply", factors, weights="constant", parameters=math.prod(shape), operand=shape
    )


def write_demodulation(
    recorder: OperatorRecorder, style: Activation, path: str, channels: int, gain: float = 1.0
) -> Activation:
    """Record `demodulate`.

    Args:
        recorder: What records the operators.
        style: (1, 1, C).
        path: Path of the matrix.
        channels: Output channels of the convolution.
        gain: As in `demodulate`.

    Returns:
        The factors, (channels, 1, 1).
    """
    squares = recorder.elementwise("square", style)
    sums = recorder.linear(squares, path, channels, bias=False, learned=False)
    shifted = recorder.elementwise("add_scalar", sums, value=EPSILON / gain**2)
    return recorder.reshape(recorder.elementwise("rsqrt", shifted), (channels, 1, 1))


class NoisyActivation(nn.Module):
    """What ends a styled convolution: noise of one learned strength, a bias, LeakyReLU 0.2.

    Args:
        channels: Channels of the feature map.
        gain: Factor of the LeakyReLU's output. It is applied to the noise and the bias here, and the caller gives it
            to the demodulation, which costs nothing.
    """

    def __init__(self, channels: int, gain: float = 1.0) -> None:
        super().__init__()
        self.strength = nn.Parameter(torch.zeros(1))
        self.bias = nn.Parameter(torch.zeros(channels))
        self.gain = gain

    def forward(self, x: Tensor, noise: Tensor | None) -> Tensor:
        """Apply it.

        Args:
            x: (N, C, H, W), times the gain.
            noise: (N or 1, 1, H, W), or None for none.

        Returns:
            (N, C, H, W).
        """
        if noise is not None:
            x = x + noise * (self.strength * self.gain)
        return F.leaky_relu(x + (self.bias * self.gain)[:, None, None], SLOPE)

    def write_operators(
        self, recorder: OperatorRecorder, x: Activation, path: str, noisy: bool = True
    ) -> Activation:
        """Record it.

        Args:
            recorder: What records the operators.
            x: Its input.
            path: The module's path in the network.
            noisy: Whether it adds a constant map of noise.

        Returns:
            Its output.
        """
        if noisy:
            shape = (1, x.height, x.width)
            x = recorder.elementwise("add", x, weights=f"{path}.noise", parameters=1, operand=shape)
        x = recorder.elementwise("add", x, weights=f"{path}.bias", parameters=x.channels)
        return recorder.elementwise("leaky_relu", x, value=SLOPE)

    def constants(self, path: str, noise: Tensor | None) -> dict[str, Tensor]:
        """The weights that its operators name.

        Args:
            path: The module's path in the network.
            noise: The constant map (1, 1, H, W), or None.
        """
        found = {f"{path}.bias": (self.bias * self.gain)[:, None, None]}
        if noise is not None:
            found[f"{path}.noise"] = noise[0] * (self.strength * self.gain)
        return found
