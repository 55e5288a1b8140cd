"""The blocks of any slice of a weight-shared translator, put together from a few networks."""

from collections.abc import Callable, Sequence
from functools import cache

import torch

from mfagan.coronetgan.network.selection import kept_biases
from mfagan.coronetgan.network.translator import Translator
from mfagan.coronetgan.study.scoring.choices import Widths
from mfagan.coronetgan.study.scoring.slice_form import SliceForm
from mfagan.graph.operators import Block
from mfagan.graph.rounding import rewrite_for

__all__ = ["BlockLists"]


class BlockLists:
    """Lists the blocks of the slices of one translator at one size.

    Attributes:
        form: How the slices are built: a step for each block.
    """

    def __init__(self, translator: Translator, size: tuple[int, int]) -> None:
        """List the blocks of the slices in which widths alternate.

        Args:
            translator: The weight-shared network; its weights are not read.
            size: (height, width) of the pictures in px.

        Raises:
            InputError: The network does not take pictures of that size.
        """
        self.form = SliceForm(translator)
        self._of_widths: list[dict[Widths, Block]] = [{} for _ in self.form.of_step]
        biases = kept_biases(translator)
        for widths in self.form.alternating:
            with torch.device("meta"):
                network = translator.with_widths(self.form.latents(widths), biases)
            for number, block in enumerate(network.blocks(*size)):
                self._of_widths[number][self.form.of(widths, number)] = block

    def blocks(self, widths: Widths) -> list[Block]:
        """The blocks of a slice, in the order they run.

        Args:
            widths: The slice's.
        """
        return [found[self.form.of(widths, number)] for number, found in enumerate(self._of_widths)]

    def every_block(self, passes: Sequence[str] = (), precision: str = "fp32") -> dict[str, Block]:
        """Every block that some slice needs, by its key: 51 of CycleGAN's generator.

        Args:
            passes: What rewrites the blocks (`mfagan.graph.passes`).
            precision: What they are computed in: fp32, fp16 or int8.
        """
        return {
            block.key: block
            for widths in self.form.alternating
            for block in rewrite_for(self.blocks(widths), passes, precision)
        }

    def find_cheapest(self, cost: Callable[[Block], float]) -> Widths:
        """The slice of the least sum of costs over its blocks, by dynamic programming over the tree of choices.

        Args:
            cost: What a block costs, before any pass.
        """
        form = self.form
        options = list(form.options.values())

        @cache
        def settle(choice: int, above: Widths) -> tuple[float, dict[int, int]]:
            """The least cost of what depends on a choice and those that follow it, and their widths."""
            found: list[tuple[float, dict[int, int]]] = []
            for width in options[choice]:
                total, chosen = 0.0, {choice: width}
                for number, read in enumerate(form.of_step):
                    if read[-1] == choice:
                        total += cost(self._of_widths[number][(*above, width)[-len(read) :]])
                for child, parent in enumerate(form.parents):
                    if parent == choice:
                        more, below = settle(child, (width,))
                        total, chosen = total + more, chosen | below
                found.append((total, chosen))
            return min(found, key=lambda one: one[0])

        _, chosen = settle(0, ())
        return tuple(chosen[choice] for choice in range(len(options)))
