"""One optimizer's side of a training step: the learning rate, the gradient, its clipping and the update."""

import math
from collections.abc import Mapping

import torch
from lightning_fabric import Fabric
from torch import Tensor, nn

from mfagan.training.losses import weighted_sum
from mfagan.training.recipe import BaseRecipe
from mfagan.training.snapshot import Stateful

__all__ = ["Descent"]


class Descent:
    """An objective and the Adam optimizer of its parameters.

    The objective is a module whose call computes loss terms by name; several processes share its gradients.
    """

    def __init__(self, fabric: Fabric, objective: nn.Module, recipe: BaseRecipe) -> None:
        """Set the objective and its optimizer up on the run's device.

        Args:
            fabric: where it trains.
            objective: its parameters are those that are trained.
            recipe: gives Adam's decay rates and the clipping of the gradient.
        """
        self._fabric = fabric
        self._clip_norm = recipe.clip_norm
        # The learning rate is set at every step.
        optimizer = torch.optim.Adam(objective.parameters(), betas=recipe.betas, eps=1e-8)
        self._parts: dict[str, Stateful] = {"": objective, "_optimizer": optimizer}
        self.objective, self._optimizer = fabric.setup(objective, optimizer)

    def parts(self, name: str) -> Mapping[str, Stateful]:
        """The objective and the optimizer for a learner's `parts`.

        Args:
            name: of the objective.

        Returns:
            `NAME` and `NAME_optimizer` -> what changes from step to step.
        """
        return {f"{name}{suffix}": part for suffix, part in self._parts.items()}

    def descend(self, terms: Mapping[str, Tensor], weights: Mapping[str, float], rate: float) -> Tensor:
        """Make one step down the gradient of the weighted sum of loss terms.

        Args:
            terms: scalars with gradient, by name.
            weights: by the terms' names; more than those of `terms` are allowed.
            rate: the learning rate.

        Returns:
            The gradient's 2-norm before clipping, a scalar.

        Raises:
            InputError: no term has a weight.
        """
        for group in self._optimizer.param_groups:
            group["lr"] = rate
        self._optimizer.zero_grad(set_to_none=True)
        self._fabric.backward(weighted_sum(terms, {name: weights[name] for name in terms}))
        norm = torch.nn.utils.clip_grad_norm_(self.objective.parameters(), self._clip_norm or math.inf)
        self._optimizer.step()
        return norm
