"""Run many SubGenerators on one image and compute every shared activation once.

SubGenerators with the same trunk and the same first CFABs share all activations up to there. Run in the order
of their widths, each continues from the point where it differs from the one before: a depth-first walk over trunk,
CFABs and fusion that holds one prefix's activations at a time. Those that differ in the fusion alone share most of
that, too. The outputs are those of the extracted networks.
"""

import itertools
from collections.abc import Collection, Iterator, Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from mfagan.devices import to_device
from mfagan.sr.network.aggregation import Fusion, PrefixState
from mfagan.sr.network.mfanet import MFANet
from mfagan.sr.network.supergenerator import SuperGenerator
from mfagan.sr.network.widths import NAMES, OPTIONS, Widths
from mfagan.sr.study.scoring.one_pass import replace_modules

__all__ = ["PrefixWalk", "fuse_at_widths"]


class PrefixWalk:
    """Runs slices of a SuperGenerator, whose weights must not change meanwhile."""

    def __init__(self, network: SuperGenerator, dtype: torch.dtype = torch.float32) -> None:
        """Prepare the walk.

        Args:
            network: The SuperGenerator whose slices are run.
            dtype: What activations and weights are computed in; the bicubic residual stays in float32.
        """
        self._network = network
        self._dtype = dtype
        self._extracted: dict[tuple[int, int], MFANet] = {}

    @torch.inference_mode()
    def run(self, x: Tensor, choices: Sequence[Widths]) -> Iterator[tuple[int, Tensor]]:
        """Run slices on one image.

        Args:
            x: An LR image (1, 3, H, W) in [0, 1].
            choices: The slices' widths.

        Yields:
            For each choice its index and output (1, 3, scale H, scale W), float32, in the order of the widths, not of
            `choices`.
        """
        if len(x) != 1:
            raise ValueError(f"{len(x)} images: a walk runs one at a time")

        def fusion_of(i: int) -> int:
            return choices[i].fusion

        residual = self._network.residual
        enlarged = x.new_zeros(()) if residual is None else residual(x.new_zeros(()), x)
        trail: list[PrefixState] = []  # after the head, after CFAB 1, ...
        before: tuple[int, ...] = ()
        in_order = sorted(range(len(choices)), key=lambda i: tuple(choices[i]))
        for prefix, siblings in itertools.groupby(in_order, key=lambda i: tuple(choices[i])[:-1]):
            shared = next((k for k, (a, b) in enumerate(zip(before, prefix, strict=False)) if a != b), 0)
            del trail[shared:]
            trunk, *cfabs = prefix
            if not trail:
                trail.append(self._part(trunk, trunk).begin(x.to(self._dtype)))
            for number in range(len(trail) - 1, len(cfabs)):
                trail.append(self._part(trunk, cfabs[number]).advance(trail[-1], number))
            before = prefix
            of_width = {width: list(same) for width, same in itertools.groupby(siblings, fusion_of)}
            fusion = self._part(trunk, max(of_width)).fusion
            for width, image in fuse_at_widths(fusion, trail[-1].taps, of_width):
                output = image.float().add_(enlarged)
                for i in of_width[width]:
                    yield i, output

    def _part(self, trunk: int, width: int) -> MFANet:
        """A network with the blocks of this trunk and this width: one for each pair serves all choices."""
        if (trunk, width) not in self._extracted:
            widths = Widths.of([trunk, *[width] * (len(NAMES) - 1)])
            device = self._network.head.weight.device
            network = to_device(self._network.extract(widths), device).eval().to(self._dtype)
            if device.type in ("cpu", "cuda"):
                replace_modules(network)
            self._extracted[trunk, width] = network
        return self._extracted[trunk, width]


def fuse_at_widths(
    fusion: Fusion, taps: Sequence[Tensor], wanted: Collection[int]
) -> Iterator[tuple[int, Tensor]]:
    """Run a fusion at several of its widths.

    Both fusion convolutions are linear, so each width adds what its further channels bring to the sum of the
    one before: in the same steps whichever options are wanted, so that a choice's figures do not depend on the rest of
    its batch.

    Args:
        fusion: The fusion at the largest wanted width.
        taps: The head's output and those of the MFAMs, each (N, t, H, W).
        wanted: Fusion widths.

    Yields:
        In rising order each wanted width with its image (N, 3, scale H, scale W).
    """
    skip, *features = taps
    squeezed = fusion.squeeze(torch.cat(features, 1))  # (N, f, H, W)
    assert fusion.smooth.bias is not None
    y = skip + fusion.smooth.bias[:, None, None]  # (N, t, H, W), ours to add to
    for narrower, width in itertools.pairwise((0, *sorted({*OPTIONS, *wanted}))):
        if width > squeezed.shape[1]:
            return
        further = slice(narrower, width)
        y += F.conv2d(squeezed[:, further], fusion.smooth.weight[:, further], padding=1)
        if width in wanted:
            yield width, F.pixel_shuffle(fusion.reconstruct(y), fusion.scale)
