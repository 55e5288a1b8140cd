"""What prunes a translator while it trains: the latents are shrunk until the masks leave the ratio asked for."""

from typing import Any

import torch
from torch import Tensor

from mfagan.coronetgan.network.costs import WidthCosts
from mfagan.coronetgan.network.hyper.latents import mask_of, proximal_step
from mfagan.coronetgan.network.hyper.ratio import land, masked_ratio
from mfagan.coronetgan.network.hyper.translator import HyperTranslator
from mfagan.coronetgan.training.recipe import TranslationRecipe

__all__ = ["Sparsifier"]


class Sparsifier:
    """Follows the optimizer of one hypernetwork form: proximal step, masks, and the landing on the ratio.

    Once the ratio is reached, masks and latents stay as they are.
    """

    def __init__(
        self, network: HyperTranslator, costs: WidthCosts, ratio: float, recipe: TranslationRecipe
    ) -> None:
        """Set it up before the first step.

        Args:
            network: whose latents are shrunk and whose masks are set.
            costs: its MACs by widths.
            ratio: the share of the MACs that is asked for.
            recipe: gives gamma, tau, the least channels, the rounding and where to stop.
        """
        self.network = network
        self.arrived = False
        self.ratio = 1.0
        """The share of the MACs that the masks leave."""
        self.curve: list[tuple[int, float]] = []
        """Steps after which the ratio had changed, and the ratio."""
        self._costs = costs
        self._asked = ratio
        self._recipe = recipe
        self._held: dict[str, Tensor] = {}

    def hold(self) -> None:
        """Before the optimizer's step: remember latents that shall stay."""
        if self.arrived:
            self._held = {name: z.detach().clone() for name, z in self.network.prunable().items()}

    @torch.no_grad()
    def follow(self, number: int, rate: float) -> None:
        """After the optimizer's step: shrink the latents and set the masks, or put the latents back.

        Args:
            number: the step's, from 0.
            rate: its learning rate.
        """
        latents, recipe = self.network.prunable(), self._recipe
        if self.arrived:
            for name, z in latents.items():
                z.copy_(self._held[name])
            return
        least = recipe.min_channels
        before = {name: z.clone() for name, z in latents.items()}
        proximal_step(latents, recipe.gamma * rate, recipe.tau, least)
        kept = {name: mask_of(z, recipe.tau, least) for name, z in latents.items()}
        ratio = masked_ratio(latents, self._costs, recipe.tau, least)
        if ratio <= self._asked + recipe.stop_above:
            # Where many channels go at once, those before the step tell which of them may stay.
            for name, z in latents.items():
                z.copy_(before[name])
            kept = land(latents, self._costs, self._asked, recipe.round_to, least, recipe.fill)
            ratio = self._costs.ratio({name: len(index) for name, index in kept.items()})
            self.arrived = True
        self.network.set_masks(kept)
        if ratio != self.ratio:
            self.curve.append((number + 1, ratio))
        self.ratio = ratio

    def state_dict(self) -> dict:
        """Where it stands; latents and masks are the network's own state."""
        return {"arrived": self.arrived, "ratio": self.ratio, "curve": list(self.curve)}

    def load_state_dict(self, state_dict: dict[str, Any], /) -> None:
        """Take up where it stood.

        Args:
            state_dict: as `state_dict` gives it.
        """
        self.arrived, self.ratio = state_dict["arrived"], state_dict["ratio"]
        self.curve = [tuple(one) for one in state_dict["curve"]]
