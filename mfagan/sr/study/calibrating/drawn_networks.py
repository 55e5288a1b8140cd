"""SubGenerators drawn at random, to try a latency table on."""

import random
from collections.abc import Sequence

from mfagan.errors import InputError
from mfagan.graph.operators import Block
from mfagan.sr.network.mfanet import blocks
from mfagan.sr.network.widths import every_choice

__all__ = ["draw_networks"]


def draw_networks(
    n: int, seed: int, size: tuple[int, int], scale: int = 4, leave_out: Sequence[str] = ()
) -> dict[str, Sequence[Block]]:
    """Draw distinct SubGenerators at random.

    Args:
        n: How many.
        seed: The same seed draws the same ones.
        size: (height, width) of the LR image, in pixels.
        scale: Enlargement: 2, 3 or 4.
        leave_out: Names of those that are not drawn.

    Returns:
        The blocks by the network's name, its widths with commas between them.

    Raises:
        InputError: There are not as many.
    """
    names = {",".join(map(str, widths)): widths for widths in every_choice()}
    free = [name for name in names if name not in set(leave_out)]
    if n > len(free):
        raise InputError(f"{n} networks: there are {len(free)} to draw from; draw fewer")
    drawn = random.Random(seed).sample(free, n)
    return {name: blocks(names[name], *size, scale, "bicubic") for name in drawn}
