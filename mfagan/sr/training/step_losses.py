"""The losses of one training step as modules, one forward pass each: what several processes can share."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from mfagan.networks.discriminators import PatchGAN
from mfagan.sr.network.widths import Widths
from mfagan.sr.training.compiled_generator import CompiledGenerator
from mfagan.sr.training.distillation import Distillation
from mfagan.sr.training.recipe import LossWeights
from mfagan.training.losses import (
    PerceptualLoss,
    discriminator_loss,
    generator_adversarial_loss,
    reconstruction_loss,
)

__all__ = ["DiscriminatorObjective", "ElasticObjective", "GeneratorObjective"]

Terms = dict[str, Tensor]
"""Loss terms by name, unweighted scalars."""


class GeneratorObjective(nn.Module):
    """The generator's loss terms, unweighted; what the paper's equation (1) adds up, less the discriminator's.

    Its parameters are those that the generator's optimizer trains. Teacher, discriminator and perceptual network
    take part in it but do not belong to it.
    """

    def __init__(
        self,
        generator: nn.Module,
        weights: LossWeights,
        discriminator: nn.Module | None = None,
        distillation: Distillation | None = None,
        perceptual: PerceptualLoss | None = None,
    ) -> None:
        """Put the losses of a generator together.

        Args:
            generator: what is trained.
            weights: a term of weight 0 is not computed.
            discriminator: for the adversarial term, or None to leave it out.
            distillation: for the distillation of the generator, or None.
            perceptual: for the perceptual term, or None.
        """
        super().__init__()
        self.generator = generator
        self.compiled: CompiledGenerator | None = None
        self.weights = weights
        self.adapters: nn.Module | None = None
        if distillation is not None and weights.distill_g:
            self.adapters = distillation.generator_adapters
        # In a tuple they are not registered, so that nobody averages, trains or saves them as parts of this.
        self._others = (discriminator, distillation, perceptual)

    def forward(self, lr: Tensor, hr: Tensor, number: int) -> tuple[Terms, Tensor]:
        """Compute the terms.

        Args:
            lr: images (N, 3, h, w), RGB in [0, 1].
            hr: the originals (N, 3, scale h, scale w).
            number: the step's; without effect here, `ElasticObjective` draws its slices by it.

        Returns:
            The terms by name, and the enlarged images.
        """
        discriminator, distillation, perceptual = self._others
        terms: Terms = {}
        if self.adapters is not None:
            assert distillation is not None
            sr, taps = (self.compiled or self.generator).forward_with_taps(lr)  # pyright: ignore[reportCallIssue]
            terms["distill_g"] = distillation.generator_loss(lr, taps)
        else:
            sr = (self.compiled or self.generator)(lr)
        terms["recon"] = reconstruction_loss(sr, hr)
        if perceptual is not None and self.weights.percep:
            terms["percep"] = perceptual(sr, hr)
        if discriminator is not None and self.weights.adv:
            terms["adv"] = generator_adversarial_loss(discriminator(sr))
        return terms, sr


class ElasticObjective(nn.Module):
    """The loss terms of a SuperGenerator: the weighted mean over the slices that a step trains."""

    def __init__(
        self,
        generator: nn.Module,
        weights: LossWeights,
        draw: Callable[[int], Sequence[Widths]],
        in_place: float = 0.0,
        perceptual: PerceptualLoss | None = None,
        narrow_weight: float = 1.0,
    ) -> None:
        """Put the losses of a SuperGenerator together.

        Args:
            generator: a SuperGenerator.
            weights: a term of weight 0 is not computed.
            draw: called with the step's number, gives its slices.
            in_place: the share, 0 to 1, of the first slice's output, against the original, in what the others learn
                (in-place distillation, Yu and Huang 2019).
            perceptual: for the perceptual term, or None.
            narrow_weight: the weight of every slice but the first in the mean, against 1 for the first.
        """
        super().__init__()
        self.generator = generator
        self.compiled: CompiledGenerator | None = None
        self.weights = weights
        self.draw = draw
        self.in_place = in_place
        self.narrow_weight = narrow_weight
        self._others = (perceptual,)

    def forward(self, lr: Tensor, hr: Tensor, number: int) -> tuple[Terms, Tensor]:
        """Compute the terms.

        Args:
            lr: images (N, 3, h, w), RGB in [0, 1].
            hr: the originals (N, 3, scale h, scale w).
            number: the step's, by which its slices are drawn.

        Returns:
            The terms by name, and the images that the first slice enlarged.
        """
        (perceptual,) = self._others
        first, *others = ((self.compiled or self.generator)(lr, widths) for widths in self.draw(number))
        terms: Terms = {"recon": self._distances(reconstruction_loss, first, others, hr)}
        if perceptual is not None and self.weights.percep:
            terms["percep"] = self._distances(perceptual, first, others, hr)
        return terms, first

    def _distances(
        self,
        distance: Callable[[Tensor, Tensor], Tensor],
        first: Tensor,
        others: Sequence[Tensor],
        hr: Tensor,
    ) -> Tensor:
        taught = first.detach()
        distances = [distance(first, hr)]
        for sr in others:
            if self.in_place < 1:
                distances.append(self.narrow_weight * (1 - self.in_place) * distance(sr, hr))
            if self.in_place > 0:
                distances.append(self.narrow_weight * self.in_place * distance(sr, taught))
        return torch.stack(distances).sum() / (1 + self.narrow_weight * len(others))


class DiscriminatorObjective(nn.Module):
    """The discriminator's loss terms, unweighted: real against generated images, and its distillation."""

    def __init__(self, discriminator: nn.Module, distillation: Distillation | None = None) -> None:
        """Put the losses of a discriminator together.

        Args:
            discriminator: what is trained; a PatchGAN if it is distilled.
            distillation: for the distillation of the discriminator, or None.
        """
        super().__init__()
        self.discriminator = discriminator
        self.adapters = None if distillation is None else distillation.discriminator_adapters
        self._others = (distillation,)

    def forward(self, hr: Tensor, sr: Tensor) -> Terms:
        """Compute the terms.

        Args:
            hr: originals (N, 3, H, W), RGB in [0, 1].
            sr: generated images, likewise; they receive no gradient.

        Returns:
            The terms by name.
        """
        (distillation,) = self._others
        sr = sr.detach().to(hr.dtype)
        if distillation is None:
            return {"discriminator": discriminator_loss(self.discriminator(hr), self.discriminator(sr))}
        assert isinstance(self.discriminator, PatchGAN)
        images = torch.cat((hr, sr))
        logits, taps = self.discriminator.taps(images)
        real, fake = logits.chunk(2)
        return {
            "discriminator": discriminator_loss(real, fake),
            "distill_d": distillation.discriminator_loss(images, taps),
        }
