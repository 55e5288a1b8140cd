"""SSIM and LPIPS of SubGenerators on a study's images, which tell more of a front than PSNR alone."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from mfagan.data.pairs import Pair
from mfagan.evaluation.scores import PerceptualDistance, Scores, mean_scores, score
from mfagan.progress import ProgressCallback, ignore_progress
from mfagan.sr.network.supergenerator import SuperGenerator
from mfagan.sr.network.widths import Widths
from mfagan.sr.study.scoring.prefix_walk import PrefixWalk

__all__ = ["LPIPS", "SSIM", "Quality", "choose_images", "measure_quality"]

SSIM, LPIPS = "ssim", "mean_lpips"
"""Names of the attributes that a page shows."""
_BUDGET_LR_PX = 2**22
"""How many LR px all SubGenerators together enlarge: about half a minute on two cores."""


@dataclass(frozen=True)
class Quality:
    """Means over some images.

    scores: The mean of each SubGenerator, in the order they were given.
    n_images: Over how many images.
    """

    scores: Sequence[Scores]
    n_images: int

    def attributes(self) -> list[dict[str, float]]:
        """The figures of each SubGenerator by the names of attributes."""
        return [{SSIM: one.ssim} | ({} if one.lpips is None else {LPIPS: one.lpips}) for one in self.scores]

    def titles(self) -> dict[str, str]:
        """What people read instead of the attributes' names."""
        images = "1 image" if self.n_images == 1 else f"{self.n_images} images"
        return {SSIM: f"SSIM, {images}", LPIPS: f"LPIPS, {images}"}


def choose_images(pairs: Sequence[Pair], n_choices: int) -> list[Pair]:
    """Choose as many of the first images as can be enlarged within about half a minute.

    Args:
        pairs: The study's images.
        n_choices: How many SubGenerators shall enlarge them.

    Returns:
        At least one, if there is one.
    """
    chosen: list[Pair] = []
    left = _BUDGET_LR_PX
    for pair in pairs:
        height, width = pair.lr_levels.shape[-2:]
        left -= n_choices * height * width
        if chosen and left < 0:
            break
        chosen.append(pair)
    return chosen


def measure_quality(
    network: SuperGenerator,
    pairs: Sequence[Pair],
    choices: Sequence[Widths],
    lpips: PerceptualDistance | None = None,
    report: ProgressCallback = ignore_progress,
) -> Quality:
    """Measure SubGenerators with their inherited weights; they share the work of common prefixes.

    Args:
        network: The SuperGenerator; it stays on its device.
        pairs: At least one image.
        choices: The SubGenerators' widths.
        lpips: Measures LPIPS; None to leave it out.
        report: Called after each SubGenerator on each image.

    Returns:
        Their mean figures.
    """
    walk, device = PrefixWalk(network), next(network.parameters()).device
    found: list[list[Scores]] = [[] for _ in choices]
    done = 0
    for pair in pairs:
        x = pair.lr[None].to(device).contiguous(memory_format=torch.channels_last)
        for i, output in walk.run(x, choices):
            found[i].append(score(output[0].cpu(), pair, lpips))
            done += 1
            report(done, len(choices) * len(pairs), pair.name)
    return Quality([mean_scores(scores) for scores in found], len(pairs))
