"""What the page of a study shows of slices."""

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from mfagan.latency.priced_problem import LATENCY
from mfagan.progress import ProgressCallback, ignore_progress
from mfagan.study.slices.scenes import ScenePainter
from search.description import Drawing, PointDescription, StudyDescription
from search.problem import Point

__all__ = ["describe_slices"]

WidthsT = TypeVar("WidthsT")


def describe_slices(
    points: Sequence[Point],
    slices: Sequence[WidthsT],
    draw: Callable[[WidthsT], Drawing],
    titles: Mapping[str, str],
    painter: ScenePainter[WidthsT] | None = None,
    price_parts: Callable[[WidthsT], Sequence[tuple[str, float]]] | None = None,
    report: ProgressCallback = ignore_progress,
) -> StudyDescription:
    """Describe slices.

    Args:
        points: Finished trials, such as the front.
        slices: Their widths.
        draw: Draws a slice.
        titles: What people read instead of the names of choices and attributes.
        painter: Paints the pictures; None to leave them out.
        price_parts: Tells what the latency of a slice is the sum of, in ms; None to leave that out.
        report: Called after each picture.

    Returns:
        Their description, without commands, which depend on where the study is kept.
    """
    pictures = [{} for _ in slices] if painter is None else painter.paint(slices, report)
    return StudyDescription(
        scenes=() if painter is None else tuple(painter.scenes),
        points={
            point.number: PointDescription(
                pictures=pictures_of_one,
                parts={} if price_parts is None else {LATENCY.name: price_parts(one)},
                drawing=draw(one),
            )
            for point, one, pictures_of_one in zip(points, slices, pictures, strict=True)
        },
        titles=titles,
    )
