"""Real pictures at the size of an exported file: what it is compared with PyTorch and calibrated on."""

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from mfagan.coronetgan.network.translator import Translator
from mfagan.data.embedded import EMBEDDED_HELD_OUT, EMBEDDED_TRAIN, embedded_set
from mfagan.data.image_sets import list_images
from mfagan.data.images import read_image, resize_bicubic
from mfagan.enlarging.model import GREY_WEIGHTS
from mfagan.errors import InputError

__all__ = ["MAX_PICTURES", "fit_picture", "read_calibration", "read_compared"]

MAX_PICTURES = 16
"""Pictures of a folder that int8 is calibrated on."""


def read_compared(image: Path | None, translator: Translator, size: tuple[int, int]) -> list[Tensor]:
    """The pictures on which a file is compared with PyTorch.

    Args:
        image: A picture, or None for the embedded photographs that int8 is not calibrated on.
        translator: The network that reads them.
        size: (height, width) of the file's pictures in px.

    Returns:
        Pictures (C, height, width) in [-1, 1].

    Raises:
        InputError: As `read_image` and `fit_picture`; scikit-image, which brings the photographs, is not installed.
    """
    paths = list(embedded_set("validation", EMBEDDED_HELD_OUT).hr.values()) if image is None else [image]
    return _read(paths, translator, size)


def read_calibration(folder: Path | None, translator: Translator, size: tuple[int, int]) -> list[Tensor]:
    """The pictures that tell the ranges of int8.

    Args:
        folder: Pictures of the domain that the network reads, or None for six embedded photographs.
        translator: As in `read_compared`.
        size: As in `read_compared`.

    Returns:
        At most `MAX_PICTURES` pictures (C, height, width) in [-1, 1].

    Raises:
        InputError: As `read_compared`; the folder holds no pictures.
    """
    named = embedded_set("training", EMBEDDED_TRAIN).hr if folder is None else list_images(folder)
    if not named:
        raise InputError(f"calibration {folder}: it holds no pictures; give a folder of the domain it reads")
    return _read(list(named.values())[:MAX_PICTURES], translator, size)


def fit_picture(picture: Tensor, translator: Translator, size: tuple[int, int]) -> Tensor:
    """A picture as a file reads it: resized until it covers the size, and its middle cut out.

    Args:
        picture: (3, H, W), RGB in [0, 1].
        translator: The network that reads it; one of one channel reads its luma.
        size: (height, width) in px.

    Returns:
        (C, height, width) in [-1, 1].

    Raises:
        InputError: The network reads neither RGB nor grey.
    """
    height, width = size
    scale = max(height / picture.shape[1], width / picture.shape[2])
    covering = tuple(
        max(side, round(scale * have)) for side, have in zip(size, picture.shape[1:], strict=True)
    )
    resized = resize_bicubic(picture, size=(covering[0], covering[1])).clamp(0, 1)
    top, left = (covering[0] - height) // 2, (covering[1] - width) // 2
    found = 2 * resized[:, top : top + height, left : left + width] - 1
    if translator.in_channels == 3:
        return found.contiguous()
    if translator.in_channels == 1:
        return torch.einsum("chw,c->hw", found, found.new_tensor(GREY_WEIGHTS))[None]
    raise InputError(
        f"{translator.KIND}: it reads {translator.in_channels} channels; files are checked on pictures of 1 or 3"
    )


def _read(paths: Sequence[Path], translator: Translator, size: tuple[int, int]) -> list[Tensor]:
    return [fit_picture(read_image(path), translator, size) for path in paths]
