"""The modules of MFANet: CFAB, MFAM and the fusion (paper section 3.2).

Every module records its operators beside its `forward`: change both together (a test compares them).
"""

import itertools
from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mfagan.graph.operators import Activation
from mfagan.graph.recorder import OperatorRecorder
from mfagan.sr.network.layers import (
    CFABS_PER_MFAM,
    N_INNER_CONVS,
    ContrastAwareAttention,
    Conv,
    Group,
    named_convs,
)

__all__ = ["CFAB", "MFAM", "SLOPE", "Fusion", "PrefixState", "Tail"]

SLOPE = 0.05
"""Slope of LeakyReLU for negative inputs."""


class CFAB(nn.Module):
    """Concatenative feature aggregation block: five receptive fields, joined, weighed and fused.

    Args:
        groups: The network's channel groups by name.
        name: The block's name in them, such as `cfab_1`.
    """

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
        """Run the block.

        Args:
            x: The trunk's activations (N, t, H, W).

        Returns:
            Activations of the same shape.
        """
        parts = [x]
        for conv in self.convs:
            parts.append(F.leaky_relu(conv(parts[-1]), SLOPE, inplace=True))  # (N, w, H, W)
        joined = torch.cat(parts, 1)  # (N, t + 5w, H, W)
        return self.fuse(self.cca(joined)) + x

    def write_operators(self, recorder: OperatorRecorder, x: Activation, path: str) -> Activation:
        """Record this module's operators as one block.

        Args:
            recorder: What records the operators.
            x: The module's input, (t, H, W).
            path: The module's path in the network.

        Returns:
            The module's output.
        """
        parts = [x]
        for name, conv in named_convs(self.convs):
            y = conv.write_operators(recorder, parts[-1], f"{path}.convs.{name}")
            parts.append(recorder.elementwise("leaky_relu", y, value=SLOPE))
        attended = self.cca.write_operators(recorder, recorder.concat(*parts), f"{path}.cca")
        output = recorder.elementwise("add", self.fuse.write_operators(recorder, attended, f"{path}.fuse"), x)
        recorder.close_block(self.key)
        return output


class Tail(nn.Module):
    """The end of an MFAM: 3x3 conv, channel attention and the skip from the MFAM's input.

    Args:
        groups: The network's channel groups by name.
        name: The MFAM's name in them, such as `mfam_1`.
    """

    def __init__(self, groups: dict[str, Group], name: str) -> None:
        super().__init__()
        trunk = groups["trunk"]
        self.conv = Conv((trunk,), (trunk,), 3)
        self.cca = ContrastAwareAttention((trunk,), groups[f"{name}.cca"])
        self.key = f"tail/t{trunk.size}"

    def forward(self, x: Tensor, skip: Tensor) -> Tensor:
        """Run the tail.

        Args:
            x: Output of the second CFAB, (N, t, H, W).
            skip: Input of the MFAM, (N, t, H, W).

        Returns:
            Output of the MFAM, (N, t, H, W).
        """
        return self.cca(self.conv(x)) + skip

    def write_operators(
        self, recorder: OperatorRecorder, x: Activation, skip: Activation, path: str
    ) -> Activation:
        """Record this module's operators as one block.

        Args:
            recorder: What records the operators.
            x: The module's input, (t, H, W).
            skip: The MFAM's input, (t, H, W).
            path: The module's path in the network.

        Returns:
            The module's output.
        """
        y = self.cca.write_operators(
            recorder, self.conv.write_operators(recorder, x, f"{path}.conv"), f"{path}.cca"
        )
        output = recorder.elementwise("add", y, skip)
        recorder.close_block(self.key)
        return output


class MFAM(nn.Module):
    """Multi-scale feature aggregation module: two CFABs and a tail.

    Args:
        groups: The network's channel groups by name.
        number: Counts the MFAMs of the network from 1.
    """

    def __init__(self, groups: dict[str, Group], number: int) -> None:
        super().__init__()
        last = CFABS_PER_MFAM * number
        self.cfab_a = CFAB(groups, f"cfab_{last - 1}")
        self.cfab_b = CFAB(groups, f"cfab_{last}")
        self.tail = Tail(groups, f"mfam_{number}")

    def advance(self, passed: "PrefixState", half: int) -> "PrefixState":
        """Run one half of the module: a CFAB, and after the second one the tail, which ends the module.

        Args:
            passed: What the forward pass carries so far.
            half: 0 or 1.

        Returns:
            What it carries on.
        """
        if half == 0:
            return passed._replace(x=self.cfab_a(passed.x))
        y = self.tail(self.cfab_b(passed.x), passed.taps[-1])
        return PrefixState(y, (*passed.taps, y))

    def write_operators(self, recorder: OperatorRecorder, x: Activation, path: str) -> Activation:
        """Record this module's operators as three blocks.

        Args:
            recorder: What records the operators.
            x: The module's input, (t, H, W).
            path: The module's path in the network.

        Returns:
            The module's output.
        """
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
    """Global feature aggregation, global skip and reconstruction.

    Args:
        groups: The network's channel groups by name.
        n_mfams: How many MFAMs it fuses.
        scale: Factor by which height and width are enlarged.
    """

    def __init__(self, groups: dict[str, Group], n_mfams: int, scale: int) -> None:
        super().__init__()
        trunk, fused = groups["trunk"], groups["fusion"]
        self.squeeze = Conv((trunk,) * n_mfams, (fused,), 1)
        self.smooth = Conv((fused,), (trunk,), 3)
        self.reconstruct = Conv((trunk,), (groups["pixels"],), 3)
        self.scale = scale
        self.key = f"fusion/t{trunk.size}/f{fused.size}/x{scale}"

    def forward(self, features: Sequence[Tensor], skip: Tensor) -> Tensor:
        """Fuse the outputs of the MFAMs into the image.

        Args:
            features: Outputs of the MFAMs, each (N, t, H, W).
            skip: Output of the head, (N, t, H, W).

        Returns:
            The image, (N, 3, scale H, scale W).
        """
        y = self.squeeze(torch.cat(tuple(features), 1))  # (N, f, H, W)
        y = self.smooth(y) + skip  # (N, t, H, W)
        return F.pixel_shuffle(self.reconstruct(y), self.scale)

    def write_operators(
        self, recorder: OperatorRecorder, features: list[Activation], skip: Activation, path: str
    ) -> Activation:
        """Record this module's operators as one block.

        Args:
            recorder: What records the operators.
            features: Outputs of the MFAMs, each (t, H, W).
            skip: Output of the head, (t, H, W).
            path: The module's path in the network.

        Returns:
            The module's output.
        """
        y = self.squeeze.write_operators(recorder, recorder.concat(*features), f"{path}.squeeze")
        y = recorder.elementwise("add", self.smooth.write_operators(recorder, y, f"{path}.smooth"), skip)
        pixels = self.reconstruct.write_operators(recorder, y, f"{path}.reconstruct")
        output = recorder.pixel_shuffle(pixels, self.scale)
        recorder.close_block(self.key)
        return output
