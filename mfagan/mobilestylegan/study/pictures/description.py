"""What people see of slices: sample pictures, each block's share of the latency, drawings, and names with units."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from types import MappingProxyType

from mfagan.mobilestylegan.study.pictures.drawing import choice_titles, draw_network
from mfagan.mobilestylegan.study.pictures.scenes import LatentPainter
from mfagan.mobilestylegan.study.scoring.choices import Channels, read_choice
from mfagan.progress import ProgressCallback, ignore_progress
from mfagan.study.slices.description import describe_slices
from mfagan.study.titles import COST_TITLES
from search.description import StudyDescription
from search.problem import Point

__all__ = ["BLOCK_TITLES", "describe_points"]

BLOCK_TITLES: Mapping[str, str] = MappingProxyType(
    {"mapping": "Mapping network", "first": "First convolution", "block": "Block", "head": "Head"}
)
"""What people read instead of the kinds of a student's blocks."""
_TITLES: Mapping[str, str] = MappingProxyType(
    {
        **COST_TITLES,
        "student": "Weight-shared student",
        "student_sha256": "sha256 of the weight-shared student",
        "teacher": "Teacher",
        "teacher_sha256": "sha256 of the teacher",
        "inception_sha256": "sha256 of Inception's weights",
        "latents": "Latents",
        "form": "Demodulation",
        "target_size": "Size of the images (height x width)",
    }
)


def describe_points(
    points: Sequence[Point],
    full: Channels,
    painter: LatentPainter | None,
    price_parts: Callable[[Channels], Sequence[tuple[str, float]]] | None,
    report: ProgressCallback = ignore_progress,
) -> StudyDescription:
    """Describe slices.

    Args:
        points: Finished trials, such as the front.
        full: Channels of the weight-shared student.
        painter: Paints the pictures; None to leave them out.
        price_parts: Tells what the latency of a slice is the sum of, in ms; None to leave that out.
        report: Called after each picture.

    Returns:
        Their description, without commands, which depend on where the study is kept.
    """
    slices = [read_choice(point.choice, full) for point in points]
    titles = {**choice_titles(len(full)), **_TITLES}
    return describe_slices(
        points, slices, partial(draw_network, full=full), titles, painter, price_parts, report
    )
