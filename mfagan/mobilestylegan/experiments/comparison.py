"""A student beside its teacher: images of shared latents, costs, and how far both are from real pictures."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from mfagan.data.image_sets import list_images
from mfagan.data.images import from_uint8, read_levels, read_size
from mfagan.errors import InputError
from mfagan.evaluation.inception import InceptionFeatures, frechet_distance, kernel_distance
from mfagan.mobilestylegan.network.costs import GeneratorCosts
from mfagan.mobilestylegan.network.generator import require_pair
from mfagan.mobilestylegan.sampling.image_generator import ImageGenerator
from mfagan.mobilestylegan.training.validation import HeldOut
from mfagan.pretrained import LPIPS_MIN_SIDE_PX, Lpips
from mfagan.progress import ProgressCallback, ProgressFactory, no_progress

__all__ = ["Comparison", "ComparisonSettings", "DistributionDistance", "compare", "list_pictures"]

_FULL = 50_000
"""Samples of `fid50k`, the usual protocol."""


@dataclass(frozen=True)
class ComparisonSettings:
    """What is measured.

    latents: how many shared latents, those of the seeds 0, 1, ...
    psi: truncation of their styles, and of the samples.
    lpips: the metric, or None to leave it out.
    inception: for FID and KID, or None to leave them out.
    pictures: real pictures to compare with, none to compare with the teacher's.
    samples: how many pictures each network makes for FID and KID.
    """

    latents: int = 64
    psi: float = 1.0
    lpips: Lpips | None = None
    inception: InceptionFeatures | None = None
    pictures: Sequence[Path] = ()
    samples: int = 1000


@dataclass(frozen=True)
class DistributionDistance:
    """How far the pictures of a network are from others.

    network: "student" or "teacher".
    frechet: Frechet distance of the features; FID if the features are the published ones.
    kernel: kernel distance of the features; KID likewise.
    """

    network: str
    frechet: float
    kernel: float


@dataclass(frozen=True)
class Comparison:
    """What was found.

    distance: mean absolute difference of the images, of [0, 1].
    psnr_db: over all pixels, images in [-1, 1], peak 2.
    lpips: mean over the images, or None if it is not measured.
    teacher: its costs.
    student: its costs.
    distributions: FID and KID, if measured.
    is_fid: whether their features are the published ones.
    protocol: what FID and KID were measured on and how; "" if not measured.
    """

    distance: float
    psnr_db: float
    lpips: float | None
    teacher: GeneratorCosts
    student: GeneratorCosts
    distributions: tuple[DistributionDistance, ...] = ()
    is_fid: bool = False
    protocol: str = ""

    def as_dict(self) -> dict[str, object]:
        """Plain data; distances of other features than the published ones are not named FID."""
        names = ("fid", "kid") if self.is_fid else ("frechet_distance_not_fid", "kernel_distance_not_kid")
        return {
            "distance": self.distance,
            "psnr_db": self.psnr_db,
            "lpips": self.lpips,
            "teacher": self.teacher.as_dict(),
            "student": self.student.as_dict(),
            "distributions": [
                {"network": one.network, names[0]: one.frechet, names[1]: one.kernel}
                for one in self.distributions
            ],
            "protocol": self.protocol or None,
        }


def compare(
    teacher: ImageGenerator,
    student: ImageGenerator,
    settings: ComparisonSettings,
    bars: ProgressFactory = no_progress,
) -> Comparison:
    """Compare a student with its teacher.

    Args:
        teacher: a StyleGAN2.
        student: a MobileStyleGAN of its size and its length of styles, on the same device.
        settings: what is measured.
        bars: shows progress.

    Returns:
        The figures.

    Raises:
        InputError: networks of other kinds, sizes or lengths of styles; images of the teacher or psi that are not
            finite; a real picture that cannot be read.
    """
    large, small = require_pair(teacher.network, student.network)
    with bars("shared latents") as report:
        report(0, 2, "teacher")
        held_out = HeldOut.by_teacher(large, settings.latents, settings.psi)
        report(1, 2, "student")
        made = held_out.make(small)
        figures = held_out.compare(made).figures
        report(2, 2, "")
    lpips = None
    if settings.lpips is not None and student.size >= LPIPS_MIN_SIDE_PX:
        metric, n = settings.lpips.to(student.device), student.batch
        pairs = zip(made.clamp(-1, 1).split(n), held_out.images.clamp(-1, 1).split(n), strict=True)
        with torch.no_grad():
            lpips = torch.cat([metric(a, b) for a, b in pairs]).mean().item()
    found = Comparison(figures["distance"], figures["psnr_db"], lpips, teacher.costs(), student.costs())
    if settings.inception is None:
        return found
    distributions, protocol = _compare_distributions(teacher, student, settings, settings.inception, bars)
    return replace(
        found,
        distributions=distributions,
        is_fid=settings.inception.is_published,
        protocol=protocol,
    )


def list_pictures(folder: Path) -> list[Path]:
    """The real pictures of a folder.

    Args:
        folder: the folder.

    Returns:
        Its pictures, at least 2.

    Raises:
        InputError: no such folder, fewer pictures, or one that is not square.
    """
    if not folder.is_dir():
        raise InputError(f"images {folder}: no such folder")
    found = list(list_images(folder).values())
    if len(found) < 2:
        raise InputError(
            f"images {folder}: it holds {len(found)} pictures; give at least 2, better thousands"
        )
    for path in found:
        height, width = read_size(path)
        if height != width:
            raise InputError(f"image {path} is {width}x{height} px: give square ones, cut as the generator's")
    return found


def _compare_distributions(
    teacher: ImageGenerator,
    student: ImageGenerator,
    settings: ComparisonSettings,
    inception: InceptionFeatures,
    bars: ProgressFactory,
) -> tuple[tuple[DistributionDistance, ...], str]:
    n, psi = settings.samples, settings.psi
    with bars("student's features") as report:
        of_student = inception(_draw(student, range(n), psi, report))
    first = 0 if settings.pictures else n
    with bars("teacher's features") as report:
        of_teacher = inception(_draw(teacher, range(first, first + n), psi, report))
    made = f"{n:,} samples (psi {psi:g}, constant noise)"
    if settings.pictures:
        sizes: set[int] = set()
        with bars("pictures' features") as report:
            real = inception(_read(settings.pictures, student.size, student.batch, sizes, report))
        resized = sizes - {student.size}
        how = f"{'resized by Lanczos (Pillow) to' if resized else 'as they are,'} {student.size} px"
        against = f"{len(real):,} pictures of {settings.pictures[0].parent} ({how})"
        rows = (("student", of_student), ("teacher", of_teacher))
    else:
        real, rows = of_teacher, (("student", of_student),)
        against = f"{n:,} of the teacher's, of other seeds"
    few = f"; {_FULL:,} samples are usual, and fewer overestimate the Frechet distance" if n < _FULL else ""
    distances = [
        DistributionDistance(name, frechet_distance(one, real), kernel_distance(one, real))
        for name, one in rows
    ]
    return tuple(distances), f"{made} against {against}; {inception.name}{few}"


def _draw(model: ImageGenerator, seeds: range, psi: float, report: ProgressCallback) -> Iterator[Tensor]:
    for start in range(0, len(seeds), model.batch):
        report(start, len(seeds), "")
        yield (model(seeds[start : start + model.batch], psi=psi, output="tensor") + 1) / 2
    report(len(seeds), len(seeds), "")


def _read(
    paths: Sequence[Path], size: int, batch: int, sizes: set[int], report: ProgressCallback
) -> Iterator[Tensor]:
    """Real pictures in batches; `sizes` gets those that they have."""
    for start in range(0, len(paths), batch):
        report(start, len(paths), "")
        yield torch.stack(list(_resize(paths[start : start + batch], size, sizes)))
    report(len(paths), len(paths), "")


def _resize(paths: Iterable[Path], size: int, sizes: set[int]) -> Iterator[Tensor]:
    for path in paths:
        levels = read_levels(path)
        side = levels.shape[-1]
        sizes.add(side)
        if side != size:
            picture = Image.fromarray(levels.transpose(1, 2, 0))
            levels = np.array(picture.resize((size, size), Image.Resampling.LANCZOS)).transpose(2, 0, 1)
        yield from_uint8(torch.from_numpy(np.ascontiguousarray(levels)))
