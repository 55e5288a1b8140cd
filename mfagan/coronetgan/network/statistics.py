"""Running statistics of batch norms: those of a full network belong to none of its slices."""

from collections.abc import Iterable

import torch
from torch import Tensor

from mfagan.coronetgan.network.norm import ImageBatchNorm
from mfagan.coronetgan.network.translator import Translator

__all__ = ["N_CALIBRATION", "has_running_statistics", "take_statistics", "watch"]

N_CALIBRATION = 16
"""Of how many pictures slices take their statistics."""


def has_running_statistics(translator: Translator) -> bool:
    """Whether the pictures that a translator makes depend on running statistics.

    Args:
        translator: Any.
    """
    return translator.norm == "batch" and translator.norm_at_inference == "running"


def watch(norms: Iterable[ImageBatchNorm]) -> None:
    """Let batch norms normalise the next batch by itself and take its statistics over, as training does.

    Args:
        norms: They; `eval` ends it.
    """
    for norm in norms:
        norm.running_mean = torch.zeros_like(norm.weight)
        norm.running_var = torch.ones_like(norm.weight)
        norm.momentum = 1.0
        norm.train()


@torch.no_grad()
def take_statistics(translator: Translator, pictures: Tensor) -> None:
    """Give a translator the running statistics of pictures, as one batch of training would leave them.

    Args:
        translator: In evaluation mode; changed if it has such statistics.
        pictures: (N, C, H, W) in [-1, 1], at least 2, on its device.
    """
    if not has_running_statistics(translator):
        return
    norms = [one for one in translator.norms.values() if isinstance(one, ImageBatchNorm)]
    momenta = [norm.momentum for norm in norms]
    watch(norms)
    translator(pictures)
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum
        norm.eval()
