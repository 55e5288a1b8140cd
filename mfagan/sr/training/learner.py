"""What a stage of MFAGAN trains: a generator, alone or against a discriminator."""

from collections.abc import Callable, Mapping, Sequence

import torch
from lightning_fabric import Fabric
from torch import Tensor, nn

from mfagan.devices import to_device
from mfagan.sr.network.supergenerator import SuperGenerator
from mfagan.sr.network.widths import Widths
from mfagan.sr.training.compiled_generator import CompiledGenerator
from mfagan.sr.training.distillation import Distillation
from mfagan.sr.training.recipe import Recipe, Stage
from mfagan.sr.training.step_losses import DiscriminatorObjective, ElasticObjective, GeneratorObjective
from mfagan.sr.training.width_sampling import fixed_widths
from mfagan.training.descent import Descent
from mfagan.training.learner import Learner
from mfagan.training.losses import PerceptualLoss
from mfagan.training.snapshot import Stateful

__all__ = ["GANLearner"]


class GANLearner(Learner):
    """One stage's optimization of a generator, alone or against a discriminator.

    One step trains the generator on the losses (1) to (6) that the stage weighs, then the discriminator, if
    there is one, on the same images.
    """

    watched = "recon"

    def __init__(
        self,
        recipe: Recipe,
        stage: Stage,
        generator: nn.Module,
        fabric: Fabric,
        *,
        discriminator: nn.Module | None = None,
        distillation: Distillation | None = None,
        perceptual: PerceptualLoss | None = None,
        draw: Callable[[int], Sequence[Widths]] | None = None,
    ) -> None:
        """Set networks, losses and optimizers up on the run's device.

        Args:
            recipe: gives the optimizers' settings, and whether the generator is compiled.
            stage: the stage's settings, as long as it shall be.
            generator: the network that is trained and kept.
            fabric: where it trains.
            discriminator: trained against the generator, or None.
            distillation: the teachers and adapters, or None.
            perceptual: the perceptual loss, or None to leave that term out.
            draw: gives the slices that a step of a SuperGenerator trains, by the step's number; None trains the
                generator as it is.
        """
        self.stage = stage
        self.fabric = fabric
        # On a CPU, torch.compile is the faster without a layout given to it.
        plain = recipe.compile and fabric.device.type == "cpu"
        self._layout = torch.contiguous_format if plain else torch.channels_last
        self.network = to_device(generator, fabric.device, self._layout).train()
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
            sampling = stage.sampling
            objective = ElasticObjective(
                self.network, stage.weights, draw, sampling.in_place, perceptual, sampling.narrow_weight
            )
        self._compiled = None
        if recipe.compile:
            has_taps = isinstance(objective, GeneratorObjective) and objective.adapters is not None
            fixed: Sequence[Widths] = ()
            if draw is not None and isinstance(self.network, SuperGenerator):
                fixed = fixed_widths(stage.sampling, self.network.widths)
            self._compiled = CompiledGenerator(self.network, has_taps=has_taps, fixed=fixed)
            objective.compiled = self._compiled
        self._generator = Descent(fabric, objective, recipe)
        self._discriminator = None
        if self.discriminator is not None:
            distilled = distillation if stage.weights.distill_d else None
            self._discriminator = Descent(
                fabric, DiscriminatorObjective(self.discriminator, distilled), recipe
            )

    def parts(self) -> Mapping[str, Stateful]:
        """The objectives, whose parameters are what is trained, and their optimizers."""
        parts = self._generator.parts("generator")
        return (
            parts if self._discriminator is None else {**parts, **self._discriminator.parts("discriminator")}
        )

    def results(self) -> Sequence[nn.Module]:
        """The generator and, if one is trained, the discriminator."""
        return (self.network,) if self.discriminator is None else (self.network, self.discriminator)

    def step(self, number: int, *batch: Tensor) -> dict[str, Tensor]:
        """Train on one batch of crops.

        Args:
            number: the step's, from 0.
            batch: crops (N, 3, c, c) and (N, 3, scale c, scale c), RGB in [0, 1].

        Returns:
            The unweighted loss terms, the 2-norms of the gradients before clipping, and the learning rate.
        """
        device = self.fabric.device
        lr, hr = (x.to(device, memory_format=self._layout, non_blocking=True) for x in batch)
        rate = self.stage.learning_rate_at(number)
        if self.discriminator is not None:
            self.discriminator.requires_grad_(False)
        if self._compiled is not None:
            with self.fabric.autocast():
                self._compiled.begin_step(lr)
        terms, sr = self._generator.objective(lr, hr, number)
        weights = self.stage.weights
        norms = {"gradient": self._generator.descend(terms, vars(weights), rate)}
        if self._discriminator is not None:
            assert self.discriminator is not None
            self.discriminator.requires_grad_(True)
            more = self._discriminator.objective(hr, sr)
            shares = {"discriminator": 1.0, "distill_d": weights.distill_d}
            norms["discriminator_gradient"] = self._discriminator.descend(more, shares, rate)
            terms = terms | more
        return (
            {name: term.detach() for name, term in terms.items()}
            | norms
            | {"learning_rate": torch.tensor(rate, device=device)}
        )
