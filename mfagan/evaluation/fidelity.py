"""How near an exported file's pictures are to PyTorch's, and what they lose in PSNR, on photos."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from mfagan.data.embedded import EMBEDDED, EMBEDDED_HELD_OUT
from mfagan.data.images import crop_to_multiple, read_levels, resize_bicubic
from mfagan.data.pairs import Pair, make_pair
from mfagan.data.splits import read_pairs
from mfagan.errors import InputError
from mfagan.evaluation.psnr_ssim import psnr_y

__all__ = [
    "Fidelity",
    "check_parity",
    "fit_pair",
    "measure_fidelity",
    "read_photos",
]

Enlarge = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class Fidelity:
    """What an exported file computes beside PyTorch.

    Args:
        max_abs_difference: the largest difference of a value, on the scale [0, 1]; NaN if a picture holds one.
        psnr_to_pytorch_db: PSNR of its pictures against PyTorch's, of all photos' values together; infinity if equal.
        lost_db: photo -> PSNR-Y of PyTorch's picture against the photo less that of the file's.
    """

    max_abs_difference: float
    psnr_to_pytorch_db: float
    lost_db: dict[str, float]

    @property
    def mean_lost_db(self) -> float:
        """PSNR-Y lost, averaged over the photos."""
        return sum(self.lost_db.values()) / len(self.lost_db)

    def as_dict(self) -> dict[str, object]:
        """Plain data; what is not finite, which JSON lacks, is None."""
        psnr = self.psnr_to_pytorch_db
        return {
            "max_abs_difference": self.max_abs_difference,
            "psnr_to_pytorch_db": psnr if math.isfinite(psnr) else None,
            "lost_db": self.lost_db,
        }


def measure_fidelity(run: Enlarge, reference: Enlarge, pairs: Sequence[Pair], scale: int) -> Fidelity:
    """Enlarge photos by a file and by PyTorch.

    Args:
        run: the file, (3, h, w) -> (3, H, W), RGB in [0, 1].
        reference: the network, (1, 3, h, w) -> (1, 3, H, W).
        pairs: the photos, at least one, of sizes that the file takes.
        scale: the network's enlargement.
    """
    most, squares, count = 0.0, 0.0, 0
    lost: dict[str, float] = {}
    for pair in pairs:
        with torch.inference_mode():
            expected = reference(pair.lr[None])[0]
        found = run(pair.lr)
        difference = (found - expected).abs().max().item()
        most = difference if math.isnan(difference) else max(most, difference)
        error = found.clamp(0, 1).double() - expected.clamp(0, 1)
        squares, count = squares + error.square().sum().item(), count + error.numel()
        lost[pair.name] = psnr_y(expected, pair.hr, scale) - psnr_y(found, pair.hr, scale)
        if math.isnan(most):
            break
    psnr = -10 * math.log10(squares / count) if squares else math.inf
    return Fidelity(most, psnr, lost)


def read_photos(photo: str | Path | None, scale: int) -> list[Pair]:
    """The photos on which exported files are compared with PyTorch.

    Args:
        photo: a picture, or None for the bundled photographs that no training has seen.
        scale: enlargement.

    Raises:
        InputError: as `read_levels`; scikit-image, which brings the photographs, is not installed.
    """
    if photo is None:
        return read_pairs(EMBEDDED, scale, max_images=len(EMBEDDED_HELD_OUT))
    levels = crop_to_multiple(torch.from_numpy(read_levels(photo)), scale)
    return [make_pair(Path(photo).stem, levels.numpy(), scale)]


def fit_pair(pair: Pair, size: tuple[int, int] | None, scale: int) -> Pair:
    """A photo at the size that a file takes: its middle, or the whole of it enlarged if it is too small.

    Args:
        pair: the photo.
        size: (height, width) of the LR picture in px; None leaves it as it is.
        scale: enlargement.
    """
    if size is None:
        return pair
    height, width = size
    top, left = ((have - want) // 2 for have, want in zip(pair.lr_levels.shape[1:], size, strict=True))
    if min(top, left) >= 0:
        lr = pair.lr_levels[:, top : top + height, left : left + width]
        hr = pair.hr_levels[:, scale * top : scale * (top + height), scale * left : scale * (left + width)]
        return Pair(pair.name, lr, hr)
    hr_size = height * scale, width * scale
    lr, hr = (resize_bicubic(pair.hr, size=one).clamp(0, 1) for one in (size, hr_size))
    return Pair.from_tensors(pair.name, lr, hr)


def check_parity(difference: float, limit: float) -> None:
    """Refuse an exported file whose output is not PyTorch's.

    Args:
        difference: The largest absolute difference of the two outputs.
        limit: The largest that is accepted.

    Raises:
        InputError: `difference` exceeds `limit` or is not a number.
    """
    # Written so that NaN, which compares false with everything, fails.
    if not difference <= limit:
        raise InputError(
            f"export: the file's output differs from PyTorch's by up to {difference:.3g}, the limit "
            f"is {limit:g}, so nothing is exported; check the checkpoint with `mfagan evaluate`"
        )
