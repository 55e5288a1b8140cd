"""Score slices of a weight-shared translator on pictures: how near theirs are to the targets or the unpruned ones."""

from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from mfagan.coronetgan.network.statistics import has_running_statistics
from mfagan.coronetgan.network.translator import Translator
from mfagan.coronetgan.study.scoring.choices import Widths, full_widths
from mfagan.coronetgan.study.scoring.pictures import SlicePictures
from mfagan.coronetgan.study.scoring.prefix_walk import PrefixWalk
from mfagan.devices import one_thread
from mfagan.errors import InputError
from mfagan.evaluation.inception import InceptionFeatures, kernel_distance
from mfagan.evaluation.psnr_ssim import rgb_psnr_db
from mfagan.evaluation.scores import PerceptualDistance, lpips_distance
from mfagan.progress import ProgressCallback, ignore_progress

__all__ = ["Quality", "SliceScore", "SliceScorer"]

Quality = Literal["psnr_db", "distance"]
"""What slices are scored by: PSNR to the targets, or the mean absolute difference from the unpruned pictures."""

_FEW_MACS = 100_000_000
"""A network of less work for a picture is run on one thread."""


@dataclass(frozen=True)
class SliceScore:
    """What was measured of one slice.

    qualities: of each picture, as in `Quality`.
    lpips: LPIPS of each picture; empty if it is not measured.
    kernel: Kernel distance between Inception's features of all its pictures and of the others; None if it is not
        measured.
    """

    qualities: tuple[float, ...]
    lpips: tuple[float, ...]
    kernel: float | None = None


class SliceScorer:
    """Qualities of slices of one translator on fixed pictures.

    The unpruned pictures are made once. Pictures are translated one at a time, so that a score depends on nothing but
    its slice and its picture.

    Attributes:
        pictures: What slices are scored on.
        inputs: They, (3, side, side) RGB in [0, 1] each.
        unpruned: The pictures of the unpruned network, likewise.
        targets: What they should become, likewise; None where there are no pairs.
    """

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
        self._lpips = lpips
        self._inception = inception
        device = next(translator.parameters()).device
        self._walk = PrefixWalk(translator, _calibration(translator, pictures, device))
        self._x = [one[None] for one in pictures.inputs.to(device)]
        self.inputs = [as_rgb(one) for one in self._x]
        self.targets = (
            None if pictures.targets is None else [as_rgb(one) for one in pictures.targets.to(device)]
        )
        macs = sum(one.macs for block in translator.blocks(*pictures.size) for one in block.operators)
        self._threads = one_thread if macs < _FEW_MACS else nullcontext
        full = full_widths(self._walk.form.options)
        self.unpruned: list[Tensor] = []
        with self._threads(), torch.inference_mode():
            for name, x in zip(pictures.names, self._x, strict=True):
                image = next(self._walk.run(x, [full]))[1] if unpruned is None else unpruned(x)
                if not torch.isfinite(image).all():
                    raise InputError(
                        f"unpruned network: its picture of {name} holds values that are not finite; give another"
                    )
                self.unpruned.append(as_rgb(image))
        others = (
            self.unpruned if pictures.others is None else [as_rgb(one) for one in pictures.others.to(device)]
        )
        self._features_of_others = self._features(others)

    def score(
        self,
        choices: Sequence[Widths],
        report: ProgressCallback = ignore_progress,
        cases: Sequence[int] | None = None,
    ) -> list[SliceScore]:
        """Score slices on pictures.

        Args:
            choices: The slices' widths; they share the work of common steps.
            report: Called after each slice on each picture.
            cases: Indices of the pictures to score on, in this order; None for all.

        Returns:
            What was measured of each choice, in the order of the choices.

        Raises:
            InputError: The kernel distance is measured, and on fewer than 2 pictures.
        """
        qualities: list[list[float]] = [[] for _ in choices]
        perceived: list[list[float]] = [[] for _ in choices]
        features: list[list[Tensor]] = [[] for _ in choices]
        cases = range(len(self._x)) if cases is None else cases
        done, total = 0, len(choices) * len(cases)
        for case in cases:
            reference = self.unpruned[case] if self.targets is None else self.targets[case]
            waiting: list[tuple[int, Tensor]] = []
            for i, image in self.run(case, choices):
                qualities[i].append(self._measure(image, case))
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
            kernels = [kernel_distance(torch.cat(one), self._features_of_others) for one in features]
        return [
            SliceScore(tuple(one), tuple(other), kernel)
            for one, other, kernel in zip(qualities, perceived, kernels, strict=True)
        ]

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

    def _measure(self, image: Tensor, case: int) -> float:
        if self._quality == "psnr_db":
            assert self.targets is not None
            return rgb_psnr_db(image, self.targets[case])
        return (image - self.unpruned[case]).abs().mean().item()

    def _features(self, images: Sequence[Tensor]) -> Tensor:
        """Inception's features, (images, 2048), of one picture at a time; none without it."""
        if self._inception is None:
            return torch.empty(0)
        return self._inception(image[None] for image in images)


def as_rgb(image: Tensor) -> Tensor:
    """A picture in the range that people see.

    Args:
        image: (3, H, W) or (1, 3, H, W) in [-1, 1].

    Returns:
        (3, H, W) RGB in [0, 1].
    """
    return ((image.reshape(image.shape[-3:]).float() + 1) / 2).clamp(0, 1)


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
