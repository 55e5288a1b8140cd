"""Reading pictures of two domains: ahead, at one size, in memory or on disk."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from mfagan.data.array_cache import ArrayCache, fingerprint
from mfagan.data.images import from_uint8, read_levels, read_size
from mfagan.data.many import read_in_turn
from mfagan.data.translation.folders import TranslationFile, TranslationPart
from mfagan.errors import InputError
from mfagan.progress import ProgressFactory, no_progress

__all__ = [
    "TrainingPictures",
    "WholePictures",
    "read_domain",
    "read_tests",
    "read_training",
    "require_even",
    "require_same_size",
    "to_signed",
]

RAM_LIMIT_BYTES = 2**30
"""Pictures of more 8-bit levels than this together are kept on disk instead of in memory."""


@dataclass(frozen=True)
class TrainingPictures:
    """Pictures to learn from, uint8 (3, H, W) RGB each; with `paired`, `a[i]` belongs to `b[i]`."""

    a: Sequence[np.ndarray]
    b: Sequence[np.ndarray]
    paired: bool


@dataclass(frozen=True)
class WholePictures:
    """Pictures to evaluate with, float32 (N, 3, side, side) RGB in [-1, 1], and the names of their files.

    With `paired`, `a[i]` belongs to `b[i]`.
    """

    names_a: tuple[str, ...]
    names_b: tuple[str, ...]
    a: Tensor
    b: Tensor
    paired: bool


def read_training(
    part: TranslationPart,
    load_px: int,
    cache: str | Path | None = None,
    bars: ProgressFactory = no_progress,
    ram_limit_bytes: int = RAM_LIMIT_BYTES,
) -> TrainingPictures:
    """Read the pictures of a part as squares, as the public CycleGAN and pix2pix code does before it crops.

    Args:
        part: the files.
        load_px: side of the squares in px; 286 in the published trainings.
        cache: folder for pictures that take more than `ram_limit_bytes` together; None for the default.
        bars: makes the progress bars.
        ram_limit_bytes: what is held in memory at most.

    Returns:
        The pictures of both domains, (3, load_px, load_px) each.

    Raises:
        InputError: as `read_domain`; pairs of two sizes.
    """
    _require_pairs(part, bars)
    files = (*part.a, *part.b)
    size_bytes = len(files) * 3 * load_px**2
    store = None
    if size_bytes > ram_limit_bytes:
        store = ArrayCache(cache)
        store.require_room(size_bytes)
    levels = read_domain(files, load_px, bars, store)
    return TrainingPictures(levels[: len(part.a)], levels[len(part.a) :], part.paired)


def read_tests(
    part: TranslationPart,
    side_px: int,
    max_images: int | None = None,
    bars: ProgressFactory = no_progress,
) -> WholePictures:
    """Read whole pictures of a part at the size at which they are translated, as the public code's test does.

    Args:
        part: the files.
        side_px: side of the pictures in px; 256 in the published tests.
        max_images: keep this many of each domain, in natural order; None keeps all.
        bars: makes the progress bars.

    Returns:
        The pictures of both domains.

    Raises:
        InputError: as `read_training`; `max_images` under 1.
    """
    if max_images is not None and max_images < 1:
        raise InputError(f"max_images is {max_images}: at least 1 image is needed; leave it out to use all")
    part = replace(part, a=part.a[:max_images], b=part.b[:max_images])
    _require_pairs(part, bars)
    a, b = (
        to_signed(torch.from_numpy(np.stack(read_domain(files, side_px, bars)))) for files in (part.a, part.b)
    )
    names_a, names_b = (tuple(one.name for one in files) for files in (part.a, part.b))
    return WholePictures(names_a, names_b, a, b, part.paired)


def read_domain(
    files: Sequence[TranslationFile],
    side_px: int,
    bars: ProgressFactory = no_progress,
    store: ArrayCache | None = None,
) -> list[np.ndarray]:
    """Read pictures as squares; what is not square is stretched, as in the public code.

    Resized by Pillow's bicubic on 8-bit levels, as there too (Keys' cubic with a = -0.5, widened when shrinking).

    Args:
        files: whole files, or halves of files.
        side_px: side of the squares in px.
        bars: makes the progress bar.
        store: where the squares are kept between runs; None to hold them in memory.

    Returns:
        uint8 (3, side_px, side_px) each, RGB.

    Raises:
        InputError: as `read_image` and `ArrayCache`; half a picture of an odd width; a side under 1 px.
    """
    if side_px < 1:
        raise InputError(f"pictures are read at {side_px} px: give at least 1")
    jobs = [(one.name, partial(_read_square, one, side_px, store)) for one in files]
    return read_in_turn("reading images", jobs, bars)


def require_even(path: Path, width: int) -> None:
    """Check that a picture has two halves.

    Args:
        path: the file, to name it.
        width: its width in px.

    Raises:
        InputError: an odd width.
    """
    if width % 2:
        raise InputError(
            f"image {path} is {width} px wide: A and B side by side have an even width; cut or replace it"
        )


def require_same_size(a: Path, size_a: tuple[int, int], b: Path, size_b: tuple[int, int]) -> None:
    """Check that two pictures can be a pair.

    Args:
        a: one file, to name it.
        size_a: its (height, width) in px.
        b: the other file.
        size_b: its (height, width) in px.

    Raises:
        InputError: the sizes differ.
    """
    if size_a != size_b:
        raise InputError(
            f"{a} is {size_a[1]}x{size_a[0]} px and its partner {b} is {size_b[1]}x{size_b[0]} px: "
            "give pairs of one size"
        )


def to_signed(levels: Tensor) -> Tensor:
    """8-bit levels in the range that translators take.

    Args:
        levels: any shape, uint8 in [0, 255].

    Returns:
        float32 in [-1, 1], of the same shape.
    """
    return from_uint8(levels) * 2 - 1


def _require_pairs(part: TranslationPart, bars: ProgressFactory) -> None:
    """Look at the headers of pairs first: decoding thousands of pictures takes minutes."""
    if part.paired:
        jobs = [(a.name, partial(_require_pair, a, b)) for a, b in zip(part.a, part.b, strict=True)]
        read_in_turn("reading headers", jobs, bars)


def _require_pair(a: TranslationFile, b: TranslationFile) -> None:
    size = read_size(a.path)
    if a.half is not None:
        require_even(a.path, size[1])
    else:
        require_same_size(a.path, size, b.path, read_size(b.path))


def _read_square(file: TranslationFile, side_px: int, store: ArrayCache | None) -> np.ndarray:
    key = f"translation 1 {file.half} {side_px} {fingerprint(file.path)}"
    found = None if store is None else store.load(key)
    if found is not None:
        return found
    levels = read_levels(file.path)
    width = levels.shape[2]
    if file.half is not None:
        require_even(file.path, width)
        levels = levels[..., : width // 2] if file.half == "left" else levels[..., width // 2 :]
    levels = _resize(levels, side_px)
    return levels if store is None else store.save(key, levels)


def _resize(levels: np.ndarray, side_px: int) -> np.ndarray:
    """uint8 (3, H, W) -> (3, side, side)."""
    if levels.shape[1:] == (side_px, side_px):
        return np.ascontiguousarray(levels)
    picture = Image.fromarray(np.ascontiguousarray(levels.transpose(1, 2, 0)))
    resized = picture.resize((side_px, side_px), Image.Resampling.BICUBIC)
    return np.ascontiguousarray(np.asarray(resized).transpose(2, 0, 1))
