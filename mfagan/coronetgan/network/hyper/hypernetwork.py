"""The hypernetwork of one convolution: a weight of each pair of channels from the pair's latents.

The equations are DHP's (Li et al. 2020, differentiable meta pruning via hypernetworks), the method that CoroNetGAN
builds on; CoroNetGAN's abstract gives none.
"""

import math

import torch
from torch import Tensor, nn

__all__ = ["EMBEDDING", "Hypernetwork"]

EMBEDDING = 8
"""Numbers of a pair's embedding (m in DHP)."""


class Hypernetwork(nn.Module):
    """Makes the filters of one convolution; everything in it belongs to one pair of an input and an output channel.

    Z = z_in z_out + B0, E = Z W1 + B1 of `EMBEDDING` numbers, filter = W2 E + B2. Its numbers a pair: 17 + 9 taps.

    Args:
        in_channels: Channels that the convolution reads.
        out_channels: Channels that it writes.
        kernel: Side of its filters.
        transposed: Whether it is a transposed convolution.
    """

    def __init__(self, in_channels: int, out_channels: int, kernel: int, transposed: bool = False) -> None:
        super().__init__()
        pairs, taps = (in_channels, out_channels), kernel**2
        self.kernel = kernel
        self.transposed = transposed
        self.b0 = nn.Parameter(torch.zeros(pairs))
        self.w1 = nn.Parameter(torch.empty(*pairs, EMBEDDING))
        self.b1 = nn.Parameter(torch.zeros(*pairs, EMBEDDING))
        self.w2 = nn.Parameter(torch.empty(*pairs, taps, EMBEDDING))
        self.b2 = nn.Parameter(torch.zeros(*pairs, taps))
        # The variance of a weight is then 1.05 / (in_channels taps), for latents of N(0, 1).
        nn.init.uniform_(self.w1, -math.sqrt(3), math.sqrt(3))
        limit = math.sqrt(3 / (EMBEDDING * in_channels * taps))
        nn.init.uniform_(self.w2, -limit, limit)

    def forward(self, z_in: Tensor, z_out: Tensor) -> Tensor:
        """Make the filters.

        Args:
            z_in: Latent of the input channels, (in,).
            z_out: Latent of the output channels, (out,).

        Returns:
            (out, in, k, k), or (in, out, k, k) of a transposed convolution.
        """
        z = z_in[:, None] * z_out + self.b0  # (in, out)
        embedding = z[..., None] * self.w1 + self.b1  # (in, out, m)
        filters = (self.w2 @ embedding[..., None]).squeeze(-1) + self.b2  # (in, out, taps)
        filters = filters.unflatten(-1, (self.kernel, self.kernel))
        return filters if self.transposed else filters.transpose(0, 1)
