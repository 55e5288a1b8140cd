"""A slice drawn small: its layers in the order of the data, each as high as it is wide in channels."""

from collections.abc import Iterable, Sequence

from mfagan.coronetgan.study.scoring.choices import Options
from search.description import Box, Drawing

__all__ = ["choice_titles", "draw_network"]

_HEIGHT, _BOX, _GAP = 100.0, 24.0, 10.0
"""Height of the widest layer, widths of a layer's box and of the gap between two: the unit of length is any."""
_TITLES = {
    "a": "Width of the stem",
    "b": "Width after the first halving",
    "res": "Width between the blocks",
    "u1": "Width after the first doubling",
    "u2": "Width after the second doubling",
}
_CAPTIONS = {"a": "stem", "b": "down", "u1": "up", "u2": "up"}


def choice_titles(names: Iterable[str]) -> dict[str, str]:
    """What people read instead of the names of the choices.

    Args:
        names: Those of the choices.
    """
    return {name: _title(name) for name in names}


def draw_network(widths: Sequence[int], options: Options) -> Drawing:
    """Draw a slice.

    Args:
        widths: Its widths.
        options: Of each choice, the full width first.

    Returns:
        A box for each choice, named by its title, with a caption below, and one for the picture at either end. A
        network of levels has two boxes a level but for the innermost, the way in and the way out, joined by a skip.
    """
    scale = _HEIGHT / max(one[0] for one in options.values())
    heights = [scale * width for width in widths]
    tops = [(_HEIGHT - height) / 2 for height in heights]
    order = list(range(len(options)))
    skips: list[tuple[int, int]] = []
    if next(iter(options)) not in _TITLES:
        for level in order:  # each below the skip around it
            tops[level] = _GAP + (tops[level - 1] + heights[level - 1] / 2 if level else 0.0)
        skips = [(level + 1, 2 * len(order) - 1 - level) for level in order[:-1]]
        order += order[-2::-1]
    titles = list(choice_titles(options).values())
    middle = tops[order[0]] + heights[order[0]] / 2

    def picture(name: str, i: int) -> Box:
        return Box(name, "RGB", i * (_BOX + _GAP), middle - _BOX / 2, _BOX, _BOX)

    layers = [
        Box(titles[one], str(widths[one]), i * (_BOX + _GAP), tops[one], _BOX, heights[one])
        for i, one in enumerate(order, 1)
    ]
    below = max(box.y + box.height for box in layers) + _GAP
    captions = [
        Box("", _caption(list(options)[one]), i * (_BOX + _GAP) - _GAP / 2, below, _BOX + _GAP, 0.0)
        for i, one in enumerate(order, 1)
    ]
    boxes = [picture("Input", 0), *layers, picture("Output", len(layers) + 1)]
    return Drawing([*boxes, *captions], [*((i, i + 1) for i in range(len(boxes) - 1)), *skips])


def _title(name: str) -> str:
    if name.startswith("inner"):
        return f"Width inside the blocks, part {name.removeprefix('inner')}"
    if name.startswith("level"):
        return f"Width of level {name.removeprefix('level')}"
    return _TITLES[name]


def _caption(name: str) -> str:
    return _CAPTIONS.get(name, name.removeprefix("level"))
