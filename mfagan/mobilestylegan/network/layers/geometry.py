"""The numbers that follow from the size of the image: resolutions, channels, rows of W+ and noise maps.

A StyleGAN2 for images of `size` pixels has a feature map at each of the resolutions 4, 8, ..., size; its student has
all but the last.
"""

from collections.abc import Sequence
from typing import Literal

from mfagan.errors import InputError

__all__ = [
    "BANDS",
    "MAX_SIZE_PX",
    "MIN_SIZE_PX",
    "Config",
    "count_rows",
    "noise_sides",
    "require_channels",
    "require_size",
    "resolutions",
    "standard_channels",
]

MIN_SIZE_PX = 16
MAX_SIZE_PX = 1024
BANDS = 4
"""Bands of a two-dimensional wavelet transform: LL, LH, HL, HH."""

Config = Literal["E", "F"]
"""The published StyleGAN2 networks: F has twice E's channels at high resolutions."""

_CONFIG_CHANNELS: dict[Config, int] = {"E": 16384, "F": 32768}
_MAX_CHANNELS = 512
_FIRST_SIDE_PX = 4


def require_size(size: object) -> int:
    """Check the size of a generator's images.

    Args:
        size: side of the image in px, of any type.

    Returns:
        The same size.

    Raises:
        InputError: it is not a power of two from 16 to 1024.
    """
    if type(size) is not int or not MIN_SIZE_PX <= size <= MAX_SIZE_PX or size.bit_count() != 1:
        raise InputError(f"size {size!r}: give a power of two from {MIN_SIZE_PX} to {MAX_SIZE_PX} (px)")
    return size


def resolutions(count: int) -> tuple[int, ...]:
    """The sides of feature maps in px, smallest first: 4, 8, 16, ...

    Args:
        count: how many.
    """
    return tuple(_FIRST_SIDE_PX << i for i in range(count))


def standard_channels(size: int, config: Config = "F") -> tuple[int, ...]:
    """The channels of StyleGAN2 at each resolution (Karras et al. 2020, tables 1 and 3).

    Args:
        size: side of the image in px.
        config: "F" has min(32768 / resolution, 512) channels, "E" min(16384 / resolution, 512).

    Returns:
        Channels at 4, 8, ..., size px.

    Raises:
        InputError: another size or config.
    """
    if config not in _CONFIG_CHANNELS:
        raise InputError(f"config {config!r}: give {' or '.join(_CONFIG_CHANNELS)}")
    sides = resolutions(require_size(size).bit_length() - 2)
    return tuple(min(_CONFIG_CHANNELS[config] // side, _MAX_CHANNELS) for side in sides)


def count_rows(size: int) -> int:
    """Rows of the W+ of a generator: 2 log2(size) - 2, of which the first convolution reads row 0.

    Args:
        size: side of the image in px.
    """
    return 2 * (size.bit_length() - 1) - 2


def noise_sides(n_resolutions: int) -> tuple[int, ...]:
    """The sides of a generator's noise maps in px, in the order they are read: 4, 8, 8, 16, 16, ...

    Args:
        n_resolutions: how many resolutions its feature maps have.
    """
    first, *others = resolutions(n_resolutions)
    return (first, *(side for side in others for _ in range(2)))


def require_channels(channels: Sequence[int], owner: str, multiple: int = 1) -> tuple[int, ...]:
    """Check the channels of a network at each resolution.

    Args:
        channels: one number for each resolution, that of 4 px first.
        owner: the network, to name it.
        multiple: what each number must be divisible by.

    Returns:
        The same numbers as a tuple.

    Raises:
        InputError: a number is not a positive multiple.
    """
    for width in channels:
        if type(width) is not int or width < 1 or width % multiple:
            what = "positive whole numbers" if multiple == 1 else f"multiples of {multiple}"
            raise InputError(
                f"{owner}: channels {', '.join(map(str, channels))}; give {what} ({width!r} is not one)"
            )
    return tuple(channels)
