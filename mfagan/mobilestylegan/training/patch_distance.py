"""How far the patches of two sets of images are apart: the sliced Wasserstein distance of Karras et al. 2018.

It needs no pretrained network, so it is coarse: neither FID nor KID. It compares patches alone, not whole pictures.
"""

import torch
from torch import Tensor
from torch.nn import functional as F

from mfagan.errors import InputError

__all__ = ["patch_distance"]

_SIDE_PX = 7
_DIRECTIONS = 128
_GRID = 8
"""Patches in a row and in a column of an image, at most."""


def patch_distance(made: Tensor, real: Tensor) -> float:
    """Measure how far the patches of two sets of images are apart.

    Patches of 7x7 px of each image, at its size and at half of it, are projected on 128 random directions; the sorted
    projections of both sets are compared (Karras et al. 2018, section 5, without its Laplacian pyramid).

    Args:
        made: (N, 3, H, W).
        real: (N, 3, H, W), as many, of the same size, at least 14 px a side.

    Returns:
        The mean over directions and scales of the mean absolute difference, in the unit of the pixels: 0 for the same
        sets.

    Raises:
        InputError: the sets have different shapes, or too small images.
    """
    if made.shape != real.shape or min(made.shape[-2:]) < 2 * _SIDE_PX:
        raise InputError(
            f"images of the shapes {tuple(made.shape)} and {tuple(real.shape)}: give as many of the same size, at "
            f"least {2 * _SIDE_PX} px a side"
        )
    generator = torch.Generator("cpu").manual_seed(0)
    directions = torch.randn(3 * _SIDE_PX**2, _DIRECTIONS, generator=generator).to(made)
    directions /= directions.norm(dim=0)
    found = []
    for _ in range(2):
        of_made, of_real = ((_cut_patches(one) @ directions).sort(0).values for one in (made, real))
        found.append(F.l1_loss(of_made, of_real))
        made, real = F.avg_pool2d(made, 2), F.avg_pool2d(real, 2)
    return torch.stack(found).mean().item()


def _cut_patches(images: Tensor) -> Tensor:
    """(N, 3, H, W) -> (patches, 3 x 7 x 7), on a grid of places."""
    windows = images.unfold(2, _SIDE_PX, 1).unfold(3, _SIDE_PX, 1)  # (N, 3, rows, columns, 7, 7), a view
    rows, columns = (torch.linspace(0, n - 1, _GRID).round().long().unique() for n in windows.shape[2:4])
    patches = windows[:, :, rows][:, :, :, columns]
    return patches.permute(0, 2, 3, 1, 4, 5).flatten(3).flatten(0, 2)
