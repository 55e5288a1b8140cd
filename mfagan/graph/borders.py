"""A pass that cuts a reflected border from a picture and joins it to it.

TFLite's MIRROR_PAD copies number by number on a CPU, and XNNPACK, NNAPI and most NPUs do not take it; slices and
concatenations are taken everywhere.
"""

from dataclasses import replace

from mfagan.graph.operators import Activation, Axis, Operator
from mfagan.graph.rewriting import Pass

__all__ = ["Borders"]

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
