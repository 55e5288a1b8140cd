"""Records a network's operators: what a network calls to list them, block by block."""

from collections.abc import Sequence
from math import prod

from mfagan.graph.operators import Activation, Block, Operator, Window

__all__ = ["OperatorRecorder"]


class OperatorRecorder:
    """Records operators, in order, grouped into blocks.

    Every method that records an operator returns the operator's output.
    """

    def __init__(self) -> None:
        self.blocks: list[Block] = []
        self._operators: list[Operator] = []
        self._n_activations = 0

    def close_block(self, key: str) -> None:
        """Make a block of all operators since the last one.

        Args:
            key: The block's name, which is its key in look-up tables.
        """
        self.blocks.append(Block(key, tuple(self._operators)))
        self._operators = []

    def value(self, channels: int, height: int, width: int) -> Activation:
        """A new activation that no recorded operator makes, such as the network's input.

        Args:
            channels: Its channels.
            height: Its rows.
            width: Its columns; the number of features if it is a vector, whose other sizes are 1.
        """
        self._n_activations += 1
        return Activation(f"v{self._n_activations}", channels, height, width)

    def _write(
        self, kind: str, inputs: tuple[Activation, ...], shape: tuple[int, int, int], **fields
    ) -> Activation:
        output = self.value(*shape)
        self._operators.append(Operator(kind, inputs, output, **fields))
        return output

    def conv(
        self,
        x: Activation,
        weights: str,
        channels: int,
        window: Window | int,
        groups: int = 1,
        bias: bool = True,
    ) -> Activation:
        """Record a learned convolution.

        Args:
            x: Its input.
            weights: The module path of its parameters, `PATH.weight` and `PATH.bias`.
            channels: Output channels.
            window: Its geometry; a number is the side of a kernel that keeps the size.
            groups: Groups of channels; the input's channels for a depthwise convolution.
            bias: Whether it adds a learned bias.
        """
        window = Window.same(window) if isinstance(window, int) else window
        terms = x.channels // groups * window.area
        return self._write(
            "conv",
            (x,),
            (channels, *window.conv_size(x.height, x.width)),
            weights=weights,
            parameters=channels * (terms + bias),
            terms=terms,
            window=window,
            groups=groups,
            bias=bias,
        )

    def filter(
        self,
        x: Activation,
        weights: str,
        channels: int,
        window: Window | int,
        groups: int | None = None,
        mode: str = "",
    ) -> Activation:
        """Record a bank of fixed filters without a bias; nothing in it is learned.

        Args:
            x: Its input.
            weights: The path of the buffer that holds the filters.
            channels: Output channels, a multiple of the groups.
            window: Its geometry; a number is the side of a kernel without padding.
            groups: Groups of channels; None for each channel alone.
            mode: As in `Operator.mode`.
        """
        window = Window.square(window) if isinstance(window, int) else window
        shape = (channels, *window.conv_size(x.height, x.width))
        groups = groups or x.channels
        terms = x.channels // groups * window.area
        fields = {"weights": weights, "terms": terms, "window": window, "groups": groups, "mode": mode}
        return self._write("conv", (x,), shape, **fields)

    def filter_transposed(self, x: Activation, weights: str, window: Window) -> Activation:
        """Record a fixed transposed filter on each channel alone, without a bias.

        Args:
            x: Its input.
            weights: The path of the buffer that holds the filters.
            window: Its geometry.
        """
        shape = (x.channels, *window.transposed_size(x.height, x.width))
        fields = {"weights": weights, "terms": window.area, "window": window, "groups": x.channels}
        return self._write("conv_transpose", (x,), shape, **fields)

    def conv_transpose(
        self,
        x: Activation,
        weights: str,
        channels: int,
        window: Window,
        groups: int = 1,
        bias: bool = True,
    ) -> Activation:
        """Record a learned transposed convolution.

        Args:
            x: Its input.
            weights: The module path of its parameters, `PATH.weight` and `PATH.bias`.
            channels: Output channels.
            window: Its geometry.
            groups: Groups of channels.
            bias: Whether it adds a learned bias.
        """
        terms = x.channels // groups * window.area
        return self._write(
            "conv_transpose",
            (x,),
            (channels, *window.transposed_size(x.height, x.width)),
            weights=weights,
            parameters=channels * (terms + bias),
            terms=terms,
            window=window,
            groups=groups,
            bias=bias,
        )

    def linear(
        self, x: Activation, weights: str, features: int, bias: bool = True, learned: bool = True
    ) -> Activation:
        """Record a linear layer on the last axis.

        Args:
            x: Its input, (1, 1, features) or (1, positions, features).
            weights: The module path of its parameters, `PATH.weight` and `PATH.bias`.
            features: Output features.
            bias: Whether it adds a bias.
            learned: Whether its numbers are parameters of its own, not computed from those of other operators.
        """
        shape = (x.channels, x.height, features)
        parameters = features * (x.width + bias) if learned else 0
        fields = {"weights": weights, "parameters": parameters, "terms": x.width, "bias": bias}
        return self._write("linear", (x,), shape, **fields)

    def norm(
        self, kind: str, x: Activation, weights: str = "", affine: bool = True, groups: int = 1
    ) -> Activation:
        """Record a normalisation of the channels.

        Args:
            kind: batch_norm (with running statistics), instance_norm or group_norm.
            x: Its input.
            weights: The module path of its parameters.
            affine: Whether it has a learned scale and shift for each channel.
            groups: Groups of a group_norm; 1 for other kinds.
        """
        learned = 2 * x.channels if affine else 0
        return self._write(kind, (x,), x.shape, weights=weights, parameters=learned, groups=groups)

    def concat(self, *parts: Activation) -> Activation:
        """Record a concatenation of channels.

        Args:
            *parts: Activations of one height and width, in order.
        """
        channels = sum(part.channels for part in parts)
        return self._write("concat", parts, (channels, parts[0].height, parts[0].width))

    def elementwise(
        self,
        kind: str,
        *inputs: Activation,
        value: float = 0.0,
        weights: str = "",
        parameters: int = 0,
        operand: tuple[int, int, int] | None = None,
    ) -> Activation:
        """Record an operator on numbers at the same position; what is smaller is broadcast.

        Args:
            kind: As in `Operator.kind`.
            *inputs: What it reads.
            value: As in `Operator.value`.
            weights: The module path of a learned or fixed second operand, if it has one.
            parameters: How many learned numbers that holds.
            operand: Its shape (channels, height, width), if it is not one number for each channel.
        """
        shapes = [x.shape for x in inputs] + ([operand] if operand else [])
        channels, height, width = (max(sizes) for sizes in zip(*shapes, strict=True))
        return self._write(
            kind,
            inputs,
            (channels, height, width),
            value=value,
            weights=weights,
            parameters=parameters,
            operand=operand,
        )

    def mean(self, x: Activation) -> Activation:
        """Record the mean over height and width.

        Args:
            x: Its input.
        """
        return self._write("mean", (x,), (x.channels, 1, 1))

    def pad(self, x: Activation, border: tuple[int, int, int, int], mode: str = "zero") -> Activation:
        """Record a padding.

        Args:
            x: Its input.
            border: Rows and columns that are added: (top, bottom, left, right).
            mode: zero, reflect, replicate or symmetric.
        """
        top, bottom, left, right = border
        shape = (x.channels, x.height + top + bottom, x.width + left + right)
        return self._write("pad", (x,), shape, mode=mode, border=border)

    def pool(self, kind: str, x: Activation, window: Window) -> Activation:
        """Record a pooling.

        Args:
            kind: max_pool or avg_pool.
            x: Its input.
            window: Its geometry.
        """
        return self._write(kind, (x,), (x.channels, *window.conv_size(x.height, x.width)), window=window)

    def resample(self, x: Activation, size: tuple[int, int], mode: str) -> Activation:
        """Record a resampling.

        Args:
            x: Its input.
            size: (height, width) of the output.
            mode: nearest, bilinear or bicubic.
        """
        return self._write("resample", (x,), (x.channels, *size), mode=mode)

    def pixel_shuffle(self, x: Activation, scale: int) -> Activation:
        """Record channels that become pixels (PyTorch's PixelShuffle).

        Args:
            x: Its input; its channels are a multiple of scale x scale.
            scale: Factor of height and width.
        """
        shape = (x.channels // scale**2, x.height * scale, x.width * scale)
        return self._write("pixel_shuffle", (x,), shape, value=scale)

    def pixel_unshuffle(self, x: Activation, scale: int) -> Activation:
        """Record pixels that become channels (PyTorch's PixelUnshuffle).

        Args:
            x: Its input; its height and width are multiples of `scale`.
            scale: Divisor of height and width.
        """
        shape = (x.channels * scale**2, x.height // scale, x.width // scale)
        return self._write("pixel_unshuffle", (x,), shape, value=scale)

    def row(self, x: Activation, number: int) -> Activation:
        """Record that one row is taken out.

        Args:
            x: Its input.
            number: The row, counted from 0.
        """
        shape = (x.channels, 1, x.width)
        return self._write("slice", (x,), shape, axis="height", span=(number, number + 1))

    def reshape(self, x: Activation, shape: Sequence[int]) -> Activation:
        """Record that the same numbers get another shape, which costs nothing and which a trace does not show.

        Args:
            x: Its input.
            shape: (channels, height, width) of the output.

        Raises:
            ValueError: `shape` holds another number of elements.
        """
        channels, height, width = shape
        if prod(shape) != x.elements:
            raise ValueError(f"shape {tuple(shape)} for {x.elements} elements of {x.shape}")
        return self._write("reshape", (x,), (channels, height, width))
