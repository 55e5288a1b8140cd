"""Passes for large convolutions of pictures: the reflected border before them, and few output channels.

TFLite's MIRROR_PAD copies number by number on a CPU, and XNNPACK, NNAPI and most NPUs do not take it; slices and
concatenations are taken everywhere. A convolution of three output channels costs XNNPACK as much as one of 8 or 16.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from mfagan.graph.operators import Activation, Axis, Operator
from mfagan.graph.rewriting import Pass

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["Borders", "Squares"]

_MOST = 4
"""The widest border that is cut, row by row: XNNPACK takes concatenations of four parts."""


class Borders(Pass):
    """pad reflect -> the rows above and below, then the columns left and right, as slices that are concatenated."""

    def rewrite(self, operator: Operator) -> list[Operator]:
        """As `Pass.rewrite`."""
        if operator.kind != "pad" or operator.mode != "reflect" or max(operator.border) > _MOST:
            return [operator]
        top, bottom, left, right = operator.border
        (x,), y = operator.inputs, operator.output
        if not (left or right):
            return _extend(x, y, "height", top, bottom)
        if not (top or bottom):
            return _extend(x, y, "width", left, right)
        rows = replace(x, name=f"{y.name}.rows", height=y.height)
        return [*_extend(x, rows, "height", top, bottom), *_extend(rows, y, "width", left, right)]


def _extend(x: Activation, y: Activation, axis: Axis, before: int, after: int) -> list[Operator]:
    """Reflect the ends of one axis."""
    found: list[Operator] = []

    def named(role: str, size: int) -> Activation:
        return replace(x, name=f"{y.name}.{axis}.{role}", **{axis: size})

    def cut(role: str, lines: range) -> list[Activation]:
        if not lines:
            return []
        parts = [named(f"{role}{line}", 1) for line in lines]
        found.extend(
            Operator("slice", (x,), part, axis=axis, span=(line, line + 1))
            for part, line in zip(parts, lines, strict=True)
        )
        if len(parts) == 1:
            return parts
        found.append(Operator("concat", tuple(parts), named(role, len(parts)), axis=axis))
        return [found[-1].output]

    size: int = getattr(x, axis)
    parts = [*cut("before", range(before, 0, -1)), x, *cut("after", range(size - 2, size - 2 - after, -1))]
    return [*found, Operator("concat", tuple(parts), y, axis=axis)]


_FEW, _LARGE = 4, 5
"""Output channels at most, and the least side of a kernel, of a convolution that `Squares` rewrites."""


@dataclass(frozen=True)
class _Shifted:
    """The weights of a convolution four times over, each a pixel further right or down in a kernel of one px more.

    Args:
        layer: path of the weights.
        bias: whether there is one.
    """

    layer: str
    bias: bool

    def make(self, path: str, weights: Mapping[str, "Tensor"]) -> dict[str, "Tensor"]:
        """As in `mfagan.graph.rewriting.Made`."""
        kernel = weights[f"{self.layer}.weight"]
        rows, columns, height, width = kernel.shape
        shifted = kernel.new_zeros(rows, 2, 2, columns, height + 1, width + 1)
        for y in range(2):
            for x in range(2):
                shifted[:, y, x, :, y : y + height, x : x + width] = kernel
        found = {f"{path}.weight": shifted.flatten(0, 2)}
        if self.bias:
            found[f"{path}.bias"] = weights[f"{self.layer}.bias"].repeat_interleave(4)
        return found


class Squares(Pass):
    """A large convolution of few channels -> one of stride 2 that makes squares of 2x2 px, and a pixel shuffle."""

    def rewrite(self, operator: Operator) -> list[Operator]:
        """As `Pass.rewrite`."""
        if not _is_wide(operator):
            return [operator]
        y, window = operator.output, operator.window
        assert window is not None
        path = f"{operator.weights}:squares"
        self.weights[path] = _Shifted(operator.weights, operator.bias)
        squares = Activation(f"{y.name}.squares", 4 * y.channels, y.height // 2, y.width // 2)
        kernel = (window.kernel[0] + 1, window.kernel[1] + 1)
        terms = operator.inputs[0].channels * kernel[0] * kernel[1]
        made = replace(
            operator,
            output=squares,
            weights=path,
            window=replace(window, kernel=kernel, stride=(2, 2)),
            terms=terms,
            parameters=squares.channels * (terms + operator.bias),
        )
        return [made, Operator("pixel_shuffle", (squares,), y, value=2)]


def _is_wide(operator: Operator) -> bool:
    """Whether an operator is a convolution whose large kernel makes few channels of a picture of even sides."""
    window, y = operator.window, operator.output
    if operator.kind != "conv" or window is None or operator.groups != 1:
        return False
    plain = window.stride == window.dilation == (1, 1) and window.padding == (0, 0)
    return plain and y.channels <= _FEW and min(window.kernel) >= _LARGE and not (y.height % 2 or y.width % 2)
