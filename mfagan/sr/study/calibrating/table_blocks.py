"""The blocks of a latency table: those that any SubGenerator is made of, and how many of each one has."""

from collections import Counter
from collections.abc import Sequence
from itertools import product

from mfagan.graph.operators import Block
from mfagan.graph.passes import rewrite
from mfagan.sr.network.mfanet import blocks
from mfagan.sr.network.widths import NAMES, OPTIONS, Widths
from mfagan.sr.study.block_lists import BlockLists

__all__ = ["count_most", "table_blocks"]


def table_blocks(
    size: tuple[int, int], scale: int, passes: Sequence[str], precision: str = "fp32"
) -> dict[str, Block]:
    """Every block that a table needs to price all SubGenerators, with the bicubic residual or without, by its key.

    Without the residual, a block whose pixel shuffle a pass has moved is another one.

    Args:
        size: (height, width) of the LR image in px.
        scale: enlargement: 2, 3 or 4.
        passes: what rewrites the blocks (`mfagan.graph.passes`).
        precision: what they are computed in: fp32, fp16 or int8.
    """
    without = BlockLists(size, scale, "none", passes, precision).every_block()
    return without | BlockLists(size, scale, "bicubic", passes, precision).every_block()


def count_most(size: tuple[int, int], scale: int, passes: Sequence[str]) -> dict[str, int]:
    """How many of each block one SubGenerator has at most, by its key.

    Args:
        size: as in `table_blocks`, as the others.
        scale: enlargement.
        passes: what rewrites the blocks.
    """
    most: Counter[str] = Counter()
    for trunk, width, residual in product(OPTIONS, OPTIONS, ("none", "bicubic")):
        widths = Widths.of([trunk] + [width] * (len(NAMES) - 1))
        network = rewrite(blocks(widths, *size, scale, residual), passes).blocks
        most |= Counter(block.key for block in network)
    return dict(most)
