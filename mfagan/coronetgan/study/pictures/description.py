"""What people see of slices: sample pictures, each block's share of the latency, drawings, and names with units."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from types import MappingProxyType

from mfagan.coronetgan.study.pictures.drawing import choice_titles, draw_network
from mfagan.coronetgan.study.pictures.scenes import TranslationPainter
from mfagan.coronetgan.study.scoring.choices import Options, Widths, read_choice
from mfagan.progress import ProgressCallback, ignore_progress
from mfagan.study.slices.description import describe_slices
from mfagan.study.titles import COST_TITLES
from search.description import StudyDescription
from search.problem import Point

__all__ = ["BLOCK_TITLES", "describe_points"]

BLOCK_TITLES: Mapping[str, str] = MappingProxyType(
    {
        "stem": "Stem",
        "down": "Halving",
        "block": "Block",
        "up": "Doubling",
        "shuffle": "Doubling",
        "tail": "Tail",
        **{
            f"{way}{level}": f"{name} {level}"
            for way, name in (("down", "Down"), ("up", "Up"))
            for level in range(1, 17)
        },
    }
)
"""What people read instead of the kinds of a translator's blocks."""
_TITLES: Mapping[str, str] = MappingProxyType(
    {
        **COST_TITLES,
        "supernet": "Weight-shared network",
        "supernet_sha256": "sha256 of the weight-shared network",
        "unpruned": "Unpruned network",
        "unpruned_sha256": "sha256 of the unpruned network",
        "images_sha256": "sha256 of the pictures",
        "inception_sha256": "sha256 of Inception's weights",
        "role": "Role of the weight-shared network",
        "quality": "Scored by",
        "statistics": "Statistics of batch norm",
        "target_size": "Size of the pictures (height x width)",
    }
)


def describe_points(
    points: Sequence[Point],
    options: Options,
    painter: TranslationPainter | None,
    price_parts: Callable[[Widths], Sequence[tuple[str, float]]] | None,
    report: ProgressCallback = ignore_progress,
) -> StudyDescription:
    """Describe slices.

    Args:
        points: Finished trials, such as the front.
        options: Of each choice.
        painter: Paints the pictures; None to leave them out.
        price_parts: Tells what the latency of a slice is the sum of, in ms; None to leave that out.
        report: Called after each picture.

    Returns:
        Their description, without commands, which depend on where the study is kept.
    """
    slices = [read_choice(point.choice, options) for point in points]
    titles = {**choice_titles(options), **_TITLES}
    return describe_slices(
        points, slices, partial(draw_network, options=options), titles, painter, price_parts, report
    )
