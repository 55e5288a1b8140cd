"""Scores of a super-resolution network on pairs of images, beside bicubic's."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import fmean

import torch
from torch import Tensor, nn

from mfagan.data import Pair
from mfagan.images import resize_bicubic
from mfagan.metrics import psnr_db, shaved_luma, ssim

Lpips = Callable[[Tensor, Tensor], Tensor]


@dataclass(frozen=True)
class Scores:
    """One image's figures, or the mean of several: PSNR-Y in dB, SSIM on Y, LPIPS (None where not measured)."""

    name: str
    psnr_db: float
    ssim: float
    bicubic_psnr_db: float
    bicubic_ssim: float
    lpips: float | None = None


@torch.inference_mode()
def super_resolve(network: nn.Module, lr: Tensor) -> Tensor:
    """An LR image (3, h, w) -> (3, scale h, scale w), not clamped, on the network's device."""
    parameter = next(network.parameters())
    x = lr[None].to(parameter).contiguous(memory_format=torch.channels_last)
    return network(x)[0].float()


def mean_psnr_db(network: nn.Module, pairs: Sequence[Pair]) -> float:
    """The mean over images of PSNR-Y, in dB."""
    return fmean(
        psnr_db(
            shaved_luma(super_resolve(network, pair.lr).cpu(), pair.scale), shaved_luma(pair.hr, pair.scale)
        )
        for pair in pairs
    )


def score(sr: Tensor, pair: Pair, lpips: Lpips | None = None) -> Scores:
    """The figures of one enlarged image (3, H, W) beside those of bicubic enlargement."""
    reference = shaved_luma(pair.hr, pair.scale)
    luma = shaved_luma(sr, pair.scale)
    bicubic = shaved_luma(enlarge_bicubic(pair), pair.scale)
    distance = None
    if lpips is not None:
        with torch.inference_mode():
            distance = lpips(2 * sr.clamp(0, 1)[None] - 1, 2 * pair.hr[None] - 1).item()
    return Scores(
        name=pair.name,
        psnr_db=psnr_db(luma, reference),
        ssim=ssim(luma, reference),
        bicubic_psnr_db=psnr_db(bicubic, reference),
        bicubic_ssim=ssim(bicubic, reference),
        lpips=distance,
    )


def mean_scores(scores: Sequence[Scores]) -> Scores:
    """The mean of every figure over the images."""
    distances = [one.lpips for one in scores if one.lpips is not None]
    return Scores(
        name="mean",
        psnr_db=fmean(one.psnr_db for one in scores),
        ssim=fmean(one.ssim for one in scores),
        bicubic_psnr_db=fmean(one.bicubic_psnr_db for one in scores),
        bicubic_ssim=fmean(one.bicubic_ssim for one in scores),
        lpips=fmean(distances) if len(distances) == len(scores) else None,
    )


def enlarge_bicubic(pair: Pair) -> Tensor:
    """The LR image of a pair, enlarged by MATLAB's bicubic: (3, H, W), not clamped."""
    return resize_bicubic(pair.lr, pair.scale)
