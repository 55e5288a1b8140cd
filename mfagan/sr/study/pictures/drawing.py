"""A SubGenerator drawn small: its layers in the order of the data, each as high as it is wide in channels."""

from collections.abc import Mapping
from types import MappingProxyType

from mfagan.sr.network.layers import CFABS_PER_MFAM
from mfagan.sr.network.widths import NAMES, OPTIONS, Widths
from search.description import Box, Drawing

__all__ = ["CHOICE_TITLES", "draw_network"]

CHOICE_TITLES: Mapping[str, str] = MappingProxyType(
    {
        name: f"CFAB {name.removeprefix('cfab_')}" if name.startswith("cfab_") else name.capitalize()
        for name in NAMES
    }
)
"""What people read instead of the names of the eight choices."""

_BOX, _GAP, _NODE = 28.0, 14.0, 8.0
"""Widths of a layer's box, of the gap between two, and of a node, in channels, as all lengths of the drawing."""


def draw_network(widths: Widths) -> Drawing:
    """Draw a SubGenerator.

    The head and the CFABs stand in the upper row. Below it the outputs of the MFAMs lead to the fusion, and the long
    skip from the head to the sum behind it.

    Args:
        widths: The SubGenerator's widths.

    Returns:
        A box for each of the eight widths, named by its title, a node for each MFAM and for the sum, captions, and
        lines.
    """
    highest = float(max(*OPTIONS, *widths))
    middle, lower = highest / 2, highest * 1.3
    row = [
        _layer(name, width, i * (_BOX + _GAP), middle)
        for i, (name, width) in enumerate(zip(NAMES[:-1], widths, strict=False))
    ]
    lines = [(i, i + 1) for i in range(len(row) - 1)]
    ends = range(CFABS_PER_MFAM, len(row), CFABS_PER_MFAM)
    taps = [
        # The later a tap, the higher, so that the lines to the fusion lie apart.
        _node(f"Output of MFAM {number}", row[end].x + _BOX + _GAP / 2, lower + (len(ends) - number) * _NODE)
        for number, end in enumerate(ends, 1)
    ]
    fusion = _layer(NAMES[-1], widths.fusion, row[-1].x + _BOX + 2 * _GAP, lower + _NODE)
    skip_y = lower + _NODE + middle + _GAP
    skip = _node("Long skip", _BOX + _GAP / 2, skip_y)
    total = _node("Sum", fusion.x + _BOX + _GAP, skip_y, "+")
    captions = [
        _caption(CHOICE_TITLES[NAMES[0]], row[0].x - _GAP / 2, _BOX + _GAP, -_GAP),
        *(
            _caption(f"MFAM {number}", row[end - 1].x, 2 * _BOX + _GAP, -_GAP)
            for number, end in enumerate(ends, 1)
        ),
        _caption(CHOICE_TITLES[NAMES[-1]], fusion.x - _GAP, _BOX + 2 * _GAP, lower + _NODE - middle - _GAP),
    ]
    boxes = [*row, *taps, fusion, skip, total, *captions]
    index = {box.name: i for i, box in enumerate(boxes)}
    for tap, end in zip(taps, ends, strict=True):
        lines += [(end, index[tap.name]), (index[tap.name], index[fusion.name])]
    lines += [(0, index[skip.name]), (index[skip.name], index[total.name])]
    lines += [(index[fusion.name], index[total.name])]
    return Drawing(boxes, lines)


def _layer(name: str, width: int, x: float, middle: float) -> Box:
    return Box(CHOICE_TITLES[name], str(width), x, middle - width / 2, _BOX, float(width))


def _node(name: str, x: float, middle: float, text: str = "") -> Box:
    return Box(name, text, x, middle - _NODE / 2, _NODE, _NODE)


def _caption(text: str, x: float, width: float, middle: float) -> Box:
    """Text alone: a box without height is not seen."""
    return Box("", text, x, middle, width, 0.0)
