"""PSNR and SSIM on the Y channel, summed in float64, without rounding to 8 bits; PSNR of RGB."""

import math

import torch
from torch import Tensor
from torch.nn import functional as F

from mfagan.data.images import SSIM_WINDOW_PX, luma
from mfagan.errors import InputError

__all__ = [
    "PEAK",
    "psnr_db",
    "psnr_y",
    "rgb_psnr_db",
    "shaved_luma",
    "signed_psnr_db",
    "ssim",
    "ssim_y",
]

PEAK = 255.0
"""The largest value of an 8-bit picture, on whose scale both metrics are defined."""
_SSIM_SIGMA_PX = 1.5
_LEAST_ERROR = 1e-10
"""Mean square of differences that counts as equal in RGB."""
_SSIM_C1 = (0.01 * PEAK) ** 2
_SSIM_C2 = (0.03 * PEAK) ** 2


def psnr_y(sr: Tensor, hr: Tensor, scale: int) -> float:
    """PSNR of two images on luma, without their borders.

    Args:
        sr: (3, H, W), RGB; clamped to [0, 1].
        hr: (3, H, W), RGB in [0, 1].
        scale: px that are shaved off each border.

    Returns:
        PSNR in dB with peak 255; infinity if they are equal.

    Raises:
        InputError: images of different sizes, or nothing left inside the borders.
    """
    _demand_equal_sizes(sr, hr)
    return psnr_db(shaved_luma(sr, scale), shaved_luma(hr, scale))


def ssim_y(sr: Tensor, hr: Tensor, scale: int) -> float:
    """SSIM of two images on luma, without their borders; settings as `ssim`.

    Args:
        sr: (3, H, W), RGB; clamped to [0, 1].
        hr: (3, H, W), RGB in [0, 1].
        scale: px that are shaved off each border.

    Returns:
        SSIM in [-1, 1].

    Raises:
        InputError: images of different sizes, or smaller than SSIM's window inside the borders.
    """
    _demand_equal_sizes(sr, hr)
    return ssim(shaved_luma(sr, scale), shaved_luma(hr, scale))


def shaved_luma(image: Tensor, scale: int, dtype: torch.dtype = torch.float64) -> Tensor:
    """BT.601 luma of an image without its borders.

    This is the part of `psnr_y` that is worth keeping: a search computes it once for each HR image and thousands of
    times for the slices' outputs. In float32 it takes a quarter of the time and moves a PSNR by less than 1e-6 dB.

    Args:
        image: (3, H, W), RGB; clamped to [0, 1].
        scale: px that are shaved off each border.
        dtype: of the result.

    Returns:
        (H - 2 scale, W - 2 scale), values in [16, 235].

    Raises:
        InputError: nothing is left inside the borders.
    """
    height, width = image.shape[-2:]
    if min(height, width) <= 2 * scale:
        raise InputError(
            f"image is {width}x{height} px: nothing is left inside borders of {scale} px; use larger images"
        )
    # Apple's GPUs have no float64.
    image = image.detach().cpu() if image.device.type == "mps" else image.detach()
    return luma(image[:, scale : height - scale, scale : width - scale].to(dtype).clamp(0, 1))


def psnr_db(sr_luma: Tensor, hr_luma: Tensor) -> float:
    """PSNR of two grey images: 10 log10(255^2 / MSE).

    Args:
        sr_luma: (H, W), values from 0 to 255.
        hr_luma: (H, W) of the same dtype.

    Returns:
        PSNR in dB; infinity if they are equal.

    Raises:
        InputError: images of different sizes.
    """
    _demand_equal_sizes(sr_luma, hr_luma)
    mse = (sr_luma - hr_luma).square_().mean(dtype=torch.float64).item()
    return 10 * math.log10(PEAK**2 / mse) if mse else math.inf


def ssim(sr_luma: Tensor, hr_luma: Tensor) -> float:
    """Mean SSIM of two grey images (Wang et al. 2004, equation 13).

    Gaussian window of 11x11 px, sigma 1.5 px, K1 0.01, K2 0.03, population covariance, averaged over the positions
    at which the window lies inside the image.

    Args:
        sr_luma: float64 (H, W), values from 0 to 255.
        hr_luma: float64 (H, W).

    Returns:
        SSIM in [-1, 1].

    Raises:
        InputError: images of different sizes, or smaller than the window.
    """
    _demand_equal_sizes(sr_luma, hr_luma)
    height, width = sr_luma.shape
    if min(height, width) < SSIM_WINDOW_PX:
        raise InputError(
            f"{width}x{height} px are left inside the borders: SSIM needs {SSIM_WINDOW_PX} a side; "
            "use larger images"
        )
    moments = torch.stack([sr_luma, hr_luma, sr_luma**2, hr_luma**2, sr_luma * hr_luma])
    x, y, xx, yy, xy = _gaussian_valid(moments)
    luminance = (2 * x * y + _SSIM_C1) / (x**2 + y**2 + _SSIM_C1)
    structure = (2 * (xy - x * y) + _SSIM_C2) / (xx - x**2 + yy - y**2 + _SSIM_C2)
    return (luminance * structure).mean().item()


def _gaussian_valid(stack: Tensor) -> Tensor:
    """(N, H, W) -> (N, H - 10, W - 10), weighted means over the window."""
    offsets = range(-(SSIM_WINDOW_PX // 2), SSIM_WINDOW_PX // 2 + 1)
    window = [math.exp(-(offset**2) / (2 * _SSIM_SIGMA_PX**2)) for offset in offsets]
    window = [weight / sum(window) for weight in window]
    # Sums of shifted views take a fifth of the time of torch's float64 convolution.
    for axis in (1, 2):
        length = stack.shape[axis] - SSIM_WINDOW_PX + 1
        total = torch.zeros_like(stack.narrow(axis, 0, length))
        for start, weight in enumerate(window):
            total.add_(stack.narrow(axis, start, length), alpha=weight)
        stack = total
    return stack


def _demand_equal_sizes(sr: Tensor, hr: Tensor) -> None:
    if sr.shape != hr.shape:
        sr_size, hr_size = (f"{image.shape[-1]}x{image.shape[-2]}" for image in (sr, hr))
        raise InputError(f"cannot compare images of {sr_size} and {hr_size} px; give images of one size")


@torch.no_grad()
def signed_psnr_db(made: Tensor, wanted: Tensor) -> Tensor:
    """PSNR over all pixels of pictures in [-1, 1] as they are shown, clamped; the peak is 2.

    Args:
        made: (N, C, H, W).
        wanted: of the same shape.

    Returns:
        A scalar in dB; 106 for equal pictures.
    """
    error = F.mse_loss(made.float().clamp(-1, 1), wanted.float().clamp(-1, 1))
    return 10 * torch.log10(4 / error.clamp_min(_LEAST_ERROR))


def rgb_psnr_db(image: Tensor, reference: Tensor) -> float:
    """PSNR of a picture in [0, 1]; the peak is 1.

    Args:
        image: (3, H, W) RGB.
        reference: of the same shape.

    Returns:
        In dB; 100 for equal pictures.
    """
    return -10 * (image - reference).square().mean().clamp_min(_LEAST_ERROR).log10().item()
