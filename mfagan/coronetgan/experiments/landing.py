"""Whether a ratio that was asked for is met: by no more than one channel."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

from torch import Tensor

from mfagan.coronetgan.network.costs import WidthCosts
from mfagan.coronetgan.network.hyper.latents import MIN_CHANNELS
from mfagan.coronetgan.network.hyper.ratio import land

__all__ = ["Landing", "describe_landing", "land_on_each"]


@dataclass(frozen=True)
class Landing:
    """A ratio that was asked for, and the one that was reached.

    asked: the share of the MACs that may be left.
    reached: the share that is left.
    one_channel: the share that one channel more (or as many as widths are rounded to) of the costliest latent adds.
    """

    asked: float
    reached: float
    one_channel: float

    @property
    def met(self) -> bool:
        """Whether it is not above the one asked for, and by less than one channel below it."""
        return 0 <= self.asked - self.reached < self.one_channel

    def as_dict(self) -> dict[str, object]:
        """Plain data."""
        return {**asdict(self), "met": self.met}


def describe_landing(
    costs: WidthCosts, widths: Mapping[str, int], asked: float, round_to: int = 1
) -> Landing:
    """Compare widths with the ratio that was asked for.

    Args:
        costs: of the network at full widths.
        widths: channels of each latent that are left.
        asked: the share of the MACs that may be left.
        round_to: what widths are multiples of.

    Returns:
        Both ratios and what one channel more would add.
    """
    reached = costs.ratio(widths)
    more = (
        costs.ratio({**widths, name: min(width + round_to, costs.full[name])}) - reached
        for name, width in widths.items()
    )
    return Landing(asked, reached, max(more, default=0.0))


def land_on_each(
    latents: Mapping[str, Tensor],
    costs: WidthCosts,
    ratios: Sequence[float],
    round_to: int = 1,
    at_least: int = MIN_CHANNELS,
) -> list[Landing]:
    """Land on several ratios from the same latents; nothing is trained.

    Args:
        latents: those that may be pruned, (C,) each.
        costs: of the network at full widths.
        ratios: shares of the MACs.
        round_to: as for `land`.
        at_least: as for `land`.

    Returns:
        What was reached of each.
    """
    return [
        describe_landing(
            costs,
            {name: len(kept) for name, kept in land(latents, costs, ratio, round_to, at_least).items()},
            ratio,
            round_to,
        )
        for ratio in ratios
    ]
