"""Pictures as tensors: reading, writing, luma, and MATLAB's bicubic.

Everywhere in mfagan an image is a torch float32 tensor (3, H, W), RGB in [0, 1].
"""

import contextlib
import io
import math
from collections.abc import Iterator
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO

import numpy as np
import torch
from PIL import ExifTags, Image, ImageOps, UnidentifiedImageError
from torch import Tensor

from mfagan.errors import InputError
from mfagan.files import write_atomic

__all__ = [
    "MIN_SIDE_PX",
    "SSIM_WINDOW_PX",
    "crop_to_multiple",
    "from_uint8",
    "luma",
    "make_lr",
    "read_image",
    "read_levels",
    "read_size",
    "resize_bicubic",
    "scored_side_px",
    "to_uint8",
    "write_image",
]

MIN_SIDE_PX = 16
"""Smallest side of a picture that is read, in px."""
SSIM_WINDOW_PX = 11
"""Side of SSIM's window, in px (Wang et al. 2004)."""
_BAND_PX = 64
_GREY_16_BIT_MODES = ("I;16", "I;16L", "I;16B", "I;16N")
_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_PNG_TEXT_CHUNKS = (b"tEXt", b"zTXt", b"iTXt", b"iCCP")
_PNG_XMP = b"XML:com.adobe.xmp\0\0"
_XMP_LIMIT_BYTES = 2**20


def scored_side_px(scale: int) -> int:
    """The smallest side of an HR image that can be scored.

    Inside the shaved borders SSIM's window must fit.

    Args:
        scale: enlargement, which is also the width of each shaved border in px.

    Returns:
        The side in px: 19 at scale 4.
    """
    return SSIM_WINDOW_PX + 2 * scale


def read_image(path: str | Path, min_side_px: int = MIN_SIDE_PX) -> Tensor:
    """Read a picture as a tensor.

    Args:
        path: the picture's file, of any format Pillow knows.
        min_side_px: smallest side in px that is accepted.

    Returns:
        float32 (3, H, W), RGB in [0, 1], values k/255.

    Raises:
        InputError: as `read_levels`.
    """
    return from_uint8(torch.from_numpy(read_levels(path, min_side_px)))


def read_levels(path: str | Path, min_side_px: int = MIN_SIDE_PX) -> np.ndarray:
    """Reads a picture of any format Pillow knows as uint8 (3, H, W), RGB.

    EXIF orientation is applied; palettes and grey become RGB, an alpha channel is dropped, 16-bit grey
    is reduced to its high byte. Text and colour profiles are not read, however long. Of several frames the
    first is read.

    Args:
        path: the picture's file.
        min_side_px: smallest side in px that is accepted.

    Returns:
        The pixels, 0 to 255, contiguous.

    Raises:
        InputError: missing, unreadable, truncated, pixels whose range is not known (32-bit integers,
            floating point), or a side under `min_side_px`.
    """
    path = Path(path)
    with _readable(path), _open(path) as opened:
        pixels = _rgb8(ImageOps.exif_transpose(opened), opened.format)
    height, width, _ = pixels.shape
    if min(height, width) < min_side_px:
        raise InputError(
            f"image {path} is {width}x{height} px; at least {min_side_px} px a side are needed: "
            "replace or remove the file"
        )
    return np.ascontiguousarray(pixels.transpose(2, 0, 1))


def read_size(path: str | Path) -> tuple[int, int]:
    """The size of a picture by its header alone, with its EXIF orientation applied.

    Args:
        path: the picture's file.

    Returns:
        (height, width) in px.

    Raises:
        InputError: no such file, or not a picture.
    """
    path = Path(path)
    with _readable(path), _open(path) as opened:
        width, height = opened.size
        # Pillow turns the size of a TIFF itself, and decodes a whole PNG to look for EXIF data behind the pixels.
        if opened.format != "TIFF" and (opened.format != "PNG" or "exif" in opened.info):
            turned = opened.getexif().get(ExifTags.Base.Orientation, 1) in (5, 6, 7, 8)
            return (width, height) if turned else (height, width)
        return height, width


@contextlib.contextmanager
def _open(path: Path) -> Iterator[Image.Image]:
    """A PNG is opened without its text and colour profile: Pillow refuses the whole picture where these are long."""
    with contextlib.ExitStack() as stack:
        file: BinaryIO = stack.enter_context(path.open("rb"))
        if file.read(len(_PNG_SIGNATURE)) == _PNG_SIGNATURE:
            file = io.BytesIO(_PNG_SIGNATURE + b"".join(_pixel_chunks(file)))
        file.seek(0)
        yield stack.enter_context(Image.open(file))


def _pixel_chunks(file: BinaryIO) -> Iterator[bytes]:
    """What follows a PNG's signature, without text and profile (XMP is kept: it may hold the orientation)."""
    while head := file.read(8):
        length, kind = int.from_bytes(head[:4], "big"), head[4:]
        body = file.read(length + 4)
        orientation = kind == b"iTXt" and length <= _XMP_LIMIT_BYTES and body.startswith(_PNG_XMP)
        if kind not in _PNG_TEXT_CHUNKS or orientation:
            yield head + body


@contextlib.contextmanager
def _readable(path: Path) -> Iterator[None]:
    try:
        yield
    except UnidentifiedImageError as error:
        raise _unreadable(path, "it is not a picture Pillow knows") from error
    # Pillow's decoders report damage with many types (OSError, SyntaxError, struct.error, EOFError, ...).
    except Exception as error:
        reason = getattr(error, "strerror", None) or " ".join(str(error).split()) or type(error).__name__
        raise _unreadable(path, reason) from error


def write_image(path: str | Path, image: Tensor) -> None:
    """Write a picture as PNG, whatever the suffix, whole or not at all.

    Args:
        path: the file to write.
        image: (3, H, W), RGB in [0, 1]; clamped and rounded to 8 bits.

    Raises:
        InputError: it cannot be written.
    """
    pixels = to_uint8(image).permute(1, 2, 0).contiguous().cpu().numpy()
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, format="PNG")
    write_atomic(path, buffer.getvalue())


def to_uint8(image: Tensor) -> Tensor:
    """Round to 8 bits: clamped, and rounded half up as MATLAB does.

    Args:
        image: any shape, values in [0, 1].

    Returns:
        uint8 in [0, 255], of the same shape.
    """
    return (image.detach() * 255 + 0.5).floor().clamp(0, 255).to(torch.uint8)


def from_uint8(pixels: Tensor) -> Tensor:
    """8-bit levels as floating point.

    Args:
        pixels: any shape, uint8 in [0, 255].

    Returns:
        float32 in [0, 1], values k/255.
    """
    return pixels.to(torch.float32) / 255


def luma(image: Tensor) -> Tensor:
    """The Y channel of BT.601 in studio range, MATLAB's rgb2ycbcr without its rounding.

    Y = 16 + 65.481 R + 128.553 G + 24.966 B.

    Args:
        image: (..., 3, H, W), RGB in [0, 1].

    Returns:
        (..., H, W) in [16, 235], in the input's dtype.
    """
    red, green, blue = image.unbind(-3)
    return 16 + 65.481 * red + 128.553 * green + 24.966 * blue


def resize_bicubic(
    image: Tensor, scale: Fraction | float | None = None, size: tuple[int, int] | None = None
) -> Tensor:
    """Resize as MATLAB's imresize(image, ..., "bicubic") does on doubles.

    Keys' cubic with a = -0.5, widened by 1/scale when shrinking, borders mirrored with the edge pixel repeated.
    Computed in float64; differentiable.

    Args:
        image: (..., H, W).
        scale: factor; the new sides are ceil(scale H) and ceil(scale W). Give this or `size`.
        size: new (height, width) in px.

    Returns:
        (..., H', W') in the input's dtype, not clamped.

    Raises:
        ValueError: unless exactly one of `scale` and `size` is given and it is positive.
    """
    height, width = image.shape[-2:]
    if (scale is None) == (size is None):
        raise ValueError("give either scale or size")
    if scale is not None:
        # A float such as 1/3 means the fraction: without this ceil(1/3 * 6) could be 3.
        step = Fraction(scale).limit_denominator(10_000)
        rows, columns = (height, math.ceil(height * step), step), (width, math.ceil(width * step), step)
    else:
        assert size is not None
        rows = (height, size[0], Fraction(size[0], height))
        columns = (width, size[1], Fraction(size[1], width))
    if min(rows[1:]) <= 0 or min(columns[1:]) <= 0:
        raise ValueError(f"scale {scale} or size {size} is not positive")
    device, levels = image.device, image.double()
    levels = torch.cat([w.to(device) @ levels[..., used, :] for used, w in _bicubic_bands(*rows)], -2)
    levels = torch.cat([levels[..., used] @ w.to(device).T for used, w in _bicubic_bands(*columns)], -1)
    return levels.to(image.dtype)


def make_lr(hr: Tensor, scale: int = 4) -> Tensor:
    """Make the LR image of an HR image: MATLAB's bicubic, rounded to 8 bits once at the end.

    At scale 2 and 4 every weight is a binary fraction, so the result is exact and the same on every machine.

    Args:
        hr: (..., 3, H, W), an 8-bit picture as `read_image` returns it; its sides are multiples of `scale`.
        scale: 2, 3 or 4.

    Returns:
        (..., 3, H/scale, W/scale), values k/255.

    Raises:
        ValueError: a side that is not a multiple of `scale` (see `crop_to_multiple`).
    """
    height, width = hr.shape[-2:]
    if height % scale or width % scale:
        raise ValueError(f"HR is {width}x{height} px, not a multiple of {scale}: crop_to_multiple first")
    levels = resize_bicubic(to_uint8(hr).double(), Fraction(1, scale))
    return from_uint8((levels + 0.5).floor().clamp(0, 255).to(torch.uint8))


def crop_to_multiple(image: Tensor, scale: int) -> Tensor:
    """Drop the last H % scale rows and W % scale columns (the field's mod-crop).

    Args:
        image: (..., H, W).
        scale: what the sides shall be multiples of.

    Returns:
        A view of the image.
    """
    height, width = image.shape[-2:]
    return image[..., : height - height % scale, : width - width % scale]


def _unreadable(path: Path, reason: str) -> InputError:
    return InputError(f"cannot read image {path}: {reason}; give a whole, readable image file")


def _rgb8(image: Image.Image, format: str | None) -> np.ndarray:
    """(H, W, 3) uint8."""
    if image.mode == "F":
        raise ValueError("floating-point pixels have no agreed range (save it with 8 or 16 bits)")
    if image.mode == "I" and format != "PPM":  # Pillow scales a PGM of over 8 bits to 16 bits
        raise ValueError("32-bit integer pixels have no agreed range (save it with 8 or 16 bits)")
    if image.mode in (*_GREY_16_BIT_MODES, "I"):
        # Pillow's own conversion clips at 255 instead of scaling, and would give a white picture.
        grey = (np.asarray(image).astype(np.int64) >> 8).clip(0, 255).astype(np.uint8)
        return np.repeat(grey[:, :, None], 3, axis=2)
    if "transparency" in image.info:
        image = image.convert("RGBA")
    return np.array(image.convert("RGB"))


@lru_cache(maxsize=16)
def _bicubic_bands(length: int, out_length: int, scale: Fraction) -> list[tuple[slice, Tensor]]:
    """The weights cut into bands of output pixels, each with the slice of input pixels it looks at.

    Almost all of the weights are zeros: a large photograph is resized three times as fast without them.
    """
    weights = _bicubic_weights(length, out_length, scale)
    bands = []
    for band in weights.split(_BAND_PX):
        used = band.any(dim=0).nonzero()
        pixels = slice(int(used[0]), int(used[-1]) + 1)
        bands.append((pixels, band[:, pixels].contiguous()))
    return bands


def _bicubic_weights(length: int, out_length: int, scale: Fraction) -> Tensor:
    """(out_length, length) float64: row i holds what each input pixel gives to output pixel i."""
    stretch = min(float(scale), 1.0)
    reach = 2 / stretch
    centre = (np.arange(out_length) + 0.5) / float(scale) - 0.5
    first = np.floor(centre - reach).astype(np.int64)
    taps = first[:, None] + np.arange(math.ceil(2 * reach) + 2)
    weights = _keys_cubic(stretch * (centre[:, None] - taps))
    weights /= weights.sum(axis=1, keepdims=True)
    mirrored = taps % (2 * length)
    mirrored = np.minimum(mirrored, 2 * length - 1 - mirrored)
    matrix = np.zeros((out_length, length))
    np.add.at(matrix, (np.arange(out_length)[:, None], mirrored), weights)
    return torch.from_numpy(matrix)


def _keys_cubic(x: np.ndarray) -> np.ndarray:
    """Keys' cubic convolution kernel (1981), a = -0.5; zero from |x| = 2 on."""
    x = np.abs(x)
    near = (1.5 * x - 2.5) * x**2 + 1
    far = ((-0.5 * x + 2.5) * x - 4) * x + 2
    return np.where(x <= 1, near, np.where(x < 2, far, 0.0))
