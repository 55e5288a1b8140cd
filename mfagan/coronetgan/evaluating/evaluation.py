"""Translators on pictures that no training has seen: PSNR, LPIPS, distance to another network, FID, KID, costs."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import repeat
from typing import Literal

import torch
from torch import Tensor

from mfagan.coronetgan.translating.image_translator import ImageTranslator
from mfagan.data.images import read_size
from mfagan.data.translation.folders import TranslationData, TranslationFile
from mfagan.data.translation.reading import read_domain, require_same_size, to_signed
from mfagan.errors import InputError
from mfagan.evaluation.inception import InceptionFeatures, frechet_distance, kernel_distance
from mfagan.graph.costs import Costs
from mfagan.graph.operators import TransposedAt
from mfagan.pretrained import LPIPS_MIN_SIDE_PX, Lpips
from mfagan.progress import ProgressFactory, no_progress

__all__ = ["PSNR_LABEL", "EvaluationSettings", "Figures", "TestPart", "evaluate"]

TestPart = Literal["test", "val", "train"]
PSNR_LABEL = "PSNR of RGB in [0, 1], peak 1, over all pixels"
"""How PSNR is measured; peak 2 of [-1, 1] gives the same."""
_PIXELS_AT_ONCE = 2**20
_MOST_AT_ONCE = 16


@dataclass(frozen=True)
class EvaluationSettings:
    """What is measured.

    side_px: side of the squares that pictures are resized to (bicubic), as the public test does.
    part: which part of the data is translated.
    max_images: this many pictures, in natural order; None for all.
    lpips: the metric, or None to leave it out.
    inception: for FID and KID, or None to leave them out.
    """

    side_px: int = 256
    part: TestPart = "test"
    max_images: int | None = None
    lpips: Lpips | None = None
    inception: InceptionFeatures | None = None


@dataclass(frozen=True)
class Figures:
    """What was found of one network; None where it is not measured.

    psnr_db: against the real partners, as in `PSNR_LABEL`; infinity if equal.
    lpips: likewise, mean over the pictures.
    distance: mean absolute difference of [0, 1] from the pictures of the first network.
    frechet: Frechet distance of features to real pictures; FID if the features are the published ones.
    kernel: kernel distance of features; KID likewise.
    n_parameters: learned numbers.
    costs: of a picture, by the resolution at which transposed convolutions are counted.
    """

    psnr_db: float | None
    lpips: float | None
    distance: float | None
    frechet: float | None
    kernel: float | None
    n_parameters: int
    costs: Mapping[TransposedAt, Costs]

    def as_dict(self, is_fid: bool) -> dict[str, object]:
        """Plain data; distances of other features than the published ones are not named FID, infinity is None.

        Args:
            is_fid: whether the features are the published ones.
        """
        names = ("fid", "kid") if is_fid else ("frechet_distance_not_fid", "kernel_distance_not_kid")
        psnr = self.psnr_db
        return {
            "psnr_db": psnr if psnr is not None and math.isfinite(psnr) else None,
            "lpips": self.lpips,
            "distance": self.distance,
            names[0]: self.frechet,
            names[1]: self.kernel,
            "params": self.n_parameters,
            **{f"macs_transposed_at_{at}": one.macs for at, one in self.costs.items()},
        }


@dataclass
class _Sums:
    """What accumulates over the pictures of one network."""

    squares: float = 0.0
    values: int = 0
    differences: float = 0.0
    lpips: list[float] = field(default_factory=list)
    features: list[Tensor] = field(default_factory=list)


def evaluate(
    models: Mapping[str, ImageTranslator],
    data: TranslationData,
    settings: EvaluationSettings,
    bars: ProgressFactory = no_progress,
) -> tuple[dict[str, Figures], str]:
    """Evaluate translators on the same pictures.

    With pairs PSNR and LPIPS are against the partners. Without, quality is a matter of distributions (FID, KID), and
    of the distance to the first network, such as the unpruned one. Real pictures are, of unpaired data, all of the
    target domain, those of the training too, as the authors of CycleGAN count; of pairs, those of the part alone.

    Args:
        models: name -> translator, the first to be compared with.
        data: the pictures; A is translated into B.
        settings: what is measured.
        bars: shows progress.

    Returns:
        Name -> figures, and what FID and KID were measured on and how, "" if they were not.

    Raises:
        InputError: no such part, a picture that cannot be read, pairs of two sizes, a size that a network does not
            take, or fewer than 2 pictures for FID.
    """
    side, part = settings.side_px, data.part(settings.part)
    if settings.max_images is not None and settings.max_images < 1:
        raise InputError(f"max_images is {settings.max_images}: give at least 1, or leave it out to use all")
    costs = {name: model.costs(side, side) for name, model in models.items()}
    inputs = part.a[: settings.max_images]
    partners = part.b[: settings.max_images] if part.paired else ()
    sums = {name: _Sums() for name in models}
    with bars("translating") as report:
        done = 0
        for x, real in _read_pairs(inputs, partners, side):
            report(done, len(inputs), inputs[done].name)
            _measure(models, x, real, settings, sums)
            done += len(x)
        report(done, len(inputs), "")
    distances: dict[str, tuple[float, float]] = {}
    protocol = ""
    if settings.inception is not None:
        distances, protocol = _compare_with_real(data, len(inputs), sums, settings, settings.inception, bars)
    found: dict[str, Figures] = {}
    for number, (name, one) in enumerate(sums.items()):
        frechet, kernel = distances.get(name, (None, None))
        found[name] = Figures(
            _psnr_db(one) if partners else None,
            sum(one.lpips) / len(one.lpips) if one.lpips else None,
            one.differences / len(inputs) if number else None,
            frechet,
            kernel,
            models[name].n_parameters,
            costs[name],
        )
    return found, protocol


def _measure(
    models: Mapping[str, ImageTranslator],
    x: Tensor,
    real: Tensor | None,
    settings: EvaluationSettings,
    sums: Mapping[str, _Sums],
) -> None:
    """Translate one batch by all networks; all pictures are in [-1, 1]."""
    first: Tensor | None = None
    for name, model in models.items():
        made, one = model.translate(x), sums[name]
        if real is not None:
            target = real.to(made.device)
            one.squares += ((made.double() - target) / 2).square().sum().item()
            one.values += made.numel()
            if settings.lpips is not None and settings.side_px >= LPIPS_MIN_SIDE_PX:
                with torch.no_grad():
                    one.lpips += settings.lpips.to(made.device)(made, target).tolist()
        if first is None:
            first = made
        one.differences += ((made - first) / 2).abs().double().mean((1, 2, 3)).sum().item()
        if settings.inception is not None:
            one.features.append(settings.inception([(made + 1) / 2]))


def _psnr_db(sums: _Sums) -> float:
    return -10 * math.log10(sums.squares / sums.values) if sums.squares else math.inf


def _compare_with_real(
    data: TranslationData,
    n_made: int,
    sums: Mapping[str, _Sums],
    settings: EvaluationSettings,
    inception: InceptionFeatures,
    bars: ProgressFactory,
) -> tuple[dict[str, tuple[float, float]], str]:
    """Network -> Frechet and kernel distance to the real pictures, and the protocol."""
    used = [settings.part] if data.paired else list(data.parts)
    files = [one for name in used for one in data.parts[name].b]
    features: list[Tensor] = []
    with bars("real pictures") as report:
        for batch in _read(files, settings.side_px):
            report(sum(map(len, features)), len(files), "")
            features.append(inception([(batch + 1) / 2]))
        report(len(files), len(files), "")
    real = torch.cat(features)
    found = {}
    for name, one in sums.items():
        made = torch.cat(one.features)
        found[name] = frechet_distance(made, real), kernel_distance(made, real)
    counts = " + ".join(f"{len(data.parts[name].b)} {name}" for name in used)
    against = f"{len(files)} real ones ({counts})"
    few = (
        "; so few pictures overestimate the Frechet distance, by tens below some hundreds"
        if n_made < 2048
        else ""
    )
    return found, f"{n_made} translations of {settings.part} against {against}; {inception.name}{few}"


def _read_pairs(
    inputs: Sequence[TranslationFile], partners: Sequence[TranslationFile], side: int
) -> Iterator[tuple[Tensor, Tensor | None]]:
    """Batches of pictures as `_read`, with the real ones that belong to them, None without pairs."""
    for a, b in zip(inputs, partners, strict=False):
        if a.path != b.path:
            require_same_size(a.path, read_size(a.path), b.path, read_size(b.path))
    yield from zip(_read(inputs, side), _read(partners, side) if partners else repeat(None), strict=False)


def _read(files: Sequence[TranslationFile], side: int) -> Iterator[Tensor]:
    """Batches (n, 3, side, side) in [-1, 1]."""
    n = max(1, min(_MOST_AT_ONCE, _PIXELS_AT_ONCE // side**2))
    for start in range(0, len(files), n):
        squares = read_domain(files[start : start + n], side)
        yield to_signed(torch.stack([torch.from_numpy(one) for one in squares]))
