"""Which widths a slice of a weight-shared student may have at each resolution."""

from collections.abc import Sequence

from mfagan.errors import InputError
from mfagan.mobilestylegan.network.layers.geometry import BANDS

__all__ = ["narrowest_slice", "read_channels", "width_options"]

_QUARTERS = (4, 3, 2)
"""Widths of slices in quarters of the full width."""


def width_options(full: int) -> tuple[int, ...]:
    """The widths of a slice at one resolution: all, 3/4 and 1/2 of the full width, in whole groups of 4 channels.

    Args:
        full: the full width in channels, a multiple of 4.

    Returns:
        Widths in channels, the full one first, each once.
    """
    widths = (full * quarters // 4 // BANDS * BANDS for quarters in _QUARTERS)
    return tuple(dict.fromkeys(max(width, BANDS) for width in widths))


def narrowest_slice(channels: Sequence[int]) -> tuple[int, ...]:
    """The slice with the fewest channels.

    Args:
        channels: of the full student at each resolution.

    Returns:
        Channels at each resolution.
    """
    return tuple(width_options(full)[-1] for full in channels)


def read_channels(text: str) -> tuple[int, ...]:
    """Read the channels of a slice.

    Args:
        text: numbers joined by commas.

    Returns:
        The numbers.

    Raises:
        InputError: anything else.
    """
    try:
        return tuple(int(part) for part in text.split(","))
    except ValueError:
        raise InputError(
            f"channels {text!r:.60}: give one number for each resolution, joined by commas, such as 64,48,64"
        ) from None
