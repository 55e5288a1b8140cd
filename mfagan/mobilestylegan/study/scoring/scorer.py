"""Score slices of a weight-shared student on latents: how far their images are from the teacher's."""

from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass

import torch
from torch import Tensor

from mfagan.devices import one_thread
from mfagan.errors import InputError
from mfagan.evaluation.inception import InceptionFeatures, kernel_distance
from mfagan.evaluation.scores import PerceptualDistance, lpips_distance
from mfagan.mobilestylegan.network.generator import MobileStyleGAN, StyleGAN2, require_pair
from mfagan.mobilestylegan.network.layers.noise import draw_noise
from mfagan.mobilestylegan.network.layers.styles import draw_latents
from mfagan.mobilestylegan.study.scoring.choices import Channels
from mfagan.mobilestylegan.study.scoring.prefix_walk import PrefixWalk
from mfagan.progress import ProgressCallback, ignore_progress

__all__ = ["Latents", "SliceScore", "SliceScorer"]

_FEW_MACS = 100_000_000
"""A student of less work for an image is run on one thread."""
_NOISE_SEED = 1_000_003
"""Seed of a latent's noise, less its own."""


@dataclass(frozen=True)
class Latents:
    """The latents that slices are scored on, each with noise maps of its own.

    count: how many.
    seed: that of the first; the others follow it.

    InputError if there are none, or the seed is negative.
    """

    count: int = 64
    seed: int = 0

    def __post_init__(self) -> None:
        if self.count < 1 or self.seed < 0:
            raise InputError(
                f"{self.count} latents from seed {self.seed}: give at least 1, and a seed of at least 0"
            )

    @classmethod
    def from_text(cls, text: str) -> "Latents":
        """What `to_text` wrote.

        Args:
            text: The text.

        Raises:
            InputError: Another text.
        """
        count, _, seed = text.partition(" from seed ")
        if not (count.isdecimal() and seed.isdecimal()):
            raise InputError(f"latents {text!r}: a study says such as `64 from seed 0`; search again")
        return cls(int(count), int(seed))

    def to_text(self) -> str:
        """They as a study's identity names them."""
        return f"{self.count} from seed {self.seed}"

    @property
    def seeds(self) -> range:
        """The seed of each latent."""
        return range(self.seed, self.seed + self.count)


@dataclass(frozen=True)
class SliceScore:
    """What was measured of one slice.

    distances: of each latent, the mean absolute difference from the teacher's image, RGB in [0, 1].
    lpips: LPIPS of each latent's image; empty if it is not measured.
    kernel: Kernel distance between Inception's features of all its images and of the teacher's; None if it is not
        measured.
    """

    distances: tuple[float, ...]
    lpips: tuple[float, ...]
    kernel: float | None = None


class SliceScorer:
    """Distances of slices of one student to its teacher on fixed latents and noise.

    The teacher makes its images once. Latents are run one at a time, so that a score depends on nothing
    but its slice and its latent.
    """

    def __init__(
        self,
        teacher: StyleGAN2,
        student: MobileStyleGAN,
        latents: Latents,
        lpips: PerceptualDistance | None = None,
        inception: InceptionFeatures | None = None,
    ) -> None:
        """Make the teacher's images.

        Args:
            teacher: On the device where it runs.
            student: The weight-shared student, on the same device.
            latents: What slices are scored on.
            lpips: Measures LPIPS; None to leave it out.
            inception: Its features' kernel distance is measured; None to leave that out.

        Raises:
            InputError: The teacher's images are of another size or of other styles than the student's, or not finite.
        """
        require_pair(teacher, student)
        self.latents = latents
        self._student = student
        self._lpips = lpips
        self._walk = PrefixWalk(student.synthesis)
        self._styles: list[Tensor] = []
        self.teacher_images: list[Tensor] = []
        self._sides = teacher.synthesis.noise_sides
        macs = sum(one.macs for block in student.synthesis.blocks() for one in block.operators)
        self._threads = one_thread if macs < _FEW_MACS else nullcontext
        with self._threads(), torch.inference_mode():
            for seed in latents.seeds:
                z = draw_latents([seed], teacher.style_dim).to(teacher.w_mean)
                image = teacher(z, noise=_draw_noise(seed, self._sides, teacher.w_mean))
                if not torch.isfinite(image).all():
                    raise InputError(
                        f"teacher: its image of seed {seed} holds values that are not finite; give another teacher"
                    )
                self.teacher_images.append(_as_rgb(image))
                self._styles.append(student.styles(z))
        self._inception = inception
        self._teacher_features = self._features(self.teacher_images)

    def score(
        self,
        choices: Sequence[Channels],
        report: ProgressCallback = ignore_progress,
        cases: Sequence[int] | None = None,
    ) -> list[SliceScore]:
        """Score slices on latents.

        Args:
            choices: The slices' channels; they share the work of common prefixes.
            report: Called after each slice on each latent.
            cases: Indices of the latents to score on, in this order; None for all.

        Returns:
            What was measured of each choice, in the order of the choices.

        Raises:
            InputError: The kernel distance is measured, and on fewer than 2 latents.
        """
        distances: list[list[float]] = [[] for _ in choices]
        perceived: list[list[float]] = [[] for _ in choices]
        features: list[list[Tensor]] = [[] for _ in choices]
        cases = range(self.latents.count) if cases is None else cases
        done, total = 0, len(choices) * len(cases)
        for case in cases:
            reference = self.teacher_images[case]
            waiting: list[tuple[int, Tensor]] = []
            for i, image in self.run(case, choices):
                distances[i].append((image - reference).abs().mean().item())
                if self._lpips is not None:
                    perceived[i].append(lpips_distance(image.cpu(), reference.cpu(), self._lpips))
                if self._inception is not None:
                    waiting.append((i, image))
                done += 1
                report(done, total, "")
            for i, image in waiting:  # after `run`, which may keep PyTorch to one thread
                features[i].append(self._features([image]))
        kernels: list[float | None] = [None] * len(choices)
        if self._inception is not None:
            references = self._teacher_features[list(cases)]
            kernels = [kernel_distance(torch.cat(one), references) for one in features]
        return [
            SliceScore(tuple(one), tuple(other), kernel)
            for one, other, kernel in zip(distances, perceived, kernels, strict=True)
        ]

    def run(self, case: int, choices: Sequence[Channels]) -> Iterator[tuple[int, Tensor]]:
        """Make the images of slices of one latent.

        Args:
            case: The latent's index.
            choices: The slices' channels.

        Yields:
            For each choice its index and image (3, size, size), RGB in [0, 1], in the order of the widths.
        """
        with self._threads():
            for i, image in self._walk.run(self._styles[case], self.noise(case), choices):
                yield i, _as_rgb(image)

    def noise(self, case: int) -> list[Tensor]:
        """The noise maps of a latent, those that the teacher alone reads included.

        Args:
            case: The latent's index.
        """
        return _draw_noise(self.latents.seeds[case], self._sides, self._styles[case])

    def _features(self, images: Sequence[Tensor]) -> Tensor:
        """Inception's features, (images, 2048), of one image at a time; none without it."""
        if self._inception is None:
            return torch.empty(0)
        return self._inception(image[None] for image in images)


def _draw_noise(seed: int, sides: Sequence[int], like: Tensor) -> list[Tensor]:
    """Noise maps of N(0, 1); a student's are the first of its teacher's."""
    generator = torch.Generator("cpu").manual_seed(_NOISE_SEED + seed)
    return [one.to(like) for one in draw_noise(sides, 1, generator)]


def _as_rgb(image: Tensor) -> Tensor:
    """(1, 3, H, W) in [-1, 1] -> (3, H, W) in [0, 1]."""
    return ((image[0].float() + 1) / 2).clamp(0, 1)
