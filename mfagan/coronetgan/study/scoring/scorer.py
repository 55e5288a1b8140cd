"""Score slices of a weight-shared translator on pictures: how near theirs are to the targets or the unpruned ones."""

from collections.abc import Iterator, Sequence
from typing import Literal

import torch
from torch import Tensor

from mfagan.coronetgan.network.statistics import has_running_statistics
from mfagan.coronetgan.network.translator import Translator
from mfagan.coronetgan.study.scoring.choices import Widths, full_widths
from mfagan.coronetgan.study.scoring.pictures import SlicePictures
from mfagan.coronetgan.study.scoring.prefix_walk import PrefixWalk
from mfagan.errors import InputError
from mfagan.evaluation.inception import InceptionFeatures
from mfagan.evaluation.psnr_ssim import rgb_psnr_db
from mfagan.evaluation.scores import PerceptualDistance
from mfagan.study.slices.scorer import SliceScorer, as_rgb, choose_threads

__all__ = ["Quality", "TranslationScorer"]

Quality = Literal["psnr_db", "distance"]
"""What slices are scored by: PSNR to the targets, or the mean absolute difference from the unpruned pictures."""


class TranslationScorer(SliceScorer[Widths]):
    """Qualities of slices of one translator on fixed pictures; the originals are the unpruned network's.

    Attributes:
        pictures: What slices are scored on.
        inputs: They, (3, side, side) RGB in [0, 1] each.
    """

    ORIGINAL, CASE = "unpruned", "picture"

    def __init__(
        self,
        translator: Translator,
        pictures: SlicePictures,
        quality: Quality = "distance",
        *,
        unpruned: Translator | None = None,
        lpips: PerceptualDistance | None = None,
        inception: InceptionFeatures | None = None,
    ) -> None:
        """Make the unpruned pictures.

        Args:
            translator: The weight-shared network, on the device where it runs.
            pictures: What slices are scored on, on the CPU.
            quality: What they are scored by.
            unpruned: Another network that slices are compared with, on the same device; None for the full width.
            lpips: Measures LPIPS, to the targets or else the unpruned pictures; None to leave it out.
            inception: The kernel distance of its features is measured, to pictures of the other domain or else the
                unpruned ones; None to leave that out.

        Raises:
            InputError: Networks that do not take or make RGB pictures of that size, fewer than 2 pictures for the
                statistics of batch norms, PSNR without targets, or unpruned pictures that are not finite.
        """
        for what, one in (("supernet", translator), ("unpruned network", unpruned or translator)):
            if (one.in_channels, one.out_channels) != (3, 3):
                raise InputError(
                    f"{what}: it makes {one.out_channels} channels of {one.in_channels}; pictures have 3: give one "
                    "that makes 3 of 3"
                )
            one.require_size(*pictures.size)
        if quality == "psnr_db" and pictures.targets is None:
            raise InputError(
                "quality psnr_db: the pictures have no targets; give pairs, or score by distance"
            )
        self.pictures = pictures
        self._quality = quality
        device = next(translator.parameters()).device
        self._walk = PrefixWalk(translator, _calibration(translator, pictures, device))
        self._x = [one[None] for one in pictures.inputs.to(device)]
        self.inputs = [as_rgb(one) for one in self._x]
        self._threads = choose_threads(translator.blocks(*pictures.size))
        full = full_widths(self._walk.form.options)
        originals: list[Tensor] = []
        with self._threads(), torch.inference_mode():
            for name, x in zip(pictures.names, self._x, strict=True):
                image = next(self._walk.run(x, [full]))[1] if unpruned is None else unpruned(x)
                if not torch.isfinite(image).all():
                    raise InputError(
                        f"unpruned network: its picture of {name} holds values that are not finite; give another"
                    )
                originals.append(as_rgb(image))
        targets, others = (
            None if several is None else [as_rgb(one) for one in several.to(device)]
            for several in (pictures.targets, pictures.others)
        )
        super().__init__(originals, targets, others, lpips, inception)

    def run(self, case: int, choices: Sequence[Widths]) -> Iterator[tuple[int, Tensor]]:
        """Translate one picture by slices.

        Args:
            case: The picture's index.
            choices: The slices' widths.

        Yields:
            For each choice its index and picture (3, side, side), RGB in [0, 1], in the order of the widths.
        """
        with self._threads():
            for i, image in self._walk.run(self._x[case], choices):
                yield i, as_rgb(image)

    def quality_of(self, picture: Tensor, case: int) -> float:
        """What a slice is scored by: as `Quality`.

        Args:
            picture: The slice's, (3, side, side) RGB in [0, 1].
            case: The picture's index.
        """
        if self._quality == "psnr_db":
            assert self.targets is not None
            return rgb_psnr_db(picture, self.targets[case])
        return super().quality_of(picture, case)


def _calibration(translator: Translator, pictures: SlicePictures, device: torch.device) -> Tensor | None:
    if not has_running_statistics(translator):
        return None
    found = pictures.calibration
    if found is None or len(found) < 2:
        raise InputError(
            f"{0 if found is None else len(found)} pictures for the statistics of batch norm: each slice needs its "
            "own; give at least 2 pictures to train on"
        )
    return found.to(device)
