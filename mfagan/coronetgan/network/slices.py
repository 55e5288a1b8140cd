"""Slices of a weight-shared translator: the first channels of each latent, at widths that are tied in a few choices."""

from collections.abc import Mapping
from itertools import pairwise

import torch

from mfagan.coronetgan.network.resnet import ResnetTranslator
from mfagan.coronetgan.network.selection import select
from mfagan.coronetgan.network.translator import Translator
from mfagan.errors import InputError

__all__ = ["SHARES", "extract", "narrowest", "prefix_gates", "read_widths", "tied_latents", "width_options"]

SHARES = (1.0, 0.75, 0.5)
"""The widths to choose from, as shares of the full one."""
_INNER_GROUPS = 3


def tied_latents(translator: Translator) -> dict[str, tuple[str, ...]]:
    """The choices of widths, and the latents whose widths each of them gives.

    Of a ResNet: a, b, res, the blocks' inner widths in up to three groups, u1, u2. Of a U-Net: one a level.

    Args:
        translator: Its form is what matters.

    Returns:
        Name of a choice -> latents, all of one full width.
    """
    latents = list(translator.widths)
    if not isinstance(translator, ResnetTranslator):
        levels = [name for name in latents if name.startswith("down")]
        ups = [name for name in latents if name.startswith("up")]
        return {
            f"level{name.removeprefix('down')}": (name, *(one for one in ups if one[2:] == name[4:]))
            for name in levels
        }
    inner = [name for name in latents if name.startswith("inner")]
    count = min(_INNER_GROUPS, len(inner))
    bounds = [len(inner) * number // count for number in range(count + 1)] if count else [0]
    groups = {
        f"inner{number}": tuple(inner[first:last]) for number, (first, last) in enumerate(pairwise(bounds), 1)
    }
    around = {"a": ("stem",), "b": ("down",), "res": ("res",)}
    return {**around, **groups, "u1": ("up1",), "u2": ("up2",)}


def width_options(full: int) -> tuple[int, ...]:
    """The widths to choose from, from the full one down.

    Args:
        full: A width.
    """
    return tuple(dict.fromkeys(max(1, round(share * full)) for share in SHARES))


def narrowest(translator: Translator) -> dict[str, int]:
    """The least width of every latent.

    Args:
        translator: The full network.
    """
    return {name: width_options(full)[-1] for name, full in translator.widths.items()}


def extract(translator: Translator, widths: Mapping[str, int]) -> Translator:
    """A slice as a network of its own, with the first channels of each latent.

    Args:
        translator: The weight-shared network.
        widths: Channels of each latent.

    Raises:
        InputError: A latent that the network lacks, or more channels than it has.
    """
    for name, width in widths.items():
        full = translator.widths.get(name)
        if full is None or not 1 <= width <= full:
            raise InputError(
                f"slice of {translator.KIND}: {name} is {width}; give 1 to {full} channels"
                if full
                else f"slice of {translator.KIND}: no latent {name!r}; it has {', '.join(translator.widths)}"
            )
    return select(translator, {name: torch.arange(width) for name, width in widths.items()})


def prefix_gates(
    full: Mapping[str, int], widths: Mapping[str, int], device: torch.device
) -> dict[str, torch.Tensor]:
    """Gates that leave the first channels of each latent, for training slices in one network.

    Args:
        full: Channels of each latent of the network.
        widths: Channels that are left; those of latents that it lacks stay.
        device: Where the gates are needed.
    """
    return {
        name: (torch.arange(full[name], device=device) < width).float()
        for name, width in widths.items()
        if width < full[name]
    }


def read_widths(translator: Translator, chosen: Mapping[str, int]) -> dict[str, int]:
    """The widths of all latents from the choices, in the order that the network has them.

    Args:
        translator: The full network.
        chosen: Name of a choice, as in `tied_latents` -> channels.
    """
    of_latent = {latent: chosen[name] for name, tied in tied_latents(translator).items() for latent in tied}
    return {latent: of_latent[latent] for latent in translator.widths}
