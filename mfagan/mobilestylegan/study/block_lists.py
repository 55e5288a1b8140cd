"""The blocks of any slice of a weight-shared student, put together from a few networks."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import product

import torch

from mfagan.graph.operators import Activation, Block
from mfagan.graph.rounding import rewrite_for
from mfagan.mobilestylegan.network.generator import MobileStyleGAN
from mfagan.mobilestylegan.network.student.student import Student
from mfagan.mobilestylegan.network.student.widths import width_options
from mfagan.mobilestylegan.study.scoring.choices import Channels

__all__ = ["BlockLists"]


class BlockLists:
    """Lists the blocks of the slices of one student, the mapping network's first, for one style for all layers.

    A block depends on its width and the one before it, so networks in which two widths alternate have all of them.

    Attributes:
        alternating: The slices in which two widths alternate.
    """

    def __init__(self, generator: MobileStyleGAN) -> None:
        """List the blocks of the slices in which widths alternate.

        Args:
            generator: The weight-shared student with its mapping network; its weights are not read.
        """
        config = generator.synthesis.config()
        self._options = [width_options(full) for full in generator.synthesis.channels]
        self._mapping: list[Block] = []
        self._of_widths: dict[tuple[int, int, int], Block] = {}  # (number, width before it, its own) -> block
        self._heads: dict[int, Block] = {}
        self.alternating: list[Channels] = []
        for parts in product(range(max(map(len, self._options))), repeat=2):
            slice_ = tuple(
                one[min(parts[number % 2], len(one) - 1)] for number, one in enumerate(self._options)
            )
            self.alternating.append(slice_)
            with torch.device("meta"):
                network = Student(**config | {"channels": slice_, "heads": "last"})  # pyright: ignore[reportArgumentType]
            *body, self._heads[slice_[-1]] = network.blocks(styles="w")
            for number, block in enumerate(body):
                self._of_widths[number, slice_[max(number - 1, 0)], slice_[number]] = block
            (style,) = body[0].inputs
            self._mapping = [_lead_to(style, block) for block in generator.mapping.blocks()]

    def blocks(self, channels: Channels) -> list[Block]:
        """The blocks of a slice, in the order they run.

        Args:
            channels: Its widths at each resolution.
        """
        body = (
            self._of_widths[number, channels[max(number - 1, 0)], width]
            for number, width in enumerate(channels)
        )
        return [*self._mapping, *body, self._heads[channels[-1]]]

    def every_block(self, passes: Sequence[str] = (), precision: str = "fp32") -> dict[str, Block]:
        """Every block that some slice needs, by its key: 69 of a student of 1024 px.

        Args:
            passes: What rewrites the blocks (`mfagan.graph.passes`).
            precision: What they are computed in: fp32, fp16 or int8.
        """
        return {
            block.key: block
            for slice_ in self.alternating
            for block in rewrite_for(self.blocks(slice_), passes, precision)
        }

    def find_cheapest(self, cost: Callable[[Block], float]) -> Channels:
        """The slice of the least sum of costs over its blocks, by dynamic programming over the resolutions.

        Args:
            cost: What a block costs, before any pass.
        """
        cheapest: dict[int, tuple[float, Channels]] = {
            width: (cost(self._of_widths[0, width, width]), (width,)) for width in self._options[0]
        }
        for number, options in enumerate(self._options[1:], 1):
            cheapest = {
                width: min(
                    (total + cost(self._of_widths[number, before, width]), (*slice_, width))
                    for before, (total, slice_) in cheapest.items()
                )
                for width in options
            }
        return min((total + cost(self._heads[width]), slice_) for width, (total, slice_) in cheapest.items())[
            1
        ]


def _lead_to(style: Activation, mapping: Block) -> Block:
    """The mapping network's block, whose output is the style that the others read; no other name is theirs."""

    def rename(x: Activation) -> Activation:
        return style if x == mapping.output else replace(x, name=f"mapping/{x.name}")

    operators = (
        replace(one, inputs=tuple(map(rename, one.inputs)), output=rename(one.output))
        for one in mapping.operators
    )
    return Block(mapping.key, tuple(operators))
