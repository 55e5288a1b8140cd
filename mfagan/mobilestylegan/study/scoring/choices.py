"""The choices of a search: the width of a weight-shared student at each resolution."""

from collections.abc import Sequence

from mfagan.errors import InputError
from mfagan.mobilestylegan.network.layers.geometry import resolutions
from mfagan.mobilestylegan.network.student.widths import width_options
from search.problem import Choice

__all__ = ["Channels", "as_choice", "choice_name", "choose_from", "read_choice", "uniform_slices"]

Channels = tuple[int, ...]
"""The channels of a slice at 4, 8, ... px."""


def choice_name(side: int) -> str:
    """The name of the choice of a resolution, such as `c8`.

    Args:
        side: Side of its feature map in px.
    """
    return f"c{side}"


def choose_from(full: Sequence[int]) -> dict[str, Channels]:
    """The options of each choice by its name: all, 3/4 and 1/2 of the full width.

    Args:
        full: Channels of the weight-shared student at each resolution.
    """
    sides = resolutions(len(full))
    return {choice_name(side): width_options(width) for side, width in zip(sides, full, strict=True)}


def as_choice(channels: Sequence[int]) -> Choice:
    """A slice as a choice.

    Args:
        channels: At each resolution.
    """
    return {
        choice_name(side): width for side, width in zip(resolutions(len(channels)), channels, strict=True)
    }


def read_choice(choice: Choice, full: Sequence[int]) -> Channels:
    """The slice that a choice describes.

    Args:
        choice: A width for each resolution.
        full: Channels of the weight-shared student at each resolution.

    Raises:
        InputError: A width is missing, unknown, or not among the options.
    """
    options = choose_from(full)
    if set(choice) != set(options):
        raise InputError(f"choice of {', '.join(choice)}: give a width for each of {', '.join(options)}")
    for name, widths in options.items():
        if choice[name] not in widths:
            raise InputError(f"{name} is {choice[name]!r}: give one of {', '.join(map(str, widths))}")
    return tuple(int(choice[name]) for name in options)


def uniform_slices(full: Sequence[int]) -> list[Channels]:
    """The slices that have the same part of the full width at all resolutions, the full one first, each once.

    Args:
        full: Channels of the weight-shared student at each resolution.
    """
    options = [width_options(width) for width in full]
    n_parts = max(map(len, options))
    return list(
        dict.fromkeys(tuple(one[min(part, len(one) - 1)] for one in options) for part in range(n_parts))
    )
