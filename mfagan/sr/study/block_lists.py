"""The blocks of any SubGenerator, put together from networks of one inner width."""

import itertools
from collections import Counter
from collections.abc import Iterator, Sequence

from mfagan.graph.operators import Block
from mfagan.graph.rounding import rewrite_for
from mfagan.sr.network.layers import Residual
from mfagan.sr.network.mfanet import blocks
from mfagan.sr.network.widths import NAMES, OPTIONS, Widths

__all__ = ["BlockLists", "every_block"]


class BlockLists:
    """Lists the blocks of SubGenerators at one input size.

    To build each choice's network takes longer than to score it. A block depends on the trunk and at most one inner
    width; those that do stand in the order of these.
    """

    def __init__(
        self,
        size: tuple[int, int],
        scale: int = 4,
        residual: Residual = "bicubic",
        passes: Sequence[str] = (),
        precision: str = "fp32",
    ) -> None:
        """List the blocks of the networks that have one inner width.

        Args:
            size: (height, width) of the LR image, in pixels.
            scale: Enlargement: 2, 3 or 4.
            residual: As in `MFANet`.
            passes: What rewrites the blocks (`mfagan.graph.passes`).
            precision: What they are computed in: fp32, fp16 or int8.
        """
        self._of_one_width = {
            (trunk, width): rewrite_for(
                blocks(Widths.of([trunk] + [width] * (len(NAMES) - 1)), *size, scale, residual),
                passes,
                precision,
            )
            for trunk, width in itertools.product(OPTIONS, repeat=2)
        }

    def blocks(self, widths: Widths) -> list[Block]:
        """The blocks of a SubGenerator, in the order they run.

        Args:
            widths: A searched choice.
        """
        inner = iter((*widths.cfabs, widths.fusion))
        of_widths = [self._of_one_width[widths.trunk, option] for option in OPTIONS]
        return [
            same[OPTIONS.index(next(inner))] if same[0].key != same[-1].key else same[0]
            for same in zip(*of_widths, strict=True)
        ]

    def count(self, widths: Widths) -> dict[str, int]:
        """How often a SubGenerator has each block, by its key.

        Args:
            widths: A searched choice.
        """
        return dict(Counter(block.key for block in self.blocks(widths)))

    def every_block(self) -> dict[str, Block]:
        """Every block that some SubGenerator needs, by its key."""
        return {block.key: block for block in self._every()}

    def _every(self) -> Iterator[Block]:
        return itertools.chain.from_iterable(self._of_one_width.values())


def every_block(
    size: tuple[int, int], scale: int = 4, residual: Residual = "bicubic", passes: Sequence[str] = ()
) -> dict[str, Block]:
    """Every block that some choice needs at an LR size, by its key.

    The paper's network has 24: 3 heads, 9 CFABs, 3 MFAM tails, 9 fusions. The bicubic residual adds one.

    Args:
        size: (height, width) of the LR image, in pixels.
        scale: Enlargement: 2, 3 or 4.
        residual: As in `MFANet`.
        passes: What rewrites the blocks (`mfagan.graph.passes`).
    """
    return BlockLists(size, scale, residual, passes).every_block()
