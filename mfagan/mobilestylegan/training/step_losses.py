"""The losses of one training step as modules, one forward pass each: what several processes can share."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mfagan.mobilestylegan.network.generator import StyleGAN2
from mfagan.mobilestylegan.network.layers.haar import forward_haar, inverse_haar
from mfagan.mobilestylegan.network.student.slices import forward_slice_heads
from mfagan.mobilestylegan.network.student.student import Student
from mfagan.mobilestylegan.training.distances import FeatureDistance, Targets, difference, resize_target
from mfagan.mobilestylegan.training.recipe import LossWeights
from mfagan.training.losses import generator_adversarial_loss

__all__ = ["DiscriminatorObjective", "DistillationObjective", "DrawingObjective", "GeneratorObjective"]

_PATH_DECAY = 0.01
Terms = dict[str, Tensor]
"""Loss terms by name, unweighted scalars."""


class DrawingObjective(nn.Module):
    """The loss of a teacher that is fitted to drawings: L1 + MSE of its images."""

    def __init__(self, network: StyleGAN2) -> None:
        """Make the objective.

        Args:
            network: what is trained, mapping network included.
        """
        super().__init__()
        self.network = network

    def forward(self, z: Tensor, noise: Sequence[Tensor], drawings: Tensor) -> tuple[Terms, Tensor]:
        """Compute the term.

        Args:
            z: latents (N, features).
            noise: the noise maps.
            drawings: (N, 3, size, size) in [-1, 1].

        Returns:
            The term "rgb", and the images.
        """
        images = self.network(z, noise=noise)
        return {"rgb": difference(images, drawings)}, images


class GeneratorObjective(nn.Module):
    """The loss of a StyleGAN2 that is trained against a discriminator (Karras et al. 2020).

    The non-saturating logistic loss and, at some steps, the path length regularisation of section 3.2.
    """

    path_mean: Tensor
    """Running mean of the path lengths, a scalar; whoever trains moves it by `follow`."""

    def __init__(self, network: StyleGAN2, discriminator: nn.Module) -> None:
        """Make the objective.

        Args:
            network: what is trained, mapping network included.
            discriminator: images -> logits; takes part but does not belong to it.
        """
        super().__init__()
        self.network = network
        self.register_buffer("path_mean", torch.zeros(()))
        self._others = (discriminator,)

    def forward(
        self, z: Tensor, noise: Sequence[Tensor], directions: Tensor | None
    ) -> tuple[Terms, Tensor | None]:
        """Compute the terms.

        Args:
            z: latents (N, features).
            noise: the noise maps.
            directions: (N, 3, size, size) of N(0, 1), to regularise path lengths; None leaves that out.

        Returns:
            "adv" and, with directions, "path"; the mean path length, or None.
        """
        (discriminator,) = self._others
        found = {"adv": generator_adversarial_loss(discriminator(self.network(z, noise=noise)))}
        if directions is None:
            return found, None
        half = (len(z) + 1) // 2  # as published: gradients of gradients need twice the memory
        lengths = self._measure_paths(z[:half], [one[:half] for one in noise], directions[:half])
        found["path"] = (lengths - self.path_mean).square().mean()
        return found, lengths.detach().mean()

    def _measure_paths(self, z: Tensor, noise: Sequence[Tensor], directions: Tensor) -> Tensor:
        """Lengths (N,) of the gradients of the images along directions, by the styles of all layers."""
        synthesis = self.network.synthesis
        with torch.autocast(z.device.type, enabled=False):
            w = self.network.styles(z)[:, None].repeat(1, synthesis.n_rows, 1)  # (N, rows, features)
            images = synthesis(w, noise)
            along = (images * directions).sum() / images.shape[-1]
            (gradient,) = torch.autograd.grad(along, w, create_graph=True)
        return gradient.square().sum(2).mean(1).sqrt()

    def follow(self, length: Tensor) -> None:
        """Move the running mean of the path lengths.

        Args:
            length: the mean of a step, a scalar.
        """
        self.path_mean.lerp_(length, _PATH_DECAY)


class DistillationObjective(nn.Module):
    """The loss terms of a student; of a weight-shared one their mean over the slices that a step trains.

    Its parameters are the student's. Discriminator and perceptual network take part in it but do not belong to it.
    """

    def __init__(
        self,
        student: Student,
        weights: LossWeights,
        targets: Targets = "bilinear",
        perceptual: FeatureDistance | None = None,
        discriminator: nn.Module | None = None,
        draw: Callable[[int], Sequence[Sequence[int]]] | None = None,
    ) -> None:
        """Put the losses of a student together.

        Args:
            student: with all heads.
            weights: a perceptual or adversarial term of weight 0 is not computed.
            targets: how the teacher's image is resized.
            perceptual: for the perceptual term, or None to leave it out.
            discriminator: for the adversarial term, or None to leave it out.
            draw: called with the step's number, gives the channels of its slices, the full student first; None
                trains the full student alone.
        """
        super().__init__()
        self.student = student
        self.weights = weights
        self.targets: Targets = targets
        self.draw = draw
        # In a tuple they are not registered, so that nobody averages, trains or saves them as parts of this.
        self._others = (perceptual, discriminator)

    def forward(self, w: Tensor, noise: Sequence[Tensor], image: Tensor, number: int) -> tuple[Terms, Tensor]:
        """Compute the terms.

        Args:
            w: styles (N, style_dim), the teacher's.
            noise: the teacher's noise maps.
            image: what the teacher made of them, (N, 3, size, size) in [-1, 1].
            number: the step's, by which its slices are drawn.

        Returns:
            The terms by name, and the images of the full student.
        """
        wanted = [resize_target(image, 2 * side, self.targets) for side in self.student.sides]
        slices = [self.student.channels] if self.draw is None else self.draw(number)
        found, images = [], []
        for channels in slices:
            if tuple(channels) == self.student.channels:
                bands = self.student.forward_heads(w, noise)
            else:
                bands = forward_slice_heads(self.student, channels, w, noise)
            terms, made = self._compare(bands, wanted)
            found.append(terms)
            images.append(made)
        mean = {name: torch.stack([terms[name] for terms in found]).mean() for name in found[0]}
        return mean, images[0]

    def _compare(self, bands: Sequence[Tensor], wanted: Sequence[Tensor]) -> tuple[Terms, Tensor]:
        perceptual, discriminator = self._others
        images = [inverse_haar(one.float()) for one in bands]
        rgb = [difference(made, target) for made, target in zip(images, wanted, strict=True)]
        dwt = [difference(one, forward_haar(target)) for one, target in zip(bands, wanted, strict=True)]
        terms = {"rgb": torch.stack(rgb).sum(), "dwt": torch.stack(dwt).sum()}
        if perceptual is not None and self.weights.percep:
            terms["percep"] = perceptual(images[-1], wanted[-1])
        if discriminator is not None and self.weights.adv:
            terms["adv"] = generator_adversarial_loss(discriminator(images[-1]))
        return terms, images[-1]


class DiscriminatorObjective(nn.Module):
    """The discriminator's loss terms: real images against made ones, and the penalty R1.

    Both are those of Karras et al. 2020: the non-saturating logistic loss, and the squared gradient of the logits of
    real images (Mescheder et al. 2018).
    """

    def __init__(self, discriminator: nn.Module) -> None:
        """Make the objective.

        Args:
            discriminator: what is trained, images -> logits.
        """
        super().__init__()
        self.discriminator = discriminator

    def forward(self, real: Tensor, fake: Tensor, penalised: bool) -> Terms:
        """Compute the terms.

        Args:
            real: images (N, 3, size, size) that it shall take for real, such as a teacher's.
            fake: the generator's, likewise; they receive no gradient.
            penalised: whether R1 is computed.

        Returns:
            "real" and "fake", the loss of each, and "r1" if it is asked for.
        """
        fake_logits = self.discriminator(fake.detach())
        found: Terms = {}
        if penalised:
            # Squared gradients of gradients need all the digits there are.
            with torch.autocast(real.device.type, enabled=False):
                real = real.detach().float().requires_grad_(True)
                real_logits = self.discriminator(real)
                (gradient,) = torch.autograd.grad(real_logits.sum(), real, create_graph=True)
                found["r1"] = gradient.square().sum((1, 2, 3)).mean()
        else:
            real_logits = self.discriminator(real)
        return {
            "real": F.softplus(-real_logits.float()).mean(),
            "fake": F.softplus(fake_logits.float()).mean(),
        } | found
