"""MFANet, the generator of MFAGAN (paper section 3.2; what the paper leaves open is chosen to reproduce its Table 1).

    head    3x3 conv, 3 -> trunk
    CFAB    five 3x3 convs trunk -> w -> ... -> w, all six feature maps concatenated, channel attention,
            1x1 conv back to trunk, local skip
    MFAM    two CFABs, 3x3 conv, channel attention, skip
    net     head, three MFAMs, 1x1 and 3x3 fusion of their outputs, global skip, 3x3 conv, PixelShuffle

CFAB, MFAM and the fusion are in `aggregation`, convolutions and attention in `layers`.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import ClassVar, Self

import torch
from torch import Tensor, nn

from mfagan.errors import InputError
from mfagan.graph.operators import Block, Operator
from mfagan.graph.recorder import OperatorRecorder
from mfagan.networks.initial_weights import start_with_details
from mfagan.networks.saved_module import SavedModule
from mfagan.sr.network.aggregation import MFAM, SLOPE, Fusion, PrefixState
from mfagan.sr.network.layers import (
    CFABS_PER_MFAM,
    N_COLOURS,
    BicubicResidual,
    Conv,
    Residual,
    channel_groups,
    named_convs,
    require_residual,
    require_scale,
)
from mfagan.sr.network.widths import Widths

__all__ = ["INPUT_SIZE", "MFANet", "blocks", "operators"]

INPUT_SIZE = (128, 128)
"""(height, width) in pixels of the LR image for which the paper prints FLOPs, memory and latency; ours use it too."""

_SKIPPED = 0.3
"""Scale of the initial weights of the convolutions whose output is added to what came before."""


class MFANet(SavedModule):
    """The generator at any positive widths; each of its convolutions names the channel groups it joins.

    residual: "bicubic" adds the enlarged input to the output (not in the paper), "none" is the paper's network.
    """

    KIND: ClassVar[str] = "mfanet"
    """The network's name in checkpoints; a SuperGenerator is an MFANet too."""

    def __init__(self, widths: Widths, scale: int = 4, residual: Residual = "none") -> None:
        """Build an untrained network.

        Args:
            widths: The channel widths of its layers.
            scale: Factor by which height and width are enlarged: 2, 3 or 4.
            residual: As above.

        Raises:
            InputError: Another scale or residual.
        """
        super().__init__()
        groups = channel_groups(widths, require_scale(scale))
        n_mfams = len(widths.cfabs) // CFABS_PER_MFAM
        self.widths = widths
        self.scale = scale
        self.residual_kind: Residual = require_residual(residual)
        self.head = Conv((groups["rgb"],), (groups["trunk"],), 3)
        self.mfams = nn.ModuleList(MFAM(groups, number) for number in range(1, n_mfams + 1))
        self.fusion = Fusion(groups, n_mfams, scale)
        self.residual = BicubicResidual(scale) if residual == "bicubic" else None
        if self.residual is not None:
            self._start_from_bicubic()

    @torch.no_grad()
    def _start_from_bicubic(self) -> None:
        """Initialise a network that adds details to the enlarged input, which is its output while untrained.

        With PyTorch's defaults the head's activations follow the brightness of the image, of which details are a
        twentieth: they cross the kink of the LeakyReLU hardly anywhere, and hundreds of steps learn no more than the
        best linear filter. So the head begins with filters that see details alone, biases are zero, and He's weights
        keep the variance of the activations, scaled where a skip connection adds to them.
        """
        for name, conv in named_convs(self):
            nn.init.kaiming_normal_(conv.weight, a=SLOPE)
            if name.endswith(("fuse", "tail.conv", "smooth")):
                conv.weight.mul_(_SKIPPED)
            assert conv.bias is not None
            nn.init.zeros_(conv.bias)
        start_with_details(self.head)
        nn.init.zeros_(self.fusion.reconstruct.weight)

    def config(self) -> dict[str, object]:
        """What rebuilds it, as plain data."""
        return {"widths": list(self.widths), "scale": self.scale, "residual": self.residual_kind}

    @classmethod
    def from_config(cls, config: Mapping[str, object]) -> Self:
        """An untrained network from the arguments that `config()` gives.

        Args:
            config: `widths`, and `scale` and `residual`, which have the constructor's defaults if they are absent.

        Raises:
            InputError: Arguments are missing, unknown or have values that the network does not take.
        """
        arguments = dict(config)
        try:
            return cls(Widths.of(arguments.pop("widths")), **arguments)  # pyright: ignore[reportArgumentType]
        except (KeyError, TypeError) as error:
            raise InputError(f"{cls.KIND} cannot be built from {dict(config)}: {error}") from None

    def forward(self, x: Tensor) -> Tensor:
        """Enlarge images.

        Args:
            x: LR images (N, 3, H, W) in [0, 1].

        Returns:
            HR images (N, 3, scale H, scale W), not clamped.
        """
        return self.forward_with_taps(x)[0]

    def forward_with_taps(self, x: Tensor) -> tuple[Tensor, tuple[Tensor, ...]]:
        """Run the network and keep what distillation compares (paper equation 3).

        Args:
            x: LR images (N, 3, H, W) in [0, 1].

        Returns:
            The HR images (N, 3, scale H, scale W), and the outputs of the three MFAMs, each (N, t, H, W).
        """
        passed = self.begin(x)
        for number in range(len(self.widths.cfabs)):
            passed = self.advance(passed, number)
        return self.finish(passed, x), passed.taps[1:]

    def begin(self, x: Tensor) -> PrefixState:
        """Run the head.

        Args:
            x: LR images (N, 3, H, W) in [0, 1].

        Returns:
            What the first CFAB needs.
        """
        first = self.head(x)  # (N, t, H, W)
        return PrefixState(first, (first,))

    def advance(self, passed: PrefixState, number: int) -> PrefixState:
        """Run one CFAB, and the tail of its MFAM if it is the last CFAB of that.

        Args:
            passed: What the forward pass carries so far.
            number: Counts the CFABs from 0.

        Returns:
            What it carries on.
        """
        mfam = self.mfams[number // CFABS_PER_MFAM]
        assert isinstance(mfam, MFAM)
        return mfam.advance(passed, number % CFABS_PER_MFAM)

    def finish(self, passed: PrefixState, x: Tensor) -> Tensor:
        """Run the fusion and the residual.

        Args:
            passed: What the forward pass carries after the last CFAB.
            x: The LR images (N, 3, H, W) that it began with.

        Returns:
            HR images (N, 3, scale H, scale W), not clamped.
        """
        image = self.fusion(passed.taps[1:], passed.taps[0])
        return image if self.residual is None else self.residual(image, x)

    def blocks(self, height: int, width: int) -> list[Block]:
        """The operators of one LR image, grouped into look-up-table blocks.

        Args:
            height: Rows of the image, in pixels.
            width: Its columns.
        """
        recorder = OperatorRecorder()
        x = recorder.value(N_COLOURS, height, width)
        first = self.head.write_operators(recorder, x, "head")
        recorder.close_block(f"head/t{self.widths.trunk}")
        features = [first]
        for i, mfam in enumerate(self.mfams):
            assert isinstance(mfam, MFAM)
            features.append(mfam.write_operators(recorder, features[-1], f"mfams.{i}"))
        image = self.fusion.write_operators(recorder, features[1:], first, "fusion")
        if self.residual is not None:
            self.residual.write_operators(recorder, image, x, "residual")
        return recorder.blocks


@lru_cache(maxsize=64)  # a list is some 100 kB, and a search asks twice in a row for the same
def blocks(
    widths: Widths, height: int, width: int, scale: int = 4, residual: Residual = "none"
) -> tuple[Block, ...]:
    """The blocks of a network, without building its weights.

    Args:
        widths: The channel widths.
        height: Rows of the LR image, in pixels.
        width: Its columns.
        scale: Enlargement: 2, 3 or 4.
        residual: As in `MFANet`.
    """
    with torch.device("meta"):
        return tuple(MFANet(widths, scale, residual).blocks(height, width))


def operators(
    widths: Widths, height: int, width: int, scale: int = 4, residual: Residual = "none"
) -> list[Operator]:
    """The operators of a network, in the order they run.

    Args:
        widths: The channel widths.
        height: Rows of the LR image, in pixels.
        width: Its columns.
        scale: Enlargement: 2, 3 or 4.
        residual: As in `MFANet`.
    """
    return [op for block in blocks(widths, height, width, scale, residual) for op in block.operators]
