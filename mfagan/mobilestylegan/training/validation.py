"""How a training of this system validates: images of held-out latents against the teacher's or the drawings."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mfagan.evaluation.psnr_ssim import signed_psnr_db
from mfagan.mobilestylegan.network.generator import Generator, StyleGAN2
from mfagan.mobilestylegan.network.layers.styles import draw_latents
from mfagan.mobilestylegan.training.drawings import draw_faces
from mfagan.mobilestylegan.training.learner import require_finite_images
from mfagan.mobilestylegan.training.patch_distance import patch_distance
from mfagan.training.loop import LoopResult, Validation

__all__ = ["HeldOut", "Likeness", "format_likeness", "format_psnr", "record_figures"]

_CHUNK = 8
_SHOWN = 4


@dataclass(frozen=True)
class HeldOut:
    """Latents that training does not draw, with the images that are wanted of them. Noise is the constant one.

    z: latents (N, features).
    images: (N, 3, size, size) in [-1, 1].
    psi: truncation of the styles.
    """

    z: Tensor
    images: Tensor
    psi: float = 1.0

    @classmethod
    def by_teacher(cls, teacher: StyleGAN2, count: int, psi: float = 1.0) -> "HeldOut":
        """Those of a teacher.

        Args:
            teacher: on the device where networks will be validated.
            count: how many; the latents are those of the seeds 0, 1, ...
            psi: truncation.

        Returns:
            The latents and its images.

        Raises:
            InputError: its images are not finite.
        """
        z = draw_latents(range(count), teacher.style_dim).to(teacher.w_mean)
        images = torch.cat(list(_make_images(teacher, z, psi)))
        return cls(z, require_finite_images(images), psi)

    @classmethod
    def by_drawing(cls, size: int, style_dim: int, count: int, device: torch.device) -> "HeldOut":
        """Those of drawings of faces.

        Args:
            size: side of the images in px.
            style_dim: numbers of a latent.
            count: how many; the latents are those of the seeds 0, 1, ...
            device: where networks will be validated.

        Returns:
            The latents and the drawings.
        """
        z = draw_latents(range(count), style_dim).to(device)
        return cls(z, draw_faces(z, size))

    def __call__(self, network: nn.Module) -> Validation:
        """Score a network.

        Args:
            network: a generator of the same latents.

        Returns:
            PSNR over all pixels in dB (images clamped to [-1, 1], peak 2), with it and the mean absolute difference
            in [0, 1] as figures.
        """
        assert isinstance(network, Generator)
        return self.compare(self.make(network))

    def make(self, network: Generator) -> Tensor:
        """What a network makes of the latents.

        Args:
            network: a generator of the same latents.

        Returns:
            (N, 3, size, size), not clamped.
        """
        return torch.cat(list(_make_images(network, self.z, self.psi)))

    def compare(self, made: Tensor) -> Validation:
        """Score images that a network made.

        Args:
            made: as `make` gives them.

        Returns:
            As a call.
        """
        distance = F.l1_loss(made.clamp(-1, 1), self.images.clamp(-1, 1)) / 2
        figures = {"psnr_db": signed_psnr_db(made, self.images).item(), "distance": distance.item()}
        return Validation(figures["psnr_db"], figures)

    def picture(self, network: nn.Module) -> Tensor:
        """What is wanted of the first latents, and below it what a network makes of them.

        Args:
            network: a generator of the same latents.

        Returns:
            (3, 2 size, up to 4 size), RGB in [0, 1].
        """
        assert isinstance(network, Generator)
        made = torch.cat(list(_make_images(network, self.z[:_SHOWN], self.psi)))
        rows = [torch.cat(list(images), 2) for images in (self.images[:_SHOWN], made)]
        return ((torch.cat(rows, 1) + 1) / 2).clamp(0, 1)


@dataclass(frozen=True)
class Likeness:
    """Latents that training does not draw, with pictures that the images of a generator shall be like.

    z: latents (N, features).
    pictures: (N, 3, size, size) in [-1, 1].
    """

    z: Tensor
    pictures: Tensor

    def __call__(self, network: nn.Module) -> Validation:
        """Score a network.

        Args:
            network: a generator of the same latents.

        Returns:
            Minus the patch distance of its images (clamped to [-1, 1]) from the pictures, and that as a figure.
        """
        assert isinstance(network, Generator)
        made = torch.cat(list(_make_images(network, self.z, 1.0))).clamp(-1, 1)
        distance = patch_distance(made, self.pictures)
        return Validation(-distance, {"patch_distance": distance})

    def picture(self, network: nn.Module) -> Tensor:
        """Some of the pictures, and below them what a network makes.

        Args:
            network: a generator of the same latents.

        Returns:
            (3, 2 size, up to 4 size), RGB in [0, 1].
        """
        return HeldOut(self.z, self.pictures).picture(network)


@torch.no_grad()
def _make_images(network: Generator, z: Tensor, psi: float) -> Iterator[Tensor]:
    for part in z.split(_CHUNK):
        yield network(part, psi).float()


def format_psnr(score: float) -> str:
    """Write a score for people.

    Args:
        score: of a validation.

    Returns:
        The figure with its unit.
    """
    return f"{score:.2f} dB"


def format_likeness(score: float) -> str:
    """Write the score of a `Likeness` for people.

    Args:
        score: of a validation.

    Returns:
        What it is, and the figure.
    """
    return f"patch distance {-score:.4f}"


def record_figures(result: LoopResult) -> Mapping[str, object]:
    """What a checkpoint records of the validations of a training.

    Args:
        result: of the loop.

    Returns:
        What `HeldOut` (`psnr_db`, `distance`) or `Likeness` measured, and `validation_curve` of steps and scores.
    """
    return {**result.figures[result.kept_step], "validation_curve": result.curve}
