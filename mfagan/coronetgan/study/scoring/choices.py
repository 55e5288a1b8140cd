"""The choices of a search: the widths of a weight-shared translator, tied as in `network.slices`."""

from collections.abc import Iterable, Mapping, Sequence

from mfagan.coronetgan.network.slices import tied_latents, width_options
from mfagan.coronetgan.network.translator import Translator
from mfagan.errors import InputError
from search.problem import Choice, Value

__all__ = [
    "Options",
    "Widths",
    "as_choice",
    "choose_from",
    "full_widths",
    "read_choice",
    "read_options",
    "uniform_slices",
]

Widths = tuple[int, ...]
"""The widths of a slice in channels, one for each choice, in the order of the choices."""
Options = Mapping[str, tuple[int, ...]]
"""Name of a choice -> its widths, the full one first."""


def choose_from(translator: Translator) -> dict[str, tuple[int, ...]]:
    """The options of each choice by its name: all, 3/4 and 1/2 of the full width.

    Args:
        translator: The weight-shared network.
    """
    return {
        name: width_options(translator.widths[latents[0]])
        for name, latents in tied_latents(translator).items()
    }


def read_options(choices: Mapping[str, Sequence[Value]]) -> dict[str, tuple[int, ...]]:
    """The options that a study records.

    Args:
        choices: The study's.
    """
    return {name: tuple(map(int, options)) for name, options in choices.items()}


def full_widths(options: Options) -> Widths:
    """The full widths.

    Args:
        options: Of each choice.
    """
    return tuple(one[0] for one in options.values())


def as_choice(widths: Sequence[int], names: Iterable[str]) -> Choice:
    """A slice as a choice.

    Args:
        widths: Its widths.
        names: Those of the choices.
    """
    return dict(zip(names, widths, strict=True))


def read_choice(choice: Choice, options: Options) -> Widths:
    """The slice that a choice describes.

    Args:
        choice: A width for each name.
        options: Of each choice.

    Raises:
        InputError: A width is missing, unknown, or not among the options.
    """
    if set(choice) != set(options):
        raise InputError(f"choice of {', '.join(choice)}: give a width for each of {', '.join(options)}")
    for name, widths in options.items():
        if choice[name] not in widths:
            raise InputError(f"{name} is {choice[name]!r}: give one of {', '.join(map(str, widths))}")
    return tuple(int(choice[name]) for name in options)


def uniform_slices(options: Options) -> list[Widths]:
    """The slices that have the same part of every full width, the full one first, each once.

    Args:
        options: Of each choice.
    """
    n_parts = max(map(len, options.values()))
    return list(
        dict.fromkeys(
            tuple(one[min(part, len(one) - 1)] for one in options.values()) for part in range(n_parts)
        )
    )
