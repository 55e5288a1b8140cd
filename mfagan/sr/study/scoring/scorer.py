"""Score slices of a SuperGenerator on images: PSNR-Y, and LPIPS if asked for."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from mfagan.data.pairs import Pair
from mfagan.evaluation import psnr_ssim
from mfagan.evaluation.psnr_ssim import shaved_luma
from mfagan.evaluation.scores import PerceptualDistance, lpips_distance
from mfagan.progress import ProgressCallback, ignore_progress
from mfagan.sr.network.supergenerator import SuperGenerator
from mfagan.sr.network.widths import Widths
from mfagan.sr.study.scoring.prefix_walk import PrefixWalk

__all__ = ["SliceScore", "SliceScorer"]


@dataclass(frozen=True)
class SliceScore:
    """What was measured of one slice.

    psnr_db_of_image: PSNR-Y of each image, in dB.
    lpips_of_image: LPIPS of each image; empty if it is not measured.
    """

    psnr_db_of_image: tuple[float, ...]
    lpips_of_image: tuple[float, ...]

    @property
    def psnr_db(self) -> float:
        """The mean PSNR-Y, in dB."""
        return _mean(self.psnr_db_of_image)

    @property
    def lpips(self) -> float | None:
        """The mean LPIPS, or None if it is not measured."""
        return _mean(self.lpips_of_image) if self.lpips_of_image else None


class SliceScorer:
    """Mean PSNR-Y of slices of one network on some images.

    The network stays on its device, and its weights must not change meanwhile.
    """

    def __init__(
        self,
        network: SuperGenerator,
        pairs: Sequence[Pair],
        dtype: torch.dtype = torch.float32,
        lpips: PerceptualDistance | None = None,
    ) -> None:
        """Prepare the scorer of one network on some images.

        Args:
            network: The SuperGenerator; it stays on its device.
            pairs: The images.
            dtype: What the slices are computed in.
            lpips: Measures LPIPS in `score`; None to leave that out.
        """
        self._walk = PrefixWalk(network, dtype)
        self._pairs = list(pairs)
        self._references = [shaved_luma(pair.hr, pair.scale, torch.float32) for pair in self._pairs]
        self._device = next(network.parameters()).device
        self._lpips = lpips

    def psnr_db(self, choices: Sequence[Widths], report: ProgressCallback = ignore_progress) -> list[float]:
        """Mean PSNR-Y over the images, in dB, in the order of the choices; shared prefixes are computed once.

        Args:
            choices: The slices' widths.
            report: As in `score`.
        """
        return [score.psnr_db for score in self.score(choices, report)]

    def score(
        self,
        choices: Sequence[Widths],
        report: ProgressCallback = ignore_progress,
        images: Sequence[int] | None = None,
    ) -> list[SliceScore]:
        """PSNR-Y and LPIPS on each image, in the order of the choices.

        Args:
            choices: The slices' widths.
            report: Called after each slice on each image.
            images: Indices of the images to score on, in this order; None for all.

        Returns:
            What was measured of each choice.
        """
        psnr_db: list[list[float]] = [[] for _ in choices]
        distances: list[list[float]] = [[] for _ in choices]
        images = range(len(self._pairs)) if images is None else images
        done, total = 0, len(choices) * len(images)
        for pair, reference in ((self._pairs[image], self._references[image]) for image in images):
            x = pair.lr[None].to(self._device).contiguous(memory_format=torch.channels_last)
            for i, output in self._walk.run(x, choices):
                luma = shaved_luma(output[0], pair.scale, torch.float32).cpu()
                psnr_db[i].append(psnr_ssim.psnr_db(luma, reference))
                if self._lpips is not None:
                    distances[i].append(lpips_distance(output[0].float().cpu(), pair.hr, self._lpips))
                done += 1
                report(done, total, "")
        return [SliceScore(tuple(one), tuple(other)) for one, other in zip(psnr_db, distances, strict=True)]


def _mean(values: Sequence[float]) -> float:
    """Summed in this order, so that a study's figures stay what earlier versions found."""
    mean = 0.0
    for value in values:
        mean += 1 / len(values) * value
    return mean
