"""Control of the ratio: widths that land on a named share of the MACs, and how many steps the latents need for it."""

from collections.abc import Iterable, Mapping
from itertools import accumulate

import torch
from torch import Tensor

from mfagan.coronetgan.network.costs import WidthCosts
from mfagan.coronetgan.network.hyper.latents import MIN_CHANNELS, TAU, mask_of
from mfagan.errors import InputError

__all__ = [
    "FORECAST_MARGIN",
    "STOP_ABOVE",
    "count_steps",
    "land",
    "least_ratio",
    "masked_ratio",
    "require_ratio",
]

STOP_ABOVE = 0.02
"""Sparsification stops as soon as the ratio is no more than this above the target, as in DHP; the rest is landing."""
FORECAST_MARGIN = 1.3
"""Measured steps over counted ones: Adam moves latents too (1.25 to 1.33 in the runs of the specification)."""

Latents = Mapping[str, Tensor]
"""Name -> latent that may be pruned, (C,)."""


def least_ratio(costs: WidthCosts, round_to: int = 1, at_least: int = MIN_CHANNELS) -> float:
    """The share of the MACs that the least channels of every latent leave.

    Args:
        costs: Of the network.
        round_to: As for `land`.
        at_least: As for `land`.
    """
    prunable = _prunable(costs)
    return costs.ratio(
        {name: _rounded(at_least, full, round_to, at_least) for name, full in prunable.items()}
    )


def require_ratio(ratio: float, costs: WidthCosts, round_to: int = 1, at_least: int = MIN_CHANNELS) -> float:
    """Check a ratio that is asked for.

    Args:
        ratio: A share of the MACs.
        costs: Of the network.
        round_to: As for `land`.
        at_least: As for `land`.

    Returns:
        The ratio.

    Raises:
        InputError: It is not in (0, 1], or less than what the least channels leave.
    """
    if not 0 < ratio <= 1:
        raise InputError(f"ratio {ratio}: give a share of the MACs, above 0 and at most 1")
    least = least_ratio(costs, round_to, at_least)
    if ratio < least:
        channels = max(at_least, round_to)
        raise InputError(
            f"ratio {ratio}: {channels} channels of every layer already leave {least:.4f} of the MACs; give at least "
            "that"
        )
    return ratio


def land(
    latents: Latents,
    costs: WidthCosts,
    ratio: float,
    round_to: int = 1,
    at_least: int = MIN_CHANNELS,
    fill: bool = False,
) -> dict[str, Tensor]:
    """Which channels to keep so that the ratio is met within one channel: those of the largest magnitudes.

    The smallest magnitudes of all latents together go first, whatever their latent.

    Args:
        latents: Those that may be pruned.
        costs: Of the network.
        ratio: The share of the MACs that may be left.
        round_to: Widths are multiples of this, or the full width.
        at_least: Channels that every latent keeps.
        fill: Whether as few latents as possible take further channels, which are no multiples then, until the ratio is
            met within one channel. Where a processor computes channels by the dozen, this costs time in one place.

    Returns:
        Latent -> indices of its kept channels, in ascending order.
    """
    magnitudes = {name: z.detach().abs().double().cpu() for name, z in latents.items()}
    thresholds = torch.cat(list(magnitudes.values())).unique()

    def widths_at(number: int) -> dict[str, int]:
        """The widths without the entries that are smaller than a threshold, the number-th of them."""
        if number == len(thresholds):
            return {name: _rounded(0, len(one), round_to, at_least) for name, one in magnitudes.items()}
        return {
            name: _rounded(int((one >= thresholds[number]).sum()), len(one), round_to, at_least)
            for name, one in magnitudes.items()
        }

    low, high = 0, len(thresholds)  # the ratio at `high` is small enough
    while low < high:
        middle = (low + high) // 2
        if costs.ratio(widths_at(middle)) <= ratio:
            high = middle
        else:
            low = middle + 1
    widths = widths_at(high)
    if fill:
        _fill(widths, {name: len(one) for name, one in magnitudes.items()}, costs, ratio)
    return {name: magnitudes[name].topk(width).indices.sort().values for name, width in widths.items()}


def masked_ratio(
    latents: Latents, costs: WidthCosts, tau: float = TAU, at_least: int = MIN_CHANNELS
) -> float:
    """The share of the MACs that the masks of latents leave.

    Args:
        latents: Those that may be pruned.
        costs: Of the network.
        tau: As for `mask_of`.
        at_least: As for `mask_of`.
    """
    return costs.ratio({name: int(mask_of(z, tau, at_least).sum()) for name, z in latents.items()})


def count_steps(
    latents: Latents,
    costs: WidthCosts,
    ratio: float,
    shrinkage: Iterable[float],
    tau: float = TAU,
    at_least: int = MIN_CHANNELS,
) -> int | None:
    """Count the steps after which the proximal steps alone have reached a ratio; times `FORECAST_MARGIN` with Adam.

    Args:
        latents: Those that may be pruned, before training.
        costs: Of the network.
        ratio: The share of the MACs that is asked for.
        shrinkage: gamma x learning rate of each step.
        tau: As for `mask_of`.
        at_least: As for `mask_of`.

    Returns:
        The number of steps, or None if the ratio is not reached in these.
    """
    totals = list(accumulate(shrinkage))
    magnitudes = {name: z.detach().abs() for name, z in latents.items()}

    def reached(total: float) -> bool:
        left = {name: (z - total).clamp_min(0) for name, z in magnitudes.items()}
        return masked_ratio(left, costs, tau, at_least) <= ratio + STOP_ABOVE

    low, high = 0, len(totals)
    while low < high:
        middle = (low + high) // 2
        if reached(totals[middle]):
            high = middle
        else:
            low = middle + 1
    return None if low == len(totals) else low + 1


def _fill(widths: dict[str, int], full: Mapping[str, int], costs: WidthCosts, ratio: float) -> None:
    """Widen one latent after another in place, until one channel more of the costliest would not fit.

    The next is the one with the cheapest channels of those that can take all that is left or, if there is none, the
    one that can take most.
    """
    while (reached := costs.ratio(widths)) <= ratio:
        one_more = {
            name: costs.ratio({**widths, name: width + 1}) - reached
            for name, width in widths.items()
            if width < full[name]
        }
        room = {name: one_more[name] * (full[name] - widths[name]) for name in one_more}
        left = ratio - reached
        if not one_more or left < max(one_more.values()):
            return
        enough = [name for name in room if room[name] >= left]
        name = min(enough, key=one_more.__getitem__) if enough else max(room, key=room.__getitem__)
        while widths[name] < full[name] and costs.ratio({**widths, name: widths[name] + 1}) <= ratio:
            widths[name] += 1


def _prunable(costs: WidthCosts) -> dict[str, int]:
    written = {output for _, output, _ in costs.products[:-1]}
    return {name: full for name, full in costs.full.items() if name in written}


def _rounded(width: int, full: int, round_to: int, at_least: int) -> int:
    """A width as it may be: at least the least one, a multiple, or the full one."""
    width = max(width, at_least)
    return min(full, max(round_to, round_to * round(width / round_to)))
