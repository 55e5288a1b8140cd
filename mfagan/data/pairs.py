"""A pair of low and high resolution: 8-bit images, read from files, cut, shrunk."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np
import torch
from torch import Tensor

from mfagan.data.image_sets import PairFiles
from mfagan.data.images import (
    MIN_SIDE_PX,
    crop_to_multiple,
    from_uint8,
    make_lr,
    read_levels,
    resize_bicubic,
    to_uint8,
)
from mfagan.errors import InputError

__all__ = [
    "Pair",
    "distinct_names",
    "make_pair",
    "read_pair",
    "require_factors",
    "require_match",
    "shrink_pair",
    "shrunk_name",
    "shrunk_size",
]


@dataclass(frozen=True, eq=False)
class Pair:
    """`lr_levels` (3, h, w) and `hr_levels` (3, scale h, scale w), uint8 RGB, perhaps memory-mapped.

    `image` names the image that the pair is one of several crops of; it is empty for a pair that stands alone.
    """

    name: str
    lr_levels: np.ndarray
    hr_levels: np.ndarray
    image: str = ""

    def __post_init__(self):
        for levels in (self.lr_levels, self.hr_levels):
            if not isinstance(levels, np.ndarray) or levels.dtype != np.uint8:
                raise TypeError("a Pair keeps uint8 arrays: make one of float tensors by Pair.from_tensors")

    @classmethod
    def from_tensors(cls, name: str, lr: Tensor, hr: Tensor) -> "Pair":
        """Make a pair of floating-point images, rounded to 8 bits.

        Args:
            name: what the pair is called.
            lr: (3, h, w), RGB in [0, 1].
            hr: (3, scale h, scale w), RGB in [0, 1].

        Returns:
            The pair.
        """
        return cls(name, to_uint8(lr).cpu().numpy(), to_uint8(hr).cpu().numpy())

    @property
    def lr(self) -> Tensor:
        """(3, h, w), float32 RGB in [0, 1], values k/255; a new tensor every time."""
        return from_uint8(torch.from_numpy(np.array(self.lr_levels)))

    @property
    def hr(self) -> Tensor:
        """(3, scale h, scale w), float32 RGB in [0, 1], values k/255; a new tensor every time."""
        return from_uint8(torch.from_numpy(np.array(self.hr_levels)))

    @property
    def scale(self) -> int:
        """How many HR pixels a side one LR pixel covers."""
        return self.hr_levels.shape[-1] // self.lr_levels.shape[-1]

    def centre(self, lr_px: int) -> "Pair":
        """Cut out the middle.

        Args:
            lr_px: largest side in LR px.

        Returns:
            A copy; a pair that is smaller stays whole.
        """
        return self._crop(lr_px, 0.5, 0.5)

    def crops(self, lr_px: int, n: int) -> "list[Pair]":
        """Cut out several parts, spread evenly over the image; they overlap where it is too small for all.

        Args:
            lr_px: largest side in LR px.
            n: how many, at least 1; fewer where two would be the same.

        Returns:
            Copies, row by row, whose `image` is this pair's name; the middle alone, as `centre` gives it, for n = 1.
        """
        if n == 1:
            return [self.centre(lr_px)]
        height, width = self.lr_levels.shape[-2:]
        columns = min(n, max(1, round(math.sqrt(n * width / height))))
        rows = -(-n // columns)
        places = [((i // columns + 0.5) / rows, (i % columns + 0.5) / columns) for i in range(n)]
        cut = [(place, self._corner(lr_px, *place)) for place in places]
        distinct = {corner: place for place, corner in reversed(cut)}
        kept = [place for place, corner in cut if distinct[corner] == place]
        return [
            replace(self._crop(lr_px, *place), name=f"{self.name} {i}", image=self.name)
            for i, place in enumerate(kept, start=1)
        ]

    def _corner(self, lr_px: int, down: float, right: float) -> tuple[int, int]:
        """Upper left corner, in LR px, of the crop whose centre lies at these shares of the room."""
        height, width = self.lr_levels.shape[-2:]
        return int(max(0, height - lr_px) * down), int(max(0, width - lr_px) * right)

    def _crop(self, lr_px: int, down: float, right: float) -> "Pair":
        (top, left), scale = self._corner(lr_px, down, right), self.scale
        lr = self.lr_levels[:, top : top + lr_px, left : left + lr_px]
        hr = self.hr_levels[:, top * scale : (top + lr_px) * scale, left * scale : (left + lr_px) * scale]
        return replace(self, lr_levels=lr.copy(), hr_levels=hr.copy())


def distinct_names(pairs: Sequence[Pair]) -> list[str]:
    """The names of images, numbered where several have the same.

    Args:
        pairs: The images.
    """
    names = [pair.name for pair in pairs]
    return [
        name if names.count(name) == 1 else f"{name} ({names[: i + 1].count(name)})"
        for i, name in enumerate(names)
    ]


def read_pair(files: PairFiles, scale: int = 4) -> Pair:
    """Read one pair: the HR image cropped to a multiple of the scale, the LR image read or made by bicubic.

    Args:
        files: the pair's files.
        scale: enlargement.

    Returns:
        The pair.

    Raises:
        InputError: an image that cannot be read, or an LR image whose size is not the HR image's divided by `scale`.
    """
    whole = read_levels(files.hr)
    height, width = (side - side % scale for side in whole.shape[-2:])
    hr = np.ascontiguousarray(whole[:, :height, :width])
    if files.lr is None:
        return make_pair(files.name, hr, scale)
    lr = read_levels(files.lr, min_side_px=MIN_SIDE_PX // scale)
    require_match(files, lr.shape[-2:], (height, width), scale)
    return Pair(files.name, lr, hr)


def require_match(files: PairFiles, lr_size: tuple[int, ...], hr_size: tuple[int, ...], scale: int) -> None:
    """Check that an LR image fits its HR image.

    Args:
        files: the pair's files, to name them.
        lr_size: (height, width) of the LR image in px.
        hr_size: (height, width) of the HR image in px, cropped to a multiple of `scale`.
        scale: enlargement.

    Raises:
        InputError: `lr_size` is not `hr_size` divided by `scale`.
    """
    (height, width), (lr_height, lr_width) = hr_size, lr_size
    if (lr_height * scale, lr_width * scale) != (height, width):
        raise InputError(
            f"LR image {files.lr} is {lr_width}x{lr_height} px, but HR image {files.hr} is "
            f"{width}x{height} px (cropped to a multiple of {scale}): "
            f"at scale {scale} the LR must be {width // scale}x{height // scale}; replace one of them"
        )


def make_pair(name: str, hr: np.ndarray, scale: int) -> Pair:
    """A pair whose LR image MATLAB's bicubic makes of the HR image.

    Args:
        name: what the pair is called.
        hr: uint8 (3, H, W), sides multiples of `scale`.
        scale: enlargement.

    Returns:
        The pair.
    """
    return Pair(name, to_uint8(make_lr(from_uint8(torch.from_numpy(hr)), scale)).numpy(), hr)


def shrink_pair(pair: Pair, factor: float) -> Pair:
    """Show a picture from further away: shrink the HR image and make the LR image of the result.

    MATLAB's bicubic, rounded to 8 bits and cropped to a multiple of the scale.

    Args:
        pair: the pair.
        factor: between 0 and 1.

    Returns:
        The smaller pair.
    """
    shrunk = to_uint8(crop_to_multiple(resize_bicubic(pair.hr, _exact(factor)), pair.scale))
    return make_pair(shrunk_name(pair, factor), shrunk.numpy(), pair.scale)


def shrunk_name(pair: Pair, factor: float) -> str:
    """What a shrunken pair is called.

    Args:
        pair: the pair.
        factor: what it is shrunk by.

    Returns:
        Such as 0001@0.5.
    """
    return f"{pair.name}@{factor:g}"


def shrunk_size(pair: Pair, factor: float) -> tuple[int, int]:
    """The size of what `shrink_pair` makes.

    Args:
        pair: the pair.
        factor: between 0 and 1.

    Returns:
        (height, width) of the HR image in px; 0 if nothing is left.
    """
    height, width = (math.ceil(_exact(factor) * side) for side in pair.hr_levels.shape[-2:])
    return height - height % pair.scale, width - width % pair.scale


def require_factors(factors: Sequence[float]) -> None:
    """Check factors to shrink by.

    Args:
        factors: the factors.

    Raises:
        InputError: one that is not between 0 and 1.
    """
    for factor in factors:
        if not 0 < factor < 1:
            raise InputError(f"shrink factor {factor:g}: give one between 0 and 1, such as 0.5")


def _exact(factor: float) -> Fraction:
    return Fraction(factor).limit_denominator(10_000)
