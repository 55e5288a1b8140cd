"""What `mfagan front` shows of a study's points: pictures, parts of the latency, drawings, qualities, commands."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property

from mfagan.cli.options import name_study
from mfagan.cli.study.opened_sources import OpenedSources, open_sources, where_sources_are
from mfagan.evaluation.scores import PerceptualDistance
from mfagan.progress import ProgressFactory, no_progress
from mfagan.sr.network.widths import NAMES, Widths
from mfagan.sr.study.pictures.description import describe_points
from mfagan.sr.study.pictures.front_quality import choose_images, measure_quality
from mfagan.sr.study.pictures.scenes import ScenePainter
from mfagan.sr.study.sources import Sources
from search.description import PointDescription, Scene, StudyDescription
from search.problem import Point
from search.study import StudyRecord

__all__ = ["FrontDescriber"]


class FrontDescriber:
    """Describes points of one study; what it has described once it remembers.

    Attributes:
        record: The study; it may be replaced by a later state of it.
    """

    def __init__(self, storage: str, record: StudyRecord, given: Sources, n_scenes: int) -> None:
        """Take over the study; its sources are opened when the first point is described.

        Args:
            storage: Where it is kept.
            record: The study.
            given: Where its sources are now, as far as a user says.
            n_scenes: How many crops of its images are shown; 0 to run no network at all.
        """
        self.record = record
        self._storage = storage
        self._given = given
        self._n_scenes = n_scenes
        self._described: dict[int, PointDescription] = {}
        self._scenes: Sequence[Scene] = ()

    @cached_property
    def sources(self) -> OpenedSources:
        """The study's sources, as far as they are there; none for a study that is not of SubGenerators."""
        if tuple(self.record.choices) != NAMES:
            return OpenedSources()
        return open_sources(where_sources_are(self.record, self._given), self.record.identity)

    @property
    def _has_scenes(self) -> bool:
        return self._n_scenes > 0 and self.sources.network is not None and len(self.sources.pairs) > 0

    @cached_property
    def _painter(self) -> ScenePainter | None:
        if not self._has_scenes or self.sources.network is None:
            return None
        return ScenePainter(self.sources.network, self.sources.pairs, self._n_scenes)

    def describe(self, points: Sequence[Point], bars: ProgressFactory = no_progress) -> StudyDescription:
        """Describe points; only those take work that were not described before.

        Args:
            points: Points of the study, such as its front.
            bars: Makes the progress bar of the pictures, if there are any to make.

        Returns:
            The description of all that were described so far; an empty one if the study is not of SubGenerators.
        """
        if tuple(self.record.choices) != NAMES:
            return StudyDescription()
        lacking = self.lacks(points)
        bar = bars("pictures") if lacking and self._has_scenes else no_progress("")
        with bar as report:
            painter = self._painter if lacking else None
            found = describe_points(lacking, painter, self.sources.price_parts, report)
        for number, one in found.points.items():
            self._described[number] = replace(one, commands=self._commands(number))
        self._scenes = found.scenes or self._scenes
        return replace(found, scenes=self._scenes, points=dict(self._described), notes=self.sources.notes)

    def lacks(self, points: Iterable[Point]) -> list[Point]:
        """Tell which points were not described yet.

        Args:
            points: Points of the study.

        Returns:
            Those; none if the study is not of SubGenerators.
        """
        if tuple(self.record.choices) != NAMES:
            return []
        return [point for point in points if point.number not in self._described]

    def with_quality(
        self,
        best: Sequence[Point],
        find_lpips: Callable[[], PerceptualDistance | None],
        bars: ProgressFactory = no_progress,
    ) -> tuple[StudyRecord, Mapping[str, str]]:
        """Measure SSIM and LPIPS of a front on the first of the study's images.

        Args:
            best: The front.
            find_lpips: Finds what measures LPIPS, or None to leave it out; called if something is measured.
            bars: Makes the progress bar, if something is measured.

        Returns:
            The study with these figures as attributes of its front, and the attributes' titles; the study as it is
            without scenes, or if its images or its SuperGenerator are not there.
        """
        record, network = self.record, self.sources.network
        if network is None or not self._has_scenes or not best:
            return record, {}
        lpips = find_lpips()
        images = choose_images(self.sources.pairs, len(best))
        widths = [Widths.from_choice(point.choice) for point in best]
        with bars("SSIM" if lpips is None else "SSIM and LPIPS") as report:
            quality = measure_quality(network, images, widths, lpips, report)
        figures = {point.number: one for point, one in zip(best, quality.attributes(), strict=True)}
        points = [
            replace(point, attributes={**point.attributes, **figures[point.number]})
            if point.number in figures
            else point
            for point in record.points
        ]
        return replace(record, points=tuple(points)), quality.titles()

    def _commands(self, number: int) -> list[tuple[str, str]]:
        where, name = name_study(self._storage, self.record.name), f"trial-{number}"
        return [
            ("Pick it", f"mfagan pick {where} --trial {number} --out {name}.json"),
            ("Fine-tune it", f"mfagan finetune {name}.json --out {name}.safetensors"),
            ("Export it", f"mfagan export {name}.safetensors --out {name}.tflite"),
        ]
