"""The linear layer of StyleGAN2, of which its mapping network, its styles and its discriminator are made."""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

__all__ = ["EqualisedLinear"]


class EqualisedLinear(nn.Module):
    """A linear layer whose weights are kept at one scale and multiplied at run time (Karras et al. 2018, section 4.1).

    Args:
        features: Input features.
        out: Output features.
        lr_mul: Weights are drawn from N(0, 1) / lr_mul and used times lr_mul / sqrt(features), the bias times lr_mul:
            an optimizer learns them lr_mul times as fast.
        bias: Initial value of the bias.
    """

    def __init__(self, features: int, out: int, lr_mul: float = 1.0, bias: float = 0.0) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(out, features) / lr_mul)
        self.bias = nn.Parameter(torch.full((out,), bias))
        self.lr_mul = lr_mul

    def used(self, gain: float = 1.0) -> tuple[Tensor, Tensor]:
        """The weight (out, features) and the bias (out,) as they are used.

        Args:
            gain: Factor of both.
        """
        return (
            self.weight * (gain * self.lr_mul / math.sqrt(self.weight.shape[1])),
            self.bias * (gain * self.lr_mul),
        )

    def forward(self, x: Tensor, gain: float = 1.0) -> Tensor:
        """Apply the layer.

        Args:
            x: (N, features).
            gain: Factor of the output.

        Returns:
            (N, out).
        """
        return F.linear(x, *self.used(gain))
