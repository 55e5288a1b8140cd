"""Modules of MFANet in forms that evaluate one image faster: without gradients, for trained weights that stay.

The largest tensors are read as seldom as can be: both statistics of a channel are found in one pass, and a gate scales
the weights that read a channel instead of the channel.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mfagan.sr.network.aggregation import CFAB, SLOPE
from mfagan.sr.network.layers import ContrastAwareAttention

__all__ = ["OnePassAttention", "OnePassCFAB", "replace_modules"]


def replace_modules(network: nn.Module) -> None:
    """Give a network's modules their faster forms, where there are any.

    Args:
        network: it is changed; its weights are float32 or bfloat16.
    """
    for name, child in list(network.named_children()):
        # In bfloat16 the sum over the parts would be rounded once a part.
        if isinstance(child, CFAB) and child.fuse.weight.dtype == torch.float32:
            setattr(network, name, OnePassCFAB(child))
        elif isinstance(child, ContrastAwareAttention):
            setattr(network, name, OnePassAttention(child))
        else:
            replace_modules(child)


class OnePassAttention(nn.Module):
    """A trained channel attention: one operator gives both of its statistics."""

    def __init__(self, attention: ContrastAwareAttention) -> None:
        """Wrap an attention.

        Args:
            attention: the trained attention; its weights become float32.
        """
        super().__init__()
        self.attention = attention.float()

    def forward(self, x: Tensor) -> Tensor:
        """Scale the channels by the gate.

        Args:
            x: activations (1, C, H, W).

        Returns:
            The scaled activations, (1, C, H, W).
        """
        mean, variance = _statistics(x)
        return x * self.attention.gate(mean[:, None, None], variance[:, None, None]).to(x.dtype)


class OnePassCFAB(nn.Module):
    """A trained CFAB whose six feature maps are never joined: each adds its product to the sum."""

    def __init__(self, block: CFAB) -> None:
        """Wrap a block.

        Args:
            block: the trained block, in float32.
        """
        super().__init__()
        self.block = block

    def forward(self, x: Tensor) -> Tensor:
        """Run the block.

        Args:
            x: the trunk's activations (1, t, H, W).

        Returns:
            Activations of the same shape.
        """
        parts = [x]
        for conv in self.block.convs:
            parts.append(F.leaky_relu(conv(parts[-1]), SLOPE, inplace=True))  # (1, w, H, W)
        means, variances = zip(*map(_statistics, parts), strict=True)
        gate = self.block.cca.gate(torch.cat(means)[:, None, None], torch.cat(variances)[:, None, None])
        weights = (self.block.fuse.weight[:, :, 0, 0] * gate[:, 0, 0]).t()  # (t + 5w, t)
        assert self.block.fuse.bias is not None
        total = (x + self.block.fuse.bias[:, None, None]).contiguous(memory_format=torch.channels_last)
        pixels = total.permute(0, 2, 3, 1).view(-1, total.shape[1])
        for part, rows in zip(parts, weights.split([part.shape[1] for part in parts]), strict=True):
            pixels.addmm_(part.permute(0, 2, 3, 1).flatten(0, 2), rows)
        return total


def _statistics(x: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and population variance of each channel of (1, C, H, W), each (C,), float32.

    They are batch normalization's for a batch of one image, in the precision of the running ones, which it leaves
    alone at this momentum.
    """
    running = x.new_zeros(2, x.shape[1], dtype=torch.float32)
    mean, variance = torch.batch_norm_update_stats(x, *running, momentum=0.0)
    return mean, variance
