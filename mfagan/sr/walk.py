"""Many SubGenerators on one image, every shared prefix computed once.

SubGenerators with the same trunk and the same first CFABs share all activations up to there. Run in the order
of their widths, each continues from where it parts from the one before: a depth-first walk over trunk, CFABs
and fusion that holds one prefix's activations at a time. The outputs are those of the extracted networks.
"""

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from mfagan.devices import place
from mfagan.sr.elastic import SuperGenerator
from mfagan.sr.generator import MFANet, Passed
from mfagan.sr.widths import NAMES, Widths


class PrefixWalk:
    """Runs slices of a SuperGenerator, whose weights must not change meanwhile."""

    def __init__(self, network: SuperGenerator) -> None:
        self._network = network
        self._extracted: dict[tuple[int, int], MFANet] = {}

    @torch.inference_mode()
    def run(self, x: Tensor, choices: Sequence[Widths]) -> Iterator[tuple[int, Tensor]]:
        """LR images (N, 3, H, W) -> for each choice its index and output (N, 3, scale H, scale W).

        In the order of the widths, not of `choices`.
        """
        trail: list[Passed] = []  # after the head, after CFAB 1, ...
        before: tuple[int, ...] = ()
        for i in sorted(range(len(choices)), key=lambda i: tuple(choices[i])):
            widths = tuple(choices[i])
            shared = next(
                (k for k, (a, b) in enumerate(zip(before, widths, strict=False)) if a != b), len(before)
            )
            del trail[shared:]
            if not trail:
                trail.append(self._part(widths[0], widths[0]).begin(x))
            for number in range(len(trail) - 1, len(choices[i].cfabs)):
                part = self._part(widths[0], choices[i].cfabs[number])
                trail.append(part.advance(trail[-1], number))
            yield i, self._part(widths[0], widths[-1]).finish(trail[-1], x)
            before = widths

    def _part(self, trunk: int, width: int) -> MFANet:
        """A network with the blocks of this trunk and this width: one for each pair serves all choices."""
        if (trunk, width) not in self._extracted:
            widths = Widths.of([trunk, *[width] * (len(NAMES) - 1)])
            device = self._network.head.weight.device
            self._extracted[trunk, width] = place(self._network.extract(widths), device).eval()
        return self._extracted[trunk, width]
