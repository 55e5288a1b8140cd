"""Score slices of a weight-shared student on latents: how far their images are from the teacher's."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from mfagan.errors import InputError
from mfagan.evaluation.inception import InceptionFeatures
from mfagan.evaluation.scores import PerceptualDistance
from mfagan.mobilestylegan.network.generator import MobileStyleGAN, StyleGAN2, require_pair
from mfagan.mobilestylegan.network.layers.noise import draw_noise
from mfagan.mobilestylegan.network.layers.styles import draw_latents
from mfagan.mobilestylegan.study.scoring.choices import Channels
from mfagan.mobilestylegan.study.scoring.prefix_walk import PrefixWalk
from mfagan.study.slices.scorer import SliceScorer, as_rgb, choose_threads

__all__ = ["LatentScorer", "Latents"]

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


class LatentScorer(SliceScorer[Channels]):
    """Distances of slices of one student to its teacher on fixed latents and noise; the originals are the teacher's."""

    ORIGINAL, CASE = "the teacher", "latent"

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
        self._walk = PrefixWalk(student.synthesis)
        self._styles: list[Tensor] = []
        originals: list[Tensor] = []
        self._sides = teacher.synthesis.noise_sides
        self._threads = choose_threads(student.synthesis.blocks())
        with self._threads(), torch.inference_mode():
            for seed in latents.seeds:
                z = draw_latents([seed], teacher.style_dim).to(teacher.w_mean)
                image = teacher(z, noise=_draw_noise(seed, self._sides, teacher.w_mean))
                if not torch.isfinite(image).all():
                    raise InputError(
                        f"teacher: its image of seed {seed} holds values that are not finite; give another teacher"
                    )
                originals.append(as_rgb(image))
                self._styles.append(student.styles(z))
        super().__init__(originals, lpips=lpips, inception=inception)

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
                yield i, as_rgb(image)

    def noise(self, case: int) -> list[Tensor]:
        """The noise maps of a latent, those that the teacher alone reads included.

        Args:
            case: The latent's index.
        """
        return _draw_noise(self.latents.seeds[case], self._sides, self._styles[case])


def _draw_noise(seed: int, sides: Sequence[int], like: Tensor) -> list[Tensor]:
    """Noise maps of N(0, 1); a student's are the first of its teacher's."""
    generator = torch.Generator("cpu").manual_seed(_NOISE_SEED + seed)
    return [one.to(like) for one in draw_noise(sides, 1, generator)]
