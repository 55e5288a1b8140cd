"""Translators without latents: of uniform widths, without the channels of small filters, with rescaled weights."""

from collections.abc import Mapping

import torch
from torch import Tensor

from mfagan.coronetgan.network import Translator
from mfagan.coronetgan.network.costs import WidthCosts
from mfagan.coronetgan.network.hyper.latents import MIN_CHANNELS
from mfagan.coronetgan.network.hyper.ratio import land, require_ratio
from mfagan.coronetgan.network.selection import select
from mfagan.coronetgan.network.translator import INITIAL_SPREAD

__all__ = ["filter_norms", "prune_by_magnitude", "rescale", "uniform_widths"]


def uniform_widths(
    translator: Translator,
    side_px: int,
    ratio: float,
    round_to: int = 1,
    at_least: int = MIN_CHANNELS,
) -> dict[str, int]:
    """The widths of the largest share of every width that keeps a ratio.

    Args:
        translator: at full widths, on any device.
        side_px: side of the pictures in px.
        ratio: the share of the MACs that may be left.
        round_to: widths are multiples of this, or full.
        at_least: channels that every latent keeps.

    Returns:
        Latent -> channels.

    Raises:
        InputError: as `require_ratio`.
    """
    costs = WidthCosts.of(translator, side_px, side_px)
    require_ratio(ratio, costs, round_to, at_least)
    ranks = {
        name: 1 - torch.arange(full, dtype=torch.float64) / full for name, full in translator.widths.items()
    }
    kept = land(ranks, costs, ratio, round_to, at_least)
    return {name: len(index) for name, index in kept.items()}


@torch.no_grad()
def filter_norms(translator: Translator) -> dict[str, Tensor]:
    """The mean magnitude of the weights that write each channel, over the mean of its latent's channels.

    Args:
        translator: a trained one.

    Returns:
        Latent -> (C,); a latent that several convolutions write has the mean over them.
    """
    found: dict[str, list[Tensor]] = {name: [] for name in translator.widths}
    for link in translator.links():
        if link.output not in found:
            continue
        weight = translator.get_parameter(f"convs.{link.name}.weight").abs()
        by_channel = weight.transpose(0, 1) if link.transposed else weight
        sizes = by_channel.flatten(1).mean(1).view(-1, link.repeat).mean(1)
        found[link.output].append(sizes / sizes.mean())
    return {name: torch.stack(each).mean(0) for name, each in found.items()}


def prune_by_magnitude(
    translator: Translator,
    side_px: int,
    ratio: float,
    round_to: int = 1,
    at_least: int = MIN_CHANNELS,
    fill: bool = False,
) -> Translator:
    """Drop the channels of the smallest filters (after Li et al. 2017) until a ratio is met within one channel.

    Args:
        translator: a trained one, which is not changed.
        side_px: side of the pictures in px.
        ratio: the share of the MACs that may be left.
        round_to: widths are multiples of this, or full.
        at_least: channels that every latent keeps.
        fill: as for `land`.

    Returns:
        The narrower network with the weights that are left.

    Raises:
        InputError: as `require_ratio`.
    """
    costs = WidthCosts.of(translator, side_px, side_px)
    require_ratio(ratio, costs, round_to, at_least)
    norms: Mapping[str, Tensor] = filter_norms(translator)
    return select(translator, land(norms, costs, ratio, round_to, at_least, fill))


@torch.no_grad()
def rescale(translator: Translator) -> Translator:
    """Scale the weights of each convolution that an instance norm follows to the spread of untrained ones.

    The norm undoes it, but for its epsilon.

    Args:
        translator: changed in place; with batch norm it stays as it is.

    Returns:
        It.
    """
    if translator.norm != "instance":
        return translator
    for link in translator.links():
        if link.normed:
            conv = translator.convs[link.name]
            factor = INITIAL_SPREAD / conv.get_parameter("weight").std()
            for one in conv.parameters():
                one.mul_(factor)
    return translator
