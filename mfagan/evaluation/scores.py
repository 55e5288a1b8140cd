"""Scores of super-resolution networks, or of any other way to enlarge, on pairs of images."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

import torch
from torch import Tensor, nn

from mfagan.data.images import resize_bicubic
from mfagan.data.splits import Pair
from mfagan.evaluation.psnr_ssim import psnr_db, shaved_luma, ssim
from mfagan.progress import ProgressCallback

__all__ = [
    "Method",
    "PerceptualDistance",
    "Scores",
    "Seen",
    "as_method",
    "enlarge_bicubic",
    "lpips_distance",
    "mean_psnr_db",
    "mean_scores",
    "score",
    "score_methods",
    "super_resolve",
]

PerceptualDistance = Callable[[Tensor, Tensor], Tensor]
"""Two batches (N, 3, H, W), RGB in [-1, 1] -> distances (N,)."""
Method = Callable[[Pair], Tensor]
"""Enlarges the LR image of a pair: -> (3, H, W) on the CPU, not clamped."""


@dataclass(frozen=True)
class Scores:
    """One image's figures, or the mean of several images.

    Args:
        name: the image's name.
        psnr_db: PSNR on the Y channel, in dB.
        ssim: SSIM on the Y channel.
        lpips: LPIPS, or None if it is not measured.
    """

    name: str
    psnr_db: float
    ssim: float
    lpips: float | None = None


Seen = Callable[[Pair, Mapping[str, Tensor], Mapping[str, Scores]], None]
"""Called once an image with each method's picture and its scores."""


@torch.inference_mode()
def super_resolve(network: nn.Module, lr: Tensor) -> Tensor:
    """Enlarge one image with a network.

    Args:
        network: (1, 3, h, w) -> (1, 3, scale h, scale w), RGB in [0, 1].
        lr: the LR image (3, h, w), RGB in [0, 1].

    Returns:
        (3, scale h, scale w), float32, not clamped, on the network's device.
    """
    parameter = next(network.parameters())
    x = lr[None].to(parameter).contiguous(memory_format=torch.channels_last)
    return network(x)[0].float()


def mean_psnr_db(network: nn.Module, pairs: Sequence[Pair]) -> float:
    """The mean PSNR-Y of a network over images.

    Args:
        network: (1, 3, h, w) -> (1, 3, scale h, scale w), RGB in [0, 1].
        pairs: at least one image.

    Returns:
        The mean in dB over the images that are not reproduced exactly, infinity if all are.
    """
    found = [
        psnr_db(
            shaved_luma(super_resolve(network, pair.lr).cpu(), pair.scale), shaved_luma(pair.hr, pair.scale)
        )
        for pair in pairs
    ]
    finite = [one for one in found if math.isfinite(one)]
    return fmean(finite) if finite else math.inf


def as_method(network: nn.Module) -> Method:
    """Use a network as a method.

    Args:
        network: as for `super_resolve`.

    Returns:
        A method that enlarges the LR image of a pair with the network.
    """
    return lambda pair: super_resolve(network, pair.lr).cpu()


def enlarge_bicubic(pair: Pair) -> Tensor:
    """Enlarge the LR image of a pair as MATLAB's bicubic `imresize` does.

    Args:
        pair: the LR and the HR image.

    Returns:
        (3, H, W), not clamped.
    """
    return resize_bicubic(pair.lr, pair.scale)


def score(sr: Tensor, pair: Pair, lpips: PerceptualDistance | None = None) -> Scores:
    """Score one enlarged image.

    Args:
        sr: the enlarged image (3, H, W), RGB, not clamped.
        pair: the LR and the HR image.
        lpips: measures the perceptual distance, or None to leave it out.

    Returns:
        The figures, under the pair's name.
    """
    hr = pair.hr
    luma, reference = shaved_luma(sr, pair.scale), shaved_luma(hr, pair.scale)
    distance = None if lpips is None else lpips_distance(sr, hr, lpips)
    return Scores(pair.name, psnr_db(luma, reference), ssim(luma, reference), distance)


@torch.inference_mode()
def lpips_distance(sr: Tensor, hr: Tensor, lpips: PerceptualDistance) -> float:
    """LPIPS of two images.

    Args:
        sr: (3, H, W), RGB; clamped to [0, 1].
        hr: (3, H, W), RGB in [0, 1].
        lpips: measures it.

    Returns:
        The distance, 0 for equal images.
    """
    return lpips(2 * sr.clamp(0, 1)[None] - 1, 2 * hr[None] - 1).item()


def score_methods(
    methods: Mapping[str, Method],
    pairs: Sequence[Pair],
    lpips: PerceptualDistance | None = None,
    seen: Seen | None = None,
    report: ProgressCallback | None = None,
) -> dict[str, list[Scores]]:
    """Score several methods on several images; the pictures of one image are kept at a time.

    Args:
        methods: name -> method.
        pairs: the LR and HR images.
        lpips: measures the perceptual distance, or None to leave it out.
        seen: called with each image's pictures and figures, or None.
        report: called after each image, or None.

    Returns:
        Name of a method -> its figures of each image.
    """
    found: dict[str, list[Scores]] = {name: [] for name in methods}
    for i, pair in enumerate(pairs):
        pictures = {name: enlarge(pair) for name, enlarge in methods.items()}
        scores = {name: score(picture, pair, lpips) for name, picture in pictures.items()}
        for name, one in scores.items():
            found[name].append(one)
        if seen is not None:
            seen(pair, pictures, scores)
        if report is not None:
            report(i + 1, len(pairs), pair.name)
    return found


def mean_scores(scores: Sequence[Scores]) -> Scores:
    """The mean of every figure over the images.

    Args:
        scores: the figures of at least one image.

    Returns:
        The means, named "mean". An image that a method reproduces exactly, such as a blank page, has an infinite
        PSNR and is left out of the mean of PSNR, unless all images are such.
    """
    distances = [one.lpips for one in scores if one.lpips is not None]
    finite = [one.psnr_db for one in scores if math.isfinite(one.psnr_db)]
    return Scores(
        name="mean",
        psnr_db=fmean(finite) if finite else math.inf,
        ssim=fmean(one.ssim for one in scores),
        lpips=fmean(distances) if len(distances) == len(scores) else None,
    )
