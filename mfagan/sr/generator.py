"""MFANet, the generator of MFAGAN (paper section 3.2; reconstructed in shared/specs/mfagan.md section 1).

    head    3x3 conv, 3 -> trunk
    CFAB    five 3x3 convs trunk -> w -> ... -> w, all six feature maps concatenated, channel attention,
            1x1 conv back to trunk, local skip
    MFAM    two CFABs, 3x3 conv, channel attention, skip
    net     head, three MFAMs, 1x1 and 3x3 fusion of their outputs, global skip, 3x3 conv, PixelShuffle

Every module lists its operators on a `Tape` beside its `forward`: change both together (a test compares them).
"""

import itertools
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import Literal, NamedTuple, Self

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mfagan.checkpoint import Checkpoint, load_weights
from mfagan.errors import InputError
from mfagan.images import resize_bicubic
from mfagan.operators import Block, Operator, Tape, Value
from mfagan.sr.widths import Widths

SLOPE = 0.05
N_INNER_CONVS = 5
CFABS_PER_MFAM = 2
CCA_REDUCTION = 16
CCA_EPSILON = 1e-6
N_COLOURS = 3

Residual = Literal["none", "bicubic"]


class Group(NamedTuple):
    """Channels that belong together: a SubGenerator keeps the front ones of each group."""

    name: str
    size: int


Groups = tuple[Group, ...]


def channel_groups(widths: Widths, scale: int = 4) -> dict[str, Group]:
    """Every channel group of a network of these widths, by name."""
    sizes = {"rgb": N_COLOURS, "pixels": N_COLOURS * scale**2, "trunk": widths.trunk, "fusion": widths.fusion}
    for i, width in enumerate(widths.cfabs, 1):
        sizes |= {f"cfab_{i}.conv_{j}": width for j in range(1, N_INNER_CONVS + 1)}
        sizes[f"cfab_{i}.cca"] = _hidden(widths.trunk + N_INNER_CONVS * width)
    for i in range(1, len(widths.cfabs) // CFABS_PER_MFAM + 1):
        sizes[f"mfam_{i}.cca"] = _hidden(widths.trunk)
    return {name: Group(name, size) for name, size in sizes.items()}


def _hidden(channels: int) -> int:
    # Fewer than 16 channels would leave no hidden unit; the paper's widths never get there.
    return max(1, channels // CCA_REDUCTION)


def _count(groups: Groups) -> int:
    return sum(group.size for group in groups)


class Conv(nn.Conv2d):
    """A convolution that keeps the size and knows the channel groups it reads and writes, in order.

    These two lists are all that slicing, extraction and sorting need to know of a network.
    """

    def __init__(self, reads: Groups, writes: Groups, kernel: int) -> None:
        super().__init__(_count(reads), _count(writes), kernel, padding=kernel // 2)
        self.reads = reads
        self.writes = writes

    def write_operators(self, tape: Tape, x: Value, path: str) -> Value:
        """Append this convolution's operator."""
        return tape.conv(x, path, self.out_channels, self.kernel_size[0])


class ContrastAwareAttention(nn.Module):
    """CCA of IMDN: channels are scaled by a gate computed from their standard deviation plus their mean."""

    def __init__(self, channels: Groups, hidden: Group) -> None:
        super().__init__()
        self.squeeze = Conv(channels, (hidden,), 1)
        self.excite = Conv((hidden,), channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) -> (N, C, H, W)."""
        mean = x.mean((2, 3), keepdim=True)  # (N, C, 1, 1)
        variance = (x - mean).square().mean((2, 3), keepdim=True)
        contrast = (variance + CCA_EPSILON).sqrt() + mean
        gate = self.excite(F.relu(self.squeeze(contrast), inplace=True)).sigmoid()
        return x * gate

    def write_operators(self, tape: Tape, x: Value, path: str) -> Value:
        """Append this module's operators."""
        mean = tape.mean(x)
        square = tape.elementwise("square", tape.elementwise("subtract", x, mean))
        variance = tape.elementwise("add_scalar", tape.mean(square), value=CCA_EPSILON)
        contrast = tape.elementwise("add", tape.elementwise("sqrt", variance), mean)
        hidden = tape.elementwise("relu", self.squeeze.write_operators(tape, contrast, f"{path}.squeeze"))
        gate = tape.elementwise("sigmoid", self.excite.write_operators(tape, hidden, f"{path}.excite"))
        return tape.elementwise("multiply", x, gate)


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

    def write_operators(self, tape: Tape, x: Value, path: str) -> Value:
        """Append this module's operators as one block."""
        parts = [x]
        for name, conv in named_convs(self.convs):
            y = conv.write_operators(tape, parts[-1], f"{path}.convs.{name}")
            parts.append(tape.elementwise("leaky_relu", y, value=SLOPE))
        attended = self.cca.write_operators(tape, tape.concat(*parts), f"{path}.cca")
        output = tape.elementwise("add", self.fuse.write_operators(tape, attended, f"{path}.fuse"), x)
        tape.close_block(self.key)
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

    def write_operators(self, tape: Tape, x: Value, skip: Value, path: str) -> Value:
        """Append this module's operators as one block."""
        y = self.cca.write_operators(tape, self.conv.write_operators(tape, x, f"{path}.conv"), f"{path}.cca")
        output = tape.elementwise("add", y, skip)
        tape.close_block(self.key)
        return output


class MFAM(nn.Module):
    """Multi-scale feature aggregation module: two CFABs and a tail."""

    def __init__(self, groups: dict[str, Group], number: int) -> None:
        super().__init__()
        last = CFABS_PER_MFAM * number
        self.cfab_a = CFAB(groups, f"cfab_{last - 1}")
        self.cfab_b = CFAB(groups, f"cfab_{last}")
        self.tail = Tail(groups, f"mfam_{number}")

    def advance(self, passed: "Passed", half: int) -> "Passed":
        """The first half (0) is a CFAB alone, the second (1) a CFAB and the tail, which ends the module."""
        if half == 0:
            return passed._replace(x=self.cfab_a(passed.x))
        y = self.tail(self.cfab_b(passed.x), passed.taps[-1])
        return Passed(y, (*passed.taps, y))

    def write_operators(self, tape: Tape, x: Value, path: str) -> Value:
        """Append this module's operators."""
        y = self.cfab_a.write_operators(tape, x, f"{path}.cfab_a")
        y = self.cfab_b.write_operators(tape, y, f"{path}.cfab_b")
        return self.tail.write_operators(tape, y, x, f"{path}.tail")


class Passed(NamedTuple):
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

    def write_operators(self, tape: Tape, features: list[Value], skip: Value, path: str) -> Value:
        """Append this module's operators as one block."""
        y = self.squeeze.write_operators(tape, tape.concat(*features), f"{path}.squeeze")
        y = tape.elementwise("add", self.smooth.write_operators(tape, y, f"{path}.smooth"), skip)
        pixels = self.reconstruct.write_operators(tape, y, f"{path}.reconstruct")
        output = tape.pixel_shuffle(pixels, self.scale)
        tape.close_block(self.key)
        return output


class BicubicResidual(nn.Module):
    """Adds the bicubically enlarged input to the output, so that the network learns the difference alone.

    Not in the paper; it makes short training possible. Enlarging by a whole number is one small filter a
    sub-pixel position (MATLAB's imresize: cubic a = -0.5, symmetric padding), so it is a fixed depthwise
    convolution and a PixelShuffle, which every runtime has.
    """

    BORDER_PX = 2
    filters: Tensor

    def __init__(self, scale: int) -> None:
        super().__init__()
        self.scale = scale
        self.register_buffer("filters", _bicubic_filters(scale), persistent=False)
        self.key = f"bicubic/x{scale}"

    def forward(self, image: Tensor, x: Tensor) -> Tensor:
        """The output (N, 3, scale H, scale W) and the input (N, 3, H, W) -> the sum."""
        padded = _pad_symmetric(_pad_symmetric(x, self.BORDER_PX, 2), self.BORDER_PX, 3)
        # Half precision would blur the image by a grey level.
        with torch.autocast(x.device.type, enabled=False):
            pixels = F.conv2d(padded, self.filters.to(x.dtype), groups=N_COLOURS)
        return image + F.pixel_shuffle(pixels, self.scale)

    def write_operators(self, tape: Tape, image: Value, x: Value, path: str) -> Value:
        """Append this module's operators as one block."""
        padded = tape.pad(tape.pad(x, self.BORDER_PX, axis=1), self.BORDER_PX, axis=2)
        pixels = tape.filter(padded, f"{path}.filters", N_COLOURS * self.scale**2, 2 * self.BORDER_PX + 1)
        output = tape.elementwise("add", image, tape.pixel_shuffle(pixels, self.scale))
        tape.close_block(self.key)
        return output


def _pad_symmetric(x: Tensor, border: int, axis: int) -> Tensor:
    """Mirror with the edge repeated: b a | a b c | c b. The axis must be at least `border` long."""
    first, last = x.narrow(axis, 0, border), x.narrow(axis, x.shape[axis] - border, border)
    return torch.cat((first.flip(axis), x, last.flip(axis)), axis)


def _bicubic_filters(scale: int) -> Tensor:
    """(3 scale^2, 1, 5, 5): for each colour and sub-pixel position the weights of the 5x5 neighbourhood."""
    border = BicubicResidual.BORDER_PX
    n = 4 * border + 1  # long enough for the middle pixel not to see the mirrored edges
    enlarged = resize_bicubic(torch.eye(n, dtype=torch.float64), size=(n * scale, n))
    middle = n // 2
    rows = enlarged[middle * scale : (middle + 1) * scale]
    weights = rows[:, middle - border : middle + border + 1]  # (scale, 5)
    filters = torch.einsum("ik,jl->ijkl", weights, weights).flatten(0, 1)  # (scale^2, 5, 5)
    return filters[:, None].repeat(N_COLOURS, 1, 1, 1).float()


class MFANet(nn.Module):
    """The generator at any positive widths; each of its convolutions names the channel groups it joins.

    residual: "bicubic" adds the enlarged input to the output (not in the paper), "none" is the paper's network.
    """

    def __init__(self, widths: Widths, scale: int = 4, residual: Residual = "none") -> None:
        super().__init__()
        groups = channel_groups(widths, scale)
        n_mfams = len(widths.cfabs) // CFABS_PER_MFAM
        self.widths = widths
        self.scale = scale
        self.residual_kind: Residual = residual
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
    def from_checkpoint(cls, checkpoint: Checkpoint, path: str | Path) -> Self:
        """The network that a checkpoint describes; `path` names it in errors."""
        config = dict(checkpoint.config)
        try:
            network = cls(Widths.of(config.pop("widths")), **config)  # pyright: ignore[reportArgumentType]
        except (KeyError, TypeError):
            raise InputError(f"checkpoint {path}: it does not describe an MFANet (found {config})") from None
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

    def begin(self, x: Tensor) -> Passed:
        """Through the head: LR images (N, 3, H, W) -> what the first CFAB needs."""
        first = self.head(x)  # (N, t, H, W)
        return Passed(first, (first,))

    def advance(self, passed: Passed, number: int) -> Passed:
        """Through CFAB `number` (from 0), and the tail of its MFAM where it is the last of that."""
        mfam = self.mfams[number // CFABS_PER_MFAM]
        assert isinstance(mfam, MFAM)
        return mfam.advance(passed, number % CFABS_PER_MFAM)

    def finish(self, passed: Passed, x: Tensor) -> Tensor:
        """Through fusion and residual: the HR images of the LR images `x`."""
        image = self.fusion(passed.taps[1:], passed.taps[0])
        return image if self.residual is None else self.residual(image, x)

    def blocks(self, height: int, width: int) -> list[Block]:
        """The operators of one LR image of (3, height, width), grouped into look-up-table blocks."""
        tape = Tape()
        x = tape.value(N_COLOURS, height, width)
        first = self.head.write_operators(tape, x, "head")
        tape.close_block(f"head/t{self.widths.trunk}")
        features = [first]
        for i, mfam in enumerate(self.mfams):
            assert isinstance(mfam, MFAM)
            features.append(mfam.write_operators(tape, features[-1], f"mfams.{i}"))
        image = self.fusion.write_operators(tape, features[1:], first, "fusion")
        if self.residual is not None:
            self.residual.write_operators(tape, image, x, "residual")
        return tape.blocks


def named_convs(module: nn.Module) -> Iterable[tuple[str, Conv]]:
    """The convolutions of a network with their paths, in the order of definition."""
    return ((name, child) for name, child in module.named_modules() if isinstance(child, Conv))


@cache
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
