"""One training stage: the optimization of a generator, alone or against a discriminator."""

import math
from collections.abc import Callable, Mapping, Sequence

import torch
from lightning_fabric import Fabric
from torch import Tensor, nn

from mfagan.devices import to_device
from mfagan.sr.network.widths import Widths
from mfagan.sr.training.distillation import Distillation
from mfagan.sr.training.step_losses import DiscriminatorObjective, ElasticObjective, GeneratorObjective
from mfagan.training.loop import Learner
from mfagan.training.losses import PerceptualLoss, weighted_sum
from mfagan.training.recipe import Recipe, Stage
from mfagan.training.snapshot import Stateful


class StageTrainer(Learner):
    """One stage's optimization of a generator, alone or against a discriminator.

    One step trains the generator on the losses (1) to (6) that the stage weighs, then the discriminator, if
    there is one, on the same images. `draw` gives the slices that step `number` of a SuperGenerator trains.
    """

    watched = "recon"

    def __init__(
        self,
        recipe: Recipe,
        stage: Stage,
        generator: nn.Module,
        fabric: Fabric,
        discriminator: nn.Module | None = None,
        distillation: Distillation | None = None,
        perceptual: PerceptualLoss | None = None,
        draw: Callable[[int], Sequence[Widths]] | None = None,
    ) -> None:
        self.stage = stage
        self.fabric = fabric
        self.clip_norm = recipe.clip_norm
        self.network = to_device(generator, fabric.device).train()
        self.discriminator = (
            None if discriminator is None else to_device(discriminator, fabric.device).train()
        )
        for frozen in (distillation, perceptual):
            if frozen is not None:
                to_device(frozen, fabric.device)
        if draw is None:
            objective = GeneratorObjective(
                self.network, stage.weights, self.discriminator, distillation, perceptual
            )
        else:
            objective = ElasticObjective(
                self.network, stage.weights, draw, stage.sampling.in_place, perceptual
            )
        self._parts: dict[str, Stateful] = {}
        self._generator = self._set_up("generator", objective, recipe)
        self._discriminator = None
        if self.discriminator is not None:
            distilled = distillation if stage.weights.distill_d else None
            self._discriminator = self._set_up(
                "discriminator", DiscriminatorObjective(self.discriminator, distilled), recipe
            )

    def _set_up(
        self, name: str, objective: nn.Module, recipe: Recipe
    ) -> tuple[nn.Module, torch.optim.Optimizer]:
        optimizer = torch.optim.Adam(
            objective.parameters(), lr=self.stage.learning_rate, betas=recipe.betas, eps=1e-8
        )
        self._parts |= {name: objective, f"{name}_optimizer": optimizer}
        return self.fabric.setup(objective, optimizer)

    def parts(self) -> Mapping[str, Stateful]:
        """The objectives, whose parameters are what is trained, and their optimizers."""
        return self._parts

    def step(self, number: int, *batch: Tensor) -> dict[str, Tensor]:
        """Train on crops (N, 3, c, c) and (N, 3, scale c, scale c); returns the unweighted loss terms.

        Beside them stand the 2-norms of the gradients before clipping and the learning rate.
        """
        device = self.fabric.device
        lr, hr = (x.to(device, memory_format=torch.channels_last, non_blocking=True) for x in batch)
        rate = learning_rate(self.stage, number)
        objective, optimizer = self._generator
        if self.discriminator is not None:
            self.discriminator.requires_grad_(False)
        terms, sr = objective(lr, hr, number)
        weights = self.stage.weights
        norms = {"gradient": self._descend(objective, optimizer, terms, vars(weights), rate)}
        if self._discriminator is not None:
            assert self.discriminator is not None
            self.discriminator.requires_grad_(True)
            objective, optimizer = self._discriminator
            more = objective(hr, sr)
            norms["discriminator_gradient"] = self._descend(
                objective, optimizer, more, {"discriminator": 1.0, "distill_d": weights.distill_d}, rate
            )
            terms = terms | more
        return (
            {name: term.detach() for name, term in terms.items()}
            | norms
            | {"learning_rate": torch.tensor(rate, device=device)}
        )

    def _descend(
        self,
        objective: nn.Module,
        optimizer: torch.optim.Optimizer,
        terms: Mapping[str, Tensor],
        weights: Mapping[str, float],
        rate: float,
    ) -> Tensor:
        """One step down the gradient of the weighted terms; returns its 2-norm before clipping."""
        for group in optimizer.param_groups:
            group["lr"] = rate
        optimizer.zero_grad(set_to_none=True)
        self.fabric.backward(weighted_sum(terms, {name: weights[name] for name in terms}))
        norm = torch.nn.utils.clip_grad_norm_(objective.parameters(), self.clip_norm or math.inf)
        optimizer.step()
        return norm


def learning_rate(stage: Stage, step: int) -> float:
    """The learning rate of step `step` (from 0)."""
    rise = min(1.0, (step + 1) / stage.warm_up) if stage.warm_up else 1.0
    if stage.cosine:
        return rise * stage.learning_rate * 0.5 * (1 + math.cos(math.pi * step / stage.steps))
    return rise * stage.learning_rate * 0.5 ** sum(step >= halved for halved in stage.halve_at)
