"""A slice drawn small: its resolutions in the order of the data, each as high as it is wide in channels."""

from collections.abc import Sequence

from mfagan.mobilestylegan.network.layers.geometry import resolutions
from mfagan.mobilestylegan.study.scoring.choices import choice_name
from search.description import Box, Drawing

__all__ = ["choice_titles", "draw_network"]

_HEIGHT, _BOX, _GAP = 100.0, 24.0, 10.0
"""Height of the widest layer, widths of a layer's box and of the gap between two: the unit of length is any."""


def choice_titles(n_resolutions: int) -> dict[str, str]:
    """What people read instead of the names of the choices.

    Args:
        n_resolutions: How many resolutions a student has.
    """
    return {choice_name(side): f"Width at {side} px" for side in resolutions(n_resolutions)}


def draw_network(channels: Sequence[int], full: Sequence[int]) -> Drawing:
    """Draw a slice.

    Args:
        channels: Its widths at each resolution.
        full: Those of the weight-shared student.

    Returns:
        A box for each resolution, named by its choice's title, with its side below, and one for the image.
    """
    scale = _HEIGHT / max(full)
    titles = list(choice_titles(len(full)).values())
    layers = [
        Box(title, str(width), i * (_BOX + _GAP), (_HEIGHT - scale * width) / 2, _BOX, scale * width)
        for i, (title, width) in enumerate(zip(titles, channels, strict=True))
    ]
    end = len(layers) * (_BOX + _GAP)
    image = Box("Image", "RGB", end, (_HEIGHT - _BOX) / 2, _BOX, _BOX)
    captions = [
        Box("", f"{side} px", i * (_BOX + _GAP) - _GAP / 2, _HEIGHT + _GAP, _BOX + _GAP, 0.0)
        for i, side in enumerate([*resolutions(len(full)), 4 << len(full)])
    ]
    return Drawing([*layers, image, *captions], [(i, i + 1) for i in range(len(layers))])
