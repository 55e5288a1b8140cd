"""MFANet, the generator of MFAGAN (paper section 3.2; what the paper leaves open is chosen to reproduce its Table 1).

    head    3x3 conv, 3 -> trunk
    CFAB    five 3x3 convs trunk -> w -> ... -> w, all six feature maps concatenated, channel attention,
            1x1 conv back to trunk, local skip
    MFAM    two CFABs, 3x3 conv, channel attention, skip
    net     head, three MFAMs, 1x1 and 3x3 fusion of their outputs, global skip, 3x3 conv, PixelShuffle

Every module records its operators beside its `forward`: change both together (a test compares them).
"""

import itertools
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import ClassVar, NamedTuple, Self

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mfagan.checkpoint import Checkpoint, load_weights
from mfagan.errors import InputError
from mfagan.graph.operators import Activation, Block, Operator
from mfagan.graph.recorder import OperatorRecorder
from mfagan.sr.network.layers import (
    CFABS_PER_MFAM,
    N_COLOURS,
    N_INNER_CONVS,
    BicubicResidual,
    ContrastAwareAttention,
    Conv,
    Group,
    Residual,
    channel_groups,
    named_convs,
    require_residual,
    require_scale,
)
from mfagan.sr.network.widths import Widths

SLOPE = 0.05
INPUT_SIZE = (128, 128)
"""(height, width) in pixels of the LR image for which the paper prints FLOPs, memory and latency; ours use it too."""


class CFAB(nn.Module):
    """Concatenative feature aggregation block: five receptive fields, joined, weighed and fused."""

    def __init__(self, groups: dict[str, Group], name: str) -> None:
        super().__init__()
        trunk = groups["trunk"]
        parts = (trunk, *(groups[f"{name}.conv_{i + 1}"] for i in range(N_INNER_CONVS)))
        self.convs = nn.ModuleList(
            Conv((source,), (target,), 3) for source, target in itertools.pairwise(parts)
        )
        self.cca = ContrastAwareAttention(parts, groups[f"{name}.cca"])
        self.fuse = Conv(parts, (trunk,), 1)
        self.key = f"cfab/t{trunk.size}/w{parts[1].size}"

    def forward(self, x: Tensor) -> Tensor:
        """(N, t, H, W) -> (N, t, H, W)."""
        parts = [x]
        for conv in self.convs:
            parts.append(F.leaky_relu(conv(parts[-1]), SLOPE, inplace=True))  # (N, w, H, W)
        joined = torch.cat(parts, 1)  # (N, t + 5w, H, W)
        return self.fuse(self.cca(joined)) + x

    def write_operators(self, recorder: OperatorRecorder, x: Activation, path: str) -> Activation:
        """Append this module's operators as one block."""
        parts = [x]
        for name, conv in named_convs(self.convs):
            y = conv.write_operators(recorder, parts[-1], f"{path}.convs.{name}")
            parts.append(recorder.elementwise("leaky_relu", y, value=SLOPE))
        attended = self.cca.write_operators(recorder, recorder.concat(*parts), f"{path}.cca")
        output = recorder.elementwise("add", self.fuse.write_operators(recorder, attended, f"{path}.fuse"), x)
        recorder.close_block(self.key)
        return output


class Tail(nn.Module):
    """The end of an MFAM: 3x3 conv, channel attention and the skip from the MFAM's input."""

    def __init__(self, groups: dict[str, Group], name: str) -> None:
        super().__init__()
        trunk = groups["trunk"]
        self.conv = Conv((trunk,), (trunk,), 3)
        self.cca = ContrastAwareAttention((trunk,), groups[f"{name}.cca"])
        self.key = f"tail/t{trunk.size}"

    def forward(self, x: Tensor, skip: Tensor) -> Tensor:
        """Two of (N, t, H, W) -> (N, t, H, W)."""
        return self.cca(self.conv(x)) + skip

    def write_operators(
        self, recorder: OperatorRecorder, x: Activation, skip: Activation, path: str
    ) -> Activation:
        """Append this module's operators as one block."""
        y = self.cca.write_operators(
            recorder, self.conv.write_operators(recorder, x, f"{path}.conv"), f"{path}.cca"
        )
        output = recorder.elementwise("add", y, skip)
        recorder.close_block(self.key)
        return output


class MFAM(nn.Module):
    """Multi-scale feature aggregation module: two CFABs and a tail."""

    def __init__(self, groups: dict[str, Group], number: int) -> None:
        super().__init__()
        last = CFABS_PER_MFAM * number
        self.cfab_a = CFAB(groups, f"cfab_{last - 1}")
        self.cfab_b = CFAB(groups, f"cfab_{last}")
        self.tail = Tail(groups, f"mfam_{number}")

    def advance(self, passed: "PrefixState", half: int) -> "PrefixState":
        """The first half (0) is a CFAB alone, the second (1) a CFAB and the tail, which ends the module."""
        if half == 0:
            return passed._replace(x=self.cfab_a(passed.x))
        y = self.tail(self.cfab_b(passed.x), passed.taps[-1])
        return PrefixState(y, (*passed.taps, y))

    def write_operators(self, recorder: OperatorRecorder, x: Activation, path: str) -> Activation:
        """Append this module's operators."""
        y = self.cfab_a.write_operators(recorder, x, f"{path}.cfab_a")
        y = self.cfab_b.write_operators(recorder, y, f"{path}.cfab_b")
        return self.tail.write_operators(recorder, y, x, f"{path}.tail")


class PrefixState(NamedTuple):
    """What a forward pass carries from one CFAB to the next, each (N, t, H, W).

    x: the last activation. taps: the head's output and those of the finished MFAMs.
    """

    x: Tensor
    taps: tuple[Tensor, ...]


class Fusion(nn.Module):
    """Global feature aggregation, global skip and reconstruction."""

    def __init__(self, groups: dict[str, Group], n_mfams: int, scale: int) -> None:
        super().__init__()
        trunk, fused = groups["trunk"], groups["fusion"]
        self.squeeze = Conv((trunk,) * n_mfams, (fused,), 1)
        self.smooth = Conv((fused,), (trunk,), 3)
        self.reconstruct = Conv((trunk,), (groups["pixels"],), 3)
        self.scale = scale
        self.key = f"fusion/t{trunk.size}/f{fused.size}/x{scale}"

    def forward(self, features: Sequence[Tensor], skip: Tensor) -> Tensor:
        """MFAM outputs and the head's, each (N, t, H, W) -> (N, 3, scale H, scale W)."""
        y = self.squeeze(torch.cat(tuple(features), 1))  # (N, f, H, W)
        y = self.smooth(y) + skip  # (N, t, H, W)
        return F.pixel_shuffle(self.reconstruct(y), self.scale)

    def write_operators(
        self, recorder: OperatorRecorder, features: list[Activation], skip: Activation, path: str
    ) -> Activation:
        """Append this module's operators as one block."""
        y = self.squeeze.write_operators(recorder, recorder.concat(*features), f"{path}.squeeze")
        y = recorder.elementwise("add", self.smooth.write_operators(recorder, y, f"{path}.smooth"), skip)
        pixels = self.reconstruct.write_operators(recorder, y, f"{path}.reconstruct")
        output = recorder.pixel_shuffle(pixels, self.scale)
        recorder.close_block(self.key)
        return output


class MFANet(nn.Module):
    """The generator at any positive widths; each of its convolutions names the channel groups it joins.

    residual: "bicubic" adds the enlarged input to the output (not in the paper), "none" is the paper's network.
    """

    KIND: ClassVar[str] = "mfanet"
    """The network's name in checkpoints; a SuperGenerator is an MFANet too."""

    def __init__(self, widths: Widths, scale: int = 4, residual: Residual = "none") -> None:
        """
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
        if self.residual is not None:  # an untrained network then is bicubic enlargement, not noise upon it
            for parameter in self.fusion.reconstruct.parameters():
                nn.init.zeros_(parameter)

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

    @classmethod
    def from_checkpoint(cls, checkpoint: Checkpoint, path: str | Path) -> Self:
        """The network of a checkpoint, in evaluation mode.

        Args:
            checkpoint: What the file holds.
            path: Its path, for errors.

        Raises:
            InputError: The checkpoint describes another network, or its weights do not fit.
        """
        try:
            network = cls.from_config(checkpoint.config)
        except InputError as error:
            raise InputError(f"checkpoint {path}: {error}") from None
        return load_weights(network, checkpoint, path).eval()

    def forward(self, x: Tensor) -> Tensor:
        """LR images (N, 3, H, W) in [0, 1] -> HR images (N, 3, scale H, scale W), not clamped."""
        return self.forward_with_taps(x)[0]

    def forward_with_taps(self, x: Tensor) -> tuple[Tensor, tuple[Tensor, ...]]:
        """The HR images and the three MFAM outputs, which distillation compares (paper eq. 3)."""
        passed = self.begin(x)
        for number in range(len(self.widths.cfabs)):
            passed = self.advance(passed, number)
        return self.finish(passed, x), passed.taps[1:]

    def begin(self, x: Tensor) -> PrefixState:
        """Through the head: LR images (N, 3, H, W) -> what the first CFAB needs."""
        first = self.head(x)  # (N, t, H, W)
        return PrefixState(first, (first,))

    def advance(self, passed: PrefixState, number: int) -> PrefixState:
        """Through CFAB `number` (from 0), and the tail of its MFAM where it is the last of that."""
        mfam = self.mfams[number // CFABS_PER_MFAM]
        assert isinstance(mfam, MFAM)
        return mfam.advance(passed, number % CFABS_PER_MFAM)

    def finish(self, passed: PrefixState, x: Tensor) -> Tensor:
        """Through fusion and residual: the HR images of the LR images `x`."""
        image = self.fusion(passed.taps[1:], passed.taps[0])
        return image if self.residual is None else self.residual(image, x)

    def blocks(self, height: int, width: int) -> list[Block]:
        """The operators of one LR image of (3, height, width), grouped into look-up-table blocks."""
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
    """The blocks of a network of these widths, without building its weights."""
    with torch.device("meta"):
        return tuple(MFANet(widths, scale, residual).blocks(height, width))


def operators(
    widths: Widths, height: int, width: int, scale: int = 4, residual: Residual = "none"
) -> list[Operator]:
    """The operators of a network of these widths, in the order they run."""
    return [op for block in blocks(widths, height, width, scale, residual) for op in block.operators]
