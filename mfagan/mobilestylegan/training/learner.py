"""What the stages train: a teacher on drawings, a student on its teacher's images."""

from collections.abc import Callable, Mapping, Sequence

import torch
from lightning_fabric import Fabric
from torch import Tensor, nn

from mfagan.devices import to_device
from mfagan.errors import InputError
from mfagan.evaluation.psnr_ssim import signed_psnr_db
from mfagan.mobilestylegan.network.discriminator import ResidualDiscriminator
from mfagan.mobilestylegan.network.generator import MobileStyleGAN, StyleGAN2, require_pair
from mfagan.mobilestylegan.training.distances import FeatureDistance
from mfagan.mobilestylegan.training.drawings import draw_faces
from mfagan.mobilestylegan.training.draws import Draws
from mfagan.mobilestylegan.training.recipe import StudentRecipe, StudentStage, TeacherRecipe
from mfagan.mobilestylegan.training.step_losses import (
    DiscriminatorObjective,
    DistillationObjective,
    DrawingObjective,
)
from mfagan.training.descent import Descent
from mfagan.training.learner import Learner
from mfagan.training.losses import weighted_sum
from mfagan.training.recipe import FallingStage
from mfagan.training.snapshot import Stateful

__all__ = ["DistillationLearner", "DrawingLearner", "require_finite_images"]


def require_finite_images(images: Tensor) -> Tensor:
    """Check what a teacher makes before a student learns it.

    Args:
        images: the teacher's.

    Returns:
        The same images.

    Raises:
        InputError: they hold values that are not finite.
    """
    if not torch.isfinite(images).all():
        bad = int((~torch.isfinite(images)).flatten(1).any(1).sum())
        raise InputError(
            f"teacher: {bad} of {len(images)} images hold values that are not finite; give another teacher, or train "
            "with precision fp32"
        )
    return images


class DrawingLearner(Learner):
    """The optimization of a StyleGAN2 that is fitted to drawings."""

    watched = "rgb"
    shown = ("psnr_db",)

    def __init__(
        self, recipe: TeacherRecipe, stage: FallingStage, network: StyleGAN2, fabric: Fabric, seed: int
    ) -> None:
        """Set network and optimizer up on the run's device.

        Args:
            recipe: gives the optimizer's settings.
            stage: the stage's settings, as long as it shall be.
            network: what is trained.
            fabric: where it trains.
            seed: of latents and noise.
        """
        self.stage = stage
        self.fabric = fabric
        self.network = self._teacher = to_device(network, fabric.device).train()
        self._draws = _draws_of(network, recipe.batch, seed, fabric)
        self._descent = Descent(fabric, DrawingObjective(network), recipe)

    def parts(self) -> Mapping[str, Stateful]:
        """The objective, whose parameters are what is trained, and its optimizer."""
        return self._descent.parts("teacher")

    def step(self, number: int, *batch: Tensor) -> dict[str, Tensor]:
        """Train on latents that the step's number gives.

        Args:
            number: the step's, from 0.
            batch: nothing.

        Returns:
            The loss, PSNR against the drawings in dB, the 2-norm of the gradient before clipping, the learning rate.
        """
        z, noise = self._draws.draw(number, device=self.fabric.device)
        drawings = draw_faces(z, self._teacher.size)
        terms, images = self._descent.objective(z, noise, drawings)
        rate = self.stage.learning_rate_at(number)
        norm = self._descent.descend(terms, {"rgb": 1.0}, rate)
        figures = {"psnr_db": signed_psnr_db(images, drawings), "gradient": norm}
        return _detached(terms) | figures | {"learning_rate": torch.tensor(rate, device=self.fabric.device)}

    def results(self) -> Sequence[nn.Module]:
        """The network, with the mean style of the weights that are kept."""
        self._teacher.set_mean()
        return (self._teacher,)


class DistillationLearner(Learner):
    """The optimization of a student, weight-shared or not, alone or against a discriminator.

    One step trains the student on images that its teacher makes of the step's latents and noise, then the
    discriminator, if there is one, on images of others. Mapping network and mean style stay the teacher's.
    """

    watched = "loss"

    def __init__(
        self,
        recipe: StudentRecipe,
        stage: StudentStage,
        teacher: StyleGAN2,
        student: MobileStyleGAN,
        fabric: Fabric,
        seed: int,
        *,
        perceptual: FeatureDistance | None = None,
        discriminator: ResidualDiscriminator | None = None,
        draw: Callable[[int], Sequence[Sequence[int]]] | None = None,
    ) -> None:
        """Set networks, losses and optimizers up on the run's device.

        Args:
            recipe: gives the optimizers' settings.
            stage: the stage's settings, as long as it shall be.
            teacher: frozen here.
            student: what is trained, with all heads.
            fabric: where it trains.
            seed: of latents and noise.
            perceptual: for the perceptual term, or None to leave it out.
            discriminator: trained against the student, or None.
            draw: gives the channels of the slices that a step trains, by its number; None trains the full student.

        Raises:
            InputError: teacher and student do not belong together, or processes that do not share the batch.
        """
        require_pair(teacher, student)
        self.recipe = recipe
        self.stage = stage
        self.fabric = fabric
        self.teacher = to_device(teacher, fabric.device).requires_grad_(False).eval()
        self.network = self._student = to_device(student, fabric.device).train()
        student.mapping.requires_grad_(False)
        if perceptual is not None:
            to_device(perceptual, fabric.device)
        self.discriminator = None
        self._critic = None
        self.shown = ("psnr_db",) if discriminator is None else ("psnr_db", "adv", "discriminator_loss")
        if discriminator is not None:
            self.discriminator = to_device(discriminator, fabric.device).train()
            self._critic = Descent(fabric, DiscriminatorObjective(self.discriminator), recipe)
        objective = DistillationObjective(
            student.synthesis, stage.weights, recipe.targets, perceptual, self.discriminator, draw
        )
        self._draws = _draws_of(teacher, recipe.batch, seed, fabric)
        self._descent = Descent(fabric, objective, recipe)

    def parts(self) -> Mapping[str, Stateful]:
        """The objectives, whose parameters are what is trained, and their optimizers."""
        parts = self._descent.parts("student")
        return parts if self._critic is None else {**parts, **self._critic.parts("discriminator")}

    def step(self, number: int, *batch: Tensor) -> dict[str, Tensor]:
        """Train on latents and noise that the step's number gives.

        Args:
            number: the step's, from 0.
            batch: nothing.

        Returns:
            The unweighted loss terms (those of the discriminator are "real", "fake" and, at its steps, "r1"), the
            weighted sum "loss" of the student's, "discriminator_loss" (that of "real" and "fake"), PSNR of the full
            student against the teacher in dB, the 2-norms of the gradients before clipping, the learning rate.

        Raises:
            InputError: the teacher's images are not finite.
        """
        w, noise, image = self._teach(number, "generator")
        rate = self.stage.learning_rate_at(number)
        if self.discriminator is not None:
            self.discriminator.requires_grad_(False)
        terms, made = self._descent.objective(w, noise, image, number)
        weights = vars(self.stage.weights)
        norm = self._descent.descend(terms, weights, rate)
        found = _detached(terms)
        total = weighted_sum(found, {name: weights[name] for name in found})
        figures = found | {"loss": total, "psnr_db": signed_psnr_db(made, image), "gradient": norm}
        if self._critic is not None:
            figures |= self._step_discriminator(number, rate, self._critic)
        return figures | {"learning_rate": torch.tensor(rate, device=self.fabric.device)}

    def _step_discriminator(self, number: int, rate: float, critic: Descent) -> dict[str, Tensor]:
        assert self.discriminator is not None
        self.discriminator.requires_grad_(True)
        w, noise, real = self._teach(number, "discriminator")
        with torch.no_grad(), self.fabric.autocast():
            fake = self._student.synthesis(w, noise)
        every = self.recipe.r1_every
        terms = critic.objective(real, fake.float(), (number + 1) % every == 0)
        weights = {"real": 1.0, "fake": 1.0, "r1": self.recipe.r1_gamma / 2 * every}
        norm = critic.descend(terms, weights, rate)
        found = _detached(terms)
        return found | {"discriminator_loss": found["real"] + found["fake"], "discriminator_gradient": norm}

    @torch.no_grad()
    def _teach(self, number: int, purpose: str) -> tuple[Tensor, list[Tensor], Tensor]:
        """Styles, noise and the teacher's images of them."""
        z, noise = self._draws.draw(number, purpose, self.fabric.device)
        with self.fabric.autocast():
            w = self.teacher.styles(z, self.recipe.psi)
            image = self.teacher.synthesis(w, noise)
        return w, noise, require_finite_images(image.float())


def _draws_of(teacher: StyleGAN2, batch: int, seed: int, fabric: Fabric) -> Draws:
    sides = teacher.synthesis.noise_sides
    return Draws(teacher.style_dim, sides, batch, seed, fabric.global_rank, fabric.world_size)


def _detached(terms: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name: term.detach() for name, term in terms.items()}
