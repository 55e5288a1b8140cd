"""A study whose points saturate in quality, their pictures, and a viewer who sees what a given difference makes."""

from __future__ import annotations

import random
from collections.abc import Sequence
from math import exp

from scipy.special import ndtr

from search.description import Picture, PointDescription, Scene, StudyDescription
from search.preference.answers import Answer, Answers, hash_points
from search.preference.comparisons import Comparison, draw_comparisons, spread_points
from search.problem import Case, Objective, Point
from search.study import StudyRecord

OBJECTIVES = (Objective("quality", "maximize", "dB", "Quality"), Objective("cost", "minimize", "ms"))
CASES = tuple(Case(f"photo {i}") for i in range(4))
SCENES = ("roof", "<b>hat</b>")


def quality(cost: float) -> float:
    """In dB: of all points nearly the best from a cost of 0.5 on."""
    return 1 - exp(-6 * cost)


def front_study(n_points: int = 16, name: str = "toy") -> StudyRecord:
    """Points of growing cost and quality, numbered from 100 on."""
    points = []
    for i in range(n_points):
        cost = (i + 0.5) / n_points
        scores = tuple(quality(cost) + ease for ease in (-2.0, -1.0, 1.0, 2.0))
        value = sum(scores) / len(scores)
        points.append(Point(100 + i, {"level": i}, (value, cost), {"params": i}, scores={"quality": scores}))
    return StudyRecord(
        name, OBJECTIVES, {"level": tuple(range(n_points))}, {"maker": "toy"}, tuple(points), cases=CASES
    )


def sees_better(left: Point, right: Point, just_noticeable: float) -> float:
    """How probably a viewer takes the left one; 75 % if it is better by the just noticeable difference."""
    return float(ndtr(0.6745 * (left.values[0] - right.values[0]) / just_noticeable))


def answer(
    record: StudyRecord, comparisons: Sequence[Comparison], just_noticeable: float, seed: int = 0
) -> Answers:
    """The viewer's answers, a quarter of a just noticeable difference being `neither`."""
    rng = random.Random(seed)
    points = {point.number: point for point in record.points}
    answers = []
    for one in comparisons:
        left, right = points[one.left], points[one.right]
        if abs(left.values[0] - right.values[0]) < just_noticeable / 4:
            better = "neither"
        else:
            better = "left" if rng.random() < sees_better(left, right, just_noticeable) else "right"
        answers.append(Answer(left=one.left, right=one.right, scene=one.scene, better=better))
    compared = [
        points[number] for number in sorted({n for one in comparisons for n in (one.left, one.right)})
    ]
    return Answers(
        format="answers-by-eye/1",
        study=record.name,
        points_sha256=hash_points(record.identity, compared),
        answers=tuple(answers),
    )


def compare_all(record: StudyRecord, just_noticeable: float, n: int = 20, seed: int = 0) -> Answers:
    """What the viewer says to the comparisons of a page."""
    points = spread_points(record.points, record.objectives, n)
    return answer(record, draw_comparisons(points, SCENES, n, seed), just_noticeable, seed)


def describe(record: StudyRecord, picture: bytes = b"") -> StudyDescription:
    """A picture of each scene for each point; it may be the same for all."""
    return StudyDescription(
        scenes=[Scene(name) for name in SCENES],
        points={
            point.number: PointDescription(
                pictures={
                    name: Picture("image/png", picture or str(point.number).encode()) for name in SCENES
                }
            )
            for point in record.points
        },
    )
