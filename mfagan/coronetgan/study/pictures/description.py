"""What people see of slices: sample pictures, each block's share of the latency, drawings, and names with units."""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

from mfagan.coronetgan.study.pictures.drawing import choice_titles, draw_network
from mfagan.coronetgan.study.pictures.scenes import ScenePainter
from mfagan.coronetgan.study.scoring.choices import Options, Widths, read_choice
from mfagan.latency.priced_problem import LATENCY
from mfagan.progress import ProgressCallback, ignore_progress
from mfagan.study.titles import COST_TITLES
from search.description import PointDescription, StudyDescription
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
    painter: ScenePainter | None,
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
    pictures = [{} for _ in slices] if painter is None else painter.paint(slices, report)
    return StudyDescription(
        scenes=() if painter is None else painter.scenes,
        points={
            point.number: PointDescription(
                pictures=pictures_of_one,
                parts={} if price_parts is None else {LATENCY.name: price_parts(one)},
                drawing=draw_network(one, options),
            )
            for point, one, pictures_of_one in zip(points, slices, pictures, strict=True)
        },
        titles={**choice_titles(options), **_TITLES},
    )
