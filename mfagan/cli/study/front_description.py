"""What `mfagan front` shows of a study's points: pictures, parts of the latency, drawings, qualities, commands."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property

from mfagan.cli.options import name_study
from mfagan.cli.study.systems import find_system
from mfagan.evaluation.scores import PerceptualDistance
from mfagan.progress import ProgressFactory, no_progress
from mfagan.study.opened import Given, OpenedStudy
from search.description import PointDescription, Scene, StudyDescription
from search.problem import Point
from search.study import StudyRecord

__all__ = ["FrontDescriber"]


class FrontDescriber:
    """Describes points of one study; what it has described once it remembers.

    Attributes:
        record: The study; it may be replaced by a later state of it.
    """

    def __init__(self, storage: str, record: StudyRecord, given: Given, n_scenes: int) -> None:
        """Take over the study; its sources are opened when the first point is described.

        Args:
            storage: Where it is kept.
            record: The study.
            given: Where its sources are now, as far as a user says.
            n_scenes: How many scenes are shown; 0 to run no network at all.
        """
        self.record = record
        self._system = find_system(record)
        self._storage = storage
        self._given = given
        self._n_scenes = n_scenes
        self._described: dict[int, PointDescription] = {}
        self._scenes: Sequence[Scene] = ()

    @cached_property
    def _opened(self) -> OpenedStudy | None:
        """The study's sources, as far as they are there; None for a study of another program."""
        return None if self._system is None else self._system.open(self.record, self._given, self._n_scenes)

    def describe(self, points: Sequence[Point], bars: ProgressFactory = no_progress) -> StudyDescription:
        """Describe points; only those take work that were not described before.

        Args:
            points: Points of the study, such as its front.
            bars: Makes the progress bar of the pictures, if there are any to make.

        Returns:
            The description of all that were described so far; an empty one for a study of another program.
        """
        opened = self._opened
        if opened is None:
            return StudyDescription()
        lacking = self.lacks(points)
        bar = bars("pictures") if lacking and opened.has_scenes else no_progress("")
        with bar as report:
            found = opened.describe(lacking, report)
        for number, one in found.points.items():
            self._described[number] = replace(one, commands=self._commands(number))
        self._scenes = found.scenes or self._scenes
        return replace(found, scenes=self._scenes, points=dict(self._described), notes=opened.notes)

    def lacks(self, points: Iterable[Point]) -> list[Point]:
        """Tell which points were not described yet.

        Args:
            points: Points of the study.

        Returns:
            Those; none for a study of another program.
        """
        if self._system is None:
            return []
        return [point for point in points if point.number not in self._described]

    def with_quality(
        self,
        best: Sequence[Point],
        find_lpips: Callable[[], PerceptualDistance | None],
        bars: ProgressFactory = no_progress,
    ) -> tuple[StudyRecord, Mapping[str, str]]:
        """Measure more of a front than the search did, such as SSIM and LPIPS.

        Args:
            best: The front.
            find_lpips: Finds what measures LPIPS, or None to leave it out; called if something is measured.
            bars: Makes the progress bar, if something is measured.

        Returns:
            The study with these figures as attributes of its front, and the attributes' titles; the study as it is
            without scenes.
        """
        record, opened = self.record, self._opened
        if opened is None or not opened.has_scenes or not best:
            return record, {}
        attributes, titles = opened.measure(best, find_lpips, bars)
        figures = {point.number: one for point, one in zip(best, attributes, strict=True)}
        points = [
            replace(point, attributes={**point.attributes, **figures[point.number]})
            if point.number in figures
            else point
            for point in record.points
        ]
        return replace(record, points=tuple(points)), titles

    def _commands(self, number: int) -> list[tuple[str, str]]:
        where, name = name_study(self._storage, self.record.name), f"trial-{number}"
        mfagan = "mfagan" if self._system is None else " ".join(self._system.command())
        return [
            ("Pick it", f"{mfagan} pick {where} --trial {number} --out {name}.json"),
            ("Fine-tune it", f"{mfagan} finetune {name}.json --out {name}.safetensors"),
            ("Export it", f"{mfagan} export {name}.safetensors --out {name}.tflite"),
        ]
