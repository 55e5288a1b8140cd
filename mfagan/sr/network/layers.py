"""The layers of MFANet: convolutions that know their channel groups, channel attention, the bicubic residual.

Every module records its operators beside its `forward`: change both together (a test compares them).
"""

from collections.abc import Iterable
from typing import Literal, NamedTuple, get_args

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mfagan.data.images import resize_bicubic
from mfagan.errors import InputError
from mfagan.graph.operators import Activation
from mfagan.graph.recorder import OperatorRecorder
from mfagan.networks.channel_gate import ChannelGate
from mfagan.sr.network.widths import Widths

__all__ = [
    "CCA_EPSILON",
    "CCA_REDUCTION",
    "CFABS_PER_MFAM",
    "N_COLOURS",
    "N_INNER_CONVS",
    "SCALES",
    "BicubicResidual",
    "ContrastAwareAttention",
    "Conv",
    "Group",
    "Groups",
    "Residual",
    "channel_groups",
    "find_scale",
    "named_convs",
    "require_residual",
    "require_scale",
]

N_COLOURS = 3
N_INNER_CONVS = 5
CFABS_PER_MFAM = 2
CCA_REDUCTION = 16
CCA_EPSILON = 1e-6

SCALES = (2, 3, 4)
"""The factors by which generators enlarge."""
Residual = Literal["none", "bicubic"]
"""Whether a generator adds the enlarged input to its output."""


def require_scale(scale: object) -> int:
    """The same factor, if it is one of `SCALES`.

    Args:
        scale: The factor, of any type.

    Raises:
        InputError: It is another value or not a whole number.
    """
    if type(scale) is not int or scale not in SCALES:
        raise InputError(f"scale is {scale!r}; choose 2, 3 or 4")
    return scale


def find_scale(channels: int) -> int:
    """Find the factor by which a network enlarges whose last convolution makes the pixels.

    Args:
        channels: Output channels of that convolution.

    Raises:
        InputError: The number belongs to none of `SCALES`.
    """
    for scale in SCALES:
        if channels == N_COLOURS * scale**2:
            return scale
    raise InputError(f"its last convolution has {channels} channels, which is no enlargement by 2, 3 or 4")


def require_residual(residual: object) -> Residual:
    """The same residual, if it is one of `Residual`.

    Args:
        residual: Its name, of any type.

    Raises:
        InputError: It is another value.
    """
    for known in get_args(Residual):
        if residual == known:
            return known
    raise InputError(f"residual {residual!r}: give {' or '.join(get_args(Residual))}")


class Group(NamedTuple):
    """Channels that belong together: a SubGenerator keeps the front ones of each group."""

    name: str
    size: int


Groups = tuple[Group, ...]


def channel_groups(widths: Widths, scale: int = 4) -> dict[str, Group]:
    """Every channel group of a network, by name.

    Args:
        widths: The network's channel widths.
        scale: Its enlargement.
    """
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

    Args:
        reads: Groups of its input channels.
        writes: Groups of its output channels.
        kernel: Side of the filter, in pixels; an odd number.
    """

    def __init__(self, reads: Groups, writes: Groups, kernel: int) -> None:
        super().__init__(_count(reads), _count(writes), kernel, padding=kernel // 2)
        self.reads = reads
        self.writes = writes

    def write_operators(self, recorder: OperatorRecorder, x: Activation, path: str) -> Activation:
        """Record this convolution.

        Args:
            recorder: What records the operators.
            x: Its input.
            path: The module's path in the network.

        Returns:
            The module's output.
        """
        return recorder.conv(x, path, self.out_channels, self.kernel_size[0])


def named_convs(module: nn.Module) -> Iterable[tuple[str, Conv]]:
    """The convolutions of a network with their paths, in the order of definition.

    Args:
        module: The network or a part of it.
    """
    return ((name, child) for name, child in module.named_modules() if isinstance(child, Conv))


class ContrastAwareAttention(ChannelGate):
    """CCA of IMDN (Hui et al. 2019): a gate from each channel's standard deviation plus its mean scales the channel.

    Args:
        channels: Groups of the channels that are scaled.
        hidden: The group between the two convolutions of the gate.
    """

    def __init__(self, channels: Groups, hidden: Group) -> None:
        super().__init__()
        self.squeeze = Conv(channels, (hidden,), 1)
        self.excite = Conv((hidden,), channels, 1)

    def gate(self, mean: Tensor, variance: Tensor) -> Tensor:
        """The factor of each channel, in [0, 1], from its statistics.

        Args:
            mean: Mean of each channel, (N, C, 1, 1).
            variance: Population variance of each channel, (N, C, 1, 1).

        Returns:
            Factors, (N, C, 1, 1).
        """
        contrast = (variance + CCA_EPSILON).sqrt() + mean
        return self.excite(F.relu(self.squeeze(contrast), inplace=True)).sigmoid()

    def write_operators(self, recorder: OperatorRecorder, x: Activation, path: str) -> Activation:
        """Record this module's operators.

        Args:
            recorder: What records the operators.
            x: Its input.
            path: The module's path in the network.

        Returns:
            The module's output.
        """
        mean = recorder.mean(x)
        square = recorder.elementwise("square", recorder.elementwise("subtract", x, mean))
        variance = recorder.elementwise("add_scalar", recorder.mean(square), value=CCA_EPSILON)
        contrast = recorder.elementwise("add", recorder.elementwise("sqrt", variance), mean)
        hidden = recorder.elementwise(
            "relu", self.squeeze.write_operators(recorder, contrast, f"{path}.squeeze")
        )
        gate = recorder.elementwise(
            "sigmoid", self.excite.write_operators(recorder, hidden, f"{path}.excite")
        )
        return recorder.elementwise("multiply", x, gate)


class BicubicResidual(nn.Module):
    """Adds the bicubically enlarged input to the output, so that the network learns the difference alone.

    Not in the paper; it makes short training possible. Enlarging by a whole number is one small filter for each
    sub-pixel position (MATLAB's imresize: cubic a = -0.5, symmetric padding), so it is a fixed depthwise
    convolution and a PixelShuffle, which every runtime has.

    Args:
        scale: Factor by which height and width are enlarged.
    """

    BORDER_PX = 2
    filters: Tensor

    def __init__(self, scale: int) -> None:
        super().__init__()
        self.scale = scale
        self.register_buffer("filters", _bicubic_filters(scale), persistent=False)
        self.key = f"bicubic/x{scale}"

    def forward(self, image: Tensor, x: Tensor) -> Tensor:
        """Add the enlarged input to the output.

        Args:
            image: The network's output (N, 3, scale H, scale W).
            x: Its input (N, 3, H, W).

        Returns:
            The sum, (N, 3, scale H, scale W).
        """
        padded = _pad_symmetric(_pad_symmetric(x, self.BORDER_PX, 2), self.BORDER_PX, 3)
        # Half precision would blur the image by a grey level.
        device = "cpu" if x.is_meta else x.device.type  # autocast knows no meta device
        with torch.autocast(device, enabled=False):
            pixels = F.conv2d(padded, self.filters.to(x.dtype), groups=N_COLOURS)
        return image + F.pixel_shuffle(pixels, self.scale)

    def write_operators(
        self, recorder: OperatorRecorder, image: Activation, x: Activation, path: str
    ) -> Activation:
        """Record this module's operators as one block.

        Args:
            recorder: What records the operators.
            image: The network's output, (3, scale H, scale W).
            x: Its input, (3, H, W).
            path: The module's path in the network.

        Returns:
            The module's output.
        """
        border = self.BORDER_PX
        padded = recorder.pad(x, (border, border, 0, 0), "symmetric")
        padded = recorder.pad(padded, (0, 0, border, border), "symmetric")
        pixels = recorder.filter(padded, f"{path}.filters", N_COLOURS * self.scale**2, 2 * self.BORDER_PX + 1)
        output = recorder.elementwise("add", image, recorder.pixel_shuffle(pixels, self.scale))
        recorder.close_block(self.key)
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
