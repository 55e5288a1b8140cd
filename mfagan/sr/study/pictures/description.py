"""What people see of SubGenerators: pictures, each block's share of the latency, drawings, and names with units."""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

from mfagan.progress import ProgressCallback, ignore_progress
from mfagan.sr.network.widths import Widths
from mfagan.sr.study.pictures.drawing import CHOICE_TITLES, draw_network
from mfagan.sr.study.pictures.scenes import CropPainter
from mfagan.study.slices.description import describe_slices
from mfagan.study.titles import COST_TITLES
from search.description import StudyDescription
from search.problem import Point

__all__ = ["BLOCK_TITLES", "TITLES", "describe_points"]

BLOCK_TITLES: Mapping[str, str] = MappingProxyType(
    {
        "head": "Head",
        "cfab": "CFAB",
        "tail": "MFAM tail",
        "fusion": "Fusion",
        "bicubic": "Bicubic residual",
    }
)
"""What people read instead of the kinds of an MFANet's blocks."""
TITLES: Mapping[str, str] = MappingProxyType(
    {
        **CHOICE_TITLES,
        **COST_TITLES,
        "precision": "Scored in",
        "supernet": "SuperGenerator",
        "supernet_sha256": "sha256 of the SuperGenerator",
        "images_sha256": "sha256 of the images",
        "target_size": "LR size of the latency (height x width)",
    }
)
"""What people read instead of the names of choices, attributes and facts of a study."""


def describe_points(
    points: Sequence[Point],
    painter: CropPainter | None,
    price_parts: Callable[[Widths], Sequence[tuple[str, float]]] | None,
    report: ProgressCallback = ignore_progress,
) -> StudyDescription:
    """Describe SubGenerators.

    Args:
        points: Finished trials, such as the front.
        painter: Paints the pictures; None to leave them out.
        price_parts: Tells what the latency of widths is the sum of, in ms; None to leave that out.
        report: Called after each picture.

    Returns:
        Their description, without commands, which depend on where the study is kept.
    """
    widths = [Widths.from_choice(point.choice) for point in points]
    return describe_slices(points, widths, draw_network, TITLES, painter, price_parts, report)
