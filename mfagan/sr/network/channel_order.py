"""Sort channels by importance, so that the front channels of every group matter most.

A group of channels may be permuted freely if every convolution that writes or reads it is permuted alike; the
network's output does not change. Importance of a channel is the sum of |W| over the input columns of every
convolution that reads it, as in once-for-all (Cai et al. 2020).
"""

import torch
from torch import Tensor

from mfagan.sr.network.layers import Conv, Groups, named_convs
from mfagan.sr.network.mfanet import MFANet

__all__ = ["sort_channels"]

_FIXED = ("rgb", "pixels")


@torch.no_grad()
def sort_channels(network: MFANet) -> dict[str, Tensor]:
    """Sort every channel group in place, most important first.

    Equally important channels keep their order. An MFANet has 41 groups: the trunk, 30 inner layers, the fusion and
    nine hidden layers of the channel attention.

    Args:
        network: The network whose weights are permuted; its output stays the same.

    Returns:
        Name of each group -> its permutation.
    """
    convs = [conv for _, conv in named_convs(network)]
    importance: dict[str, Tensor] = {}
    for conv in convs:
        columns = conv.weight.abs().sum((0, 2, 3))  # (in_channels,)
        parts = columns.split([group.size for group in conv.reads])
        for group, part in zip(conv.reads, parts, strict=True):
            importance[group.name] = importance.get(group.name, torch.zeros_like(part)) + part
    orders = {
        name: torch.argsort(values, descending=True, stable=True)
        for name, values in importance.items()
        if name not in _FIXED
    }
    for conv in convs:
        _permute(conv, orders)
    return orders


def _permute(conv: Conv, orders: dict[str, Tensor]) -> None:
    rows, columns = _indices(conv.writes, orders), _indices(conv.reads, orders)
    assert conv.bias is not None
    conv.weight.copy_(conv.weight[rows][:, columns])
    conv.bias.copy_(conv.bias[rows])


def _indices(groups: Groups, orders: dict[str, Tensor]) -> Tensor:
    start, indices = 0, []
    for group in groups:
        indices.append(start + orders.get(group.name, torch.arange(group.size)))
        start += group.size
    return torch.cat(indices)
