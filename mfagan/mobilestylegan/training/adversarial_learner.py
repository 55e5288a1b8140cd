"""What trains a StyleGAN2 on pictures: generator and discriminator in turn (Karras et al. 2020)."""

from collections.abc import Mapping, Sequence

import torch
from lightning_fabric import Fabric
from torch import Tensor, nn

from mfagan.devices import to_device
from mfagan.mobilestylegan.network.discriminator import ResidualDiscriminator
from mfagan.mobilestylegan.network.generator import StyleGAN2
from mfagan.mobilestylegan.training.draws import Draws
from mfagan.mobilestylegan.training.recipe import TeacherRecipe
from mfagan.mobilestylegan.training.step_losses import DiscriminatorObjective, GeneratorObjective
from mfagan.training.descent import Descent
from mfagan.training.learner import Learner
from mfagan.training.recipe import FallingStage
from mfagan.training.snapshot import Stateful

__all__ = ["AdversarialLearner"]


class AdversarialLearner(Learner):
    """The optimization of a StyleGAN2 against a discriminator, on pictures.

    One step trains the generator on latents that the step's number gives, then the discriminator on the batch's
    pictures and on images of other latents.
    """

    watched = "losses"
    shown = ("generator_loss", "discriminator_loss")

    def __init__(
        self,
        recipe: TeacherRecipe,
        stage: FallingStage,
        network: StyleGAN2,
        discriminator: ResidualDiscriminator,
        fabric: Fabric,
        seed: int,
    ) -> None:
        """Set networks, losses and optimizers up on the run's device.

        Args:
            recipe: gives the optimizers' settings and the weights of the regularisations.
            stage: the stage's settings, as long as it shall be.
            network: what is trained.
            discriminator: what it is trained against.
            fabric: where they train.
            seed: of latents and noise.

        Raises:
            InputError: processes that do not share the batch.
        """
        self.recipe = recipe
        self.stage = stage
        self.fabric = fabric
        self.network = self._teacher = to_device(network, fabric.device).train()
        self.discriminator = to_device(discriminator, fabric.device).train()
        sides = network.synthesis.noise_sides
        self._draws = Draws(
            network.style_dim, sides, recipe.batch, seed, fabric.global_rank, fabric.world_size
        )
        self._objective = to_device(GeneratorObjective(network, self.discriminator), fabric.device)
        self._generator = Descent(fabric, self._objective, recipe)
        self._critic = Descent(fabric, DiscriminatorObjective(self.discriminator), recipe)

    def parts(self) -> Mapping[str, Stateful]:
        """The objectives, whose parameters are what is trained, and their optimizers."""
        return {**self._generator.parts("teacher"), **self._critic.parts("discriminator")}

    def step(self, number: int, *batch: Tensor) -> dict[str, Tensor]:
        """Train on latents that the step's number gives, and on pictures.

        Args:
            number: the step's, from 0.
            batch: pictures (N, 3, size, size), RGB in [0, 1].

        Returns:
            The unweighted loss terms ("adv" and, at its steps, "path" of the generator; "real", "fake" and, at its
            steps, "r1" of the discriminator), the losses of both without regularisations and their sum, the 2-norms of
            the gradients before clipping, the learning rate.
        """
        (pictures,) = batch
        rate = self.stage.learning_rate_at(number)
        found = self._step_generator(number, rate)
        found |= self._step_discriminator(number, rate, pictures.to(self.fabric.device) * 2 - 1)
        losses = {
            "generator_loss": found["adv"],
            "discriminator_loss": found["real"] + found["fake"],
        }
        total = losses["generator_loss"] + losses["discriminator_loss"]
        return (
            found | losses | {"losses": total, "learning_rate": torch.tensor(rate, device=self.fabric.device)}
        )

    def _step_generator(self, number: int, rate: float) -> dict[str, Tensor]:
        self.discriminator.requires_grad_(False)
        z, noise = self._draws.draw(number, device=self.fabric.device)
        every, weight = self.recipe.path_every, self.recipe.path_weight
        directions = None
        if weight and (number + 1) % every == 0:
            directions = self._draws.draw_directions(number, self._teacher.size, self.fabric.device)
        terms, length = self._generator.objective(z, noise, directions)
        norm = self._generator.descend(terms, {"adv": 1.0, "path": weight * every}, rate)
        if length is not None:
            mean = self.fabric.all_reduce(length, reduce_op="mean")
            assert isinstance(mean, Tensor)
            self._objective.follow(mean)
        return {name: term.detach() for name, term in terms.items()} | {"gradient": norm}

    def _step_discriminator(self, number: int, rate: float, real: Tensor) -> dict[str, Tensor]:
        self.discriminator.requires_grad_(True)
        z, noise = self._draws.draw(number, "discriminator", self.fabric.device)
        with torch.no_grad(), self.fabric.autocast():
            fake = self._teacher(z, noise=noise)
        every, gamma = self.recipe.r1_every, self.recipe.r1_gamma
        penalised = bool(gamma) and (number + 1) % every == 0
        terms = self._critic.objective(real, fake.float(), penalised)
        norm = self._critic.descend(terms, {"real": 1.0, "fake": 1.0, "r1": gamma / 2 * every}, rate)
        return {name: term.detach() for name, term in terms.items()} | {"discriminator_gradient": norm}

    def results(self) -> Sequence[nn.Module]:
        """The generator, with the mean style of the weights that are kept."""
        self._teacher.set_mean()
        return (self._teacher,)
