"""Grow a trained MFANet into a wider one that computes the same.

The trained channels become the front channels of their groups, so that the trained network is a slice of the grown one.
The new channels are drawn at random, but no trained channel reads them yet: the weights are zero (compare Net2Net,
Chen et al. 2016). A narrow network trains several times as fast as a wide one; growing carries over what it learned.
"""

import torch

from mfagan.errors import InputError
from mfagan.sr.network.layers import channel_groups, named_convs
from mfagan.sr.network.mfanet import MFANet
from mfagan.sr.network.supergenerator import SuperGenerator, front_channels
from mfagan.sr.network.widths import Widths

__all__ = ["grow"]


@torch.no_grad()
def grow(network: MFANet, widths: Widths, seed: int = 0) -> SuperGenerator:
    """Grow a network to larger widths.

    Args:
        network: the trained network.
        widths: those of the grown network, each at least as large as the network's.
        seed: of the new channels' weights.

    Returns:
        A SuperGenerator of these widths. Its output, and that of every slice in between, is the network's; its slice at
        the network's widths has the network's weights.

    Raises:
        InputError: a width that is smaller than the network's.
    """
    if not network.widths.fits_in(widths):
        raise InputError(f"a network of widths {network.widths} cannot grow to {widths}: give larger widths")
    torch.manual_seed(seed)
    grown = SuperGenerator(widths, network.scale, network.residual_kind)
    trained = channel_groups(network.widths, network.scale)
    sources = dict(named_convs(network))
    for name, conv in named_convs(grown):
        source = sources[name]
        rows, columns = front_channels(conv.writes, trained), front_channels(conv.reads, trained)
        kept = conv.weight[rows]
        kept.zero_()
        kept[:, columns] = source.weight
        conv.weight[rows] = kept
        assert conv.bias is not None
        assert source.bias is not None
        conv.bias[rows] = source.bias
    return grown
